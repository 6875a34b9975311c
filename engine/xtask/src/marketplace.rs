//! The built-in registry: checks, packs and signs what lies in `marketplace/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use windflow_build::Workspace;
use windflow_marketplace::files::{Fault, Files, from_folder};
use windflow_marketplace::index::{Entry, Index, Made, make};
use windflow_marketplace::manifest::Kind;
use windflow_marketplace::signature::SigningKey;

use crate::output;
use crate::versions::{self, Held};

/// The registry's name for itself.
const NAME: &str = "windflow";

/// Reads every folder, and writes index, signature, public key and packages to `marketplace` of the target directory.
pub(crate) fn build(workspace: &Workspace) -> Result<(), String> {
    let root = &workspace.root;
    let mut wrong = Vec::new();
    let (mut templates, mut versions) = (Vec::new(), Vec::new());
    for folder in folders(root)? {
        match template(root, &folder) {
            Ok((made, held)) => {
                templates.push((folder, made));
                versions.push(held);
            }
            Err(faults) => wrong.extend(faults),
        }
    }
    if !wrong.is_empty() {
        return Err(format!("{}\n{} problems", wrong.join("\n"), wrong.len()));
    }
    keep_versions(root, &versions)?;
    let out = workspace.target.join("marketplace");
    let mut kept = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for (folder, made) in templates {
        if let Some(twin) = entries.iter().find(|entry| entry.name() == made.entry.name()) {
            return Err(format!("{}: there is a {} of the same name", folder.display(), twin.kind().word()));
        }
        let path = made.entry.path(&made.entry.manifest.version);
        output::write_if_changed(&out.join(&path), &made.package)?;
        kept.push(out.join(path));
        let updated_at = changed(root, &[folder.as_path()]) * 1000;
        entries.push(Entry { updated_at, ..made.entry });
    }
    let count = entries.len();
    // The time of the newest change, not of the build: the same sources are the same registry, and a later one is never lower.
    let sequence = changed(root, &[Path::new("marketplace"), Path::new("workflows")]);
    let generated = jiff::Timestamp::from_second(i64::try_from(sequence).unwrap_or_default());
    let generated = generated.map_err(|error| error.to_string())?.to_string();
    let index = Index::new(NAME, sequence, &generated, entries).to_bytes()?;
    let key = key(&workspace.target)?;
    output::write_if_changed(&out.join("index.json"), &index)?;
    output::write_if_changed(&out.join("index.json.sig"), key.sign(&index).as_bytes())?;
    output::write_if_changed(&out.join("key.pub"), format!("{}\n", key.public()).as_bytes())?;
    keep_only(&out.join("packages"), &kept)?;
    println!("{}: {count} templates, index of {} KiB", out.display(), index.len() / 1024);
    Ok(())
}

/// Every folder that holds a `template.yaml`, within the repository.
fn folders(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = Vec::new();
    for kind in ["stacks", "workflows"] {
        let within = Path::new("marketplace").join(kind);
        let entries = match fs::read_dir(root.join(&within)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{}: {error}", within.display())),
        };
        for entry in entries {
            let name = entry.map_err(|error| error.to_string())?.file_name();
            let folder = within.join(name);
            if root.join(&folder).is_dir() {
                folders.push(folder);
            }
        }
    }
    folders.sort();
    Ok(folders)
}

/// Reads and packs one folder. Warnings are for templates of others: ours have none.
fn template(root: &Path, folder: &Path) -> Result<(Made, Held), Vec<String>> {
    let at = |fault: &Fault| {
        let Fault { file, problem } = fault;
        let place = &problem.place;
        let remedy = problem.remedy.as_ref().map(|remedy| format!("\n  = {remedy}")).unwrap_or_default();
        let path = folder.join(file);
        format!("{}:{}:{}: [{}] {}{remedy}", path.display(), place.line, place.column, problem.code, problem.message)
    };
    let one = |message: String| vec![format!("{}: {message}", folder.display())];
    let files = files(root, folder).map_err(|error| one(error.to_string()))?;
    let made = make(&files).map_err(|faults| faults.iter().map(at).collect::<Vec<_>>())?;
    if !made.warnings.is_empty() {
        return Err(made.warnings.iter().map(at).collect());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if made.entry.name() != name {
        return Err(one(format!("the template is called {}: name it as its folder", made.entry.name())));
    }
    let is_workflow = folder.starts_with("marketplace/workflows");
    if is_workflow != (made.entry.kind() == Kind::Workflow) {
        return Err(one(format!("a {} has no place here", made.entry.kind().word())));
    }
    let version = made.entry.manifest.version.clone();
    let held = Held { name: made.entry.name().to_owned(), version, digest: versions::digest(&files) };
    Ok((made, held))
}

/// Refuses what changed without a new version. New ones are written down where `UPDATE` asks for it.
fn keep_versions(root: &Path, templates: &[Held]) -> Result<(), String> {
    let path = root.join(versions::FILE);
    let written = match fs::read_to_string(&path) {
        Ok(written) => written,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{}: {error}", versions::FILE)),
    };
    match versions::check(&written, templates)? {
        None => Ok(()),
        Some((text, _)) if std::env::var_os("UPDATE").is_some_and(|update| !update.is_empty()) => {
            output::write_if_changed(&path, text.as_bytes())
        }
        Some((_, told)) => Err(told),
    }
}

/// The files of a template. A workflow that is shipped and tested already is not written twice.
fn files(root: &Path, folder: &Path) -> std::io::Result<Files> {
    let mut files = from_folder(&root.join(folder))?;
    let document = Kind::Workflow.document();
    if folder.starts_with("marketplace/workflows") && !files.contains_key(document) {
        let shipped = root.join("workflows").join(folder.file_name().unwrap_or_default()).join(document);
        if shipped.is_file() {
            files.insert(document.to_owned(), fs::read(shipped)?);
        }
    }
    Ok(files)
}

/// When something was last changed, in seconds since 1970, as the history has it; `SOURCE_DATE_EPOCH` where there is none.
fn changed(root: &Path, paths: &[&Path]) -> u64 {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["log", "-1", "--format=%ct", "--"]).args(paths);
    let told = git.output().ok().filter(|output| output.status.success());
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
    let given = || std::env::var("SOURCE_DATE_EPOCH").ok()?.trim().parse().ok();
    told.or_else(given).unwrap_or(1)
}

/// The key in the file that `WINDFLOW_REGISTRY_KEY` names, else one that is made for this target directory.
fn key(target: &Path) -> Result<SigningKey, String> {
    let read = |path: &Path| {
        let pem = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        SigningKey::from_pem(&pem).map_err(|_| {
            format!("{}: this is no Ed25519 key: make one with `openssl genpkey -algorithm ed25519`", path.display())
        })
    };
    if let Some(path) = std::env::var_os("WINDFLOW_REGISTRY_KEY").filter(|path| !path.is_empty()) {
        return read(Path::new(&path));
    }
    let path = target.join("marketplace.key");
    if path.is_file() {
        return read(&path);
    }
    let (key, pem) = SigningKey::generate().map_err(|_| "a key could not be made".to_owned())?;
    output::write_if_changed(&path, pem.as_bytes())?;
    Ok(key)
}

/// The binary embeds whatever lies here, so a package that is no longer told of must not stay.
fn keep_only(packages: &Path, kept: &[PathBuf]) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(packages) else { return Ok(()) };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| !kept.contains(path)) {
        fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
