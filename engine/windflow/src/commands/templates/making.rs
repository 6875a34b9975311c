//! `windflow templates registry make`: a registry as files that any web server hands out.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use windflow_marketplace::index::{Entry, Index, Made};
use windflow_marketplace::signature::SigningKey;
use windflow_marketplace::{index, registry};

use super::{author, told};
use crate::cli::Global;
use crate::deploying::now;
use crate::exit::{self, invalid};
use crate::render;

/// Versions of a template at most, as of those that a server keeps.
const MAX_VERSIONS: usize = 50;

pub(super) fn make(
    global: &Global,
    out: &Path,
    folders: &[std::path::PathBuf],
    key: &Path,
) -> anyhow::Result<ExitCode> {
    let (mut all, mut is_good) = (Vec::new(), true);
    for folder in folders {
        let faults = match author::read(global, folder)? {
            Ok(made) => {
                let warnings = made.warnings.clone();
                all.push(made);
                warnings
            }
            Err(faults) => {
                is_good = false;
                faults
            }
        };
        faults.iter().for_each(|fault| render::line(&told(folder, fault)));
    }
    if !is_good {
        render::line("nothing was written");
        return Ok(ExitCode::from(exit::INVALID));
    }
    let key = signing(key, &out.join("index.json"))?;
    let before = before(out, &key)?;
    let sequence = before.as_ref().map_or(0, |index| index.sequence) + 1;
    let mut entries = before.map(|index| index.templates).unwrap_or_default();
    let mut packages = Vec::new();
    for made in all {
        packages.extend(added(&mut entries, made)?);
    }
    if packages.is_empty() {
        render::line("nothing is new: the registry is as it was");
        return Ok(ExitCode::SUCCESS);
    }
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let generated = jiff::Timestamp::now().to_string();
    let count = entries.len();
    let index = Index::new(&name, sequence, &generated, entries).to_bytes().map_err(invalid)?;
    // What an index promises is there before it, and it is never seen in part.
    for (path, package) in packages {
        write(&out.join(path), &package)?;
    }
    write(&out.join("index.json.sig"), key.sign(&index).as_bytes())?;
    write(&out.join("index.json"), &index)?;
    let templates = if count == 1 { "one template".to_owned() } else { format!("{count} templates") };
    render::line(&format!(
        "{} holds {templates}, index {sequence}. Put it on a web server, then, with --server:\n  \
         windflow templates registry add NAME https://ADDRESS --key {}",
        out.display(),
        key.public()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The key of a file, made where neither it nor an index that it has signed is there.
fn signing(path: &Path, index: &Path) -> anyhow::Result<SigningKey> {
    match fs::read_to_string(path) {
        Ok(pem) => SigningKey::from_pem(&pem).map_err(|_| {
            let how = "make one with `openssl genpkey -algorithm ed25519`, or name a file that is not there yet";
            invalid(format!("{}: this is no Ed25519 key in PEM\n  = {how}", path.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if index.exists() {
                let why = "there is no such key, and a registry that is there has to be signed with its own";
                return Err(invalid(format!("{}: {why}", path.display())));
            }
            let (key, pem) = SigningKey::generate().map_err(|_| anyhow::anyhow!("a key could not be made"))?;
            private(path, pem.as_bytes()).with_context(|| format!("{}", path.display()))?;
            render::line(&format!("{} is the key that was made: keep it, and to yourself", path.display()));
            Ok(key)
        }
        Err(error) => Err(invalid(format!("{}: {error}", path.display()))),
    }
}

/// Writes a file that nobody else may read.
fn private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, bytes)
}

/// What is offered already, believed under the same key as others believe it.
fn before(out: &Path, key: &SigningKey) -> anyhow::Result<Option<Index>> {
    let read = |name: &str, most: usize| match fs::metadata(out.join(name)) {
        Ok(found) if found.len() <= most as u64 => fs::read(out.join(name)).map(Some),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let Some(index) = read("index.json", index::MAX_BYTES)? else { return Ok(None) };
    let signature = read("index.json.sig", 1024)?.unwrap_or_default();
    let index = registry::open(&index, &signature, &key.public(), 0)
        .map_err(|refused| invalid(format!("{}: {refused}", out.join("index.json").display())))?;
    Ok(Some(index))
}

/// Puts a template into the place of its version before; where its package is to be, unless it is there as it is.
fn added(entries: &mut Vec<Entry>, made: Made) -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let Made { mut entry, package, .. } = made;
    entry.updated_at = now().0;
    let path = entry.path(&entry.manifest.version);
    let Some(old) = entries.iter_mut().find(|old| old.name() == entry.name()) else {
        entries.push(entry);
        return Ok(Some((path, package)));
    };
    let (name, found, wanted) = (entry.name(), &old.manifest.version, &entry.manifest.version);
    if found == wanted && old.digest == entry.digest {
        return Ok(None);
    }
    if wanted <= found {
        let why = format!("the registry has {name} {found}, and this is another {wanted}: give it a higher version");
        return Err(invalid(why));
    }
    entry.versions.append(&mut old.versions);
    entry.versions.truncate(MAX_VERSIONS);
    *old = entry;
    Ok(Some((path, package)))
}

/// Writes a file as a whole.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("new");
        fs::write(&new, bytes)?;
        fs::rename(new, path)
    };
    written().with_context(|| format!("{}", path.display()))
}
