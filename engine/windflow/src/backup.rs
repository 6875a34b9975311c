//! Backups: the store as one file, made while it is in use, and a store out of such a file.
//!
//! A backup is a compressed tar archive: `windflow-backup.json`, which says what it is, and the folders `store` and `plugins`. The key that
//! encrypts secrets is not in it, so that a backup alone opens nothing; it names the key by its digest.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};
use windflow_core::id::Digest;
use windflow_store::{Options, SledStore};

const ABOUT: &str = "windflow-backup.json";
/// Installed beside the store; what runs of the store may need to go on.
const PLUGINS: &str = "plugins";
const FORMAT: u32 = 1;
/// Begins the names of folders that a backup is made in.
const ASIDE: &str = ".backup-";

/// What a backup says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    format: u32,
    /// The release that made it.
    pub(crate) release: String,
    /// When, in milliseconds since 1970.
    pub(crate) at: u64,
    /// Runs in it.
    pub(crate) runs: u64,
    /// The beginning of the digest of the key that its secrets are encrypted with.
    pub(crate) secrets_key: String,
}

/// By what a key is known that nobody is to learn.
pub(crate) fn fingerprint(key: &[u8; 32]) -> String {
    Digest::of(key).to_string().chars().take("sha256:".len() + 16).collect()
}

/// Writes a backup of a store that others go on using.
///
/// # Errors
/// Those of reading the store, and of writing. What was written by then is no backup.
pub(crate) fn write(store: &SledStore, key: &[u8; 32], at: u64, out: impl Write) -> anyhow::Result<()> {
    let beside = store.dir().parent().context("the store lies in no folder")?;
    let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(beside).context("a folder for the copy")?;
    let copy = aside.path().join("store");
    store.backup(&copy)?;
    let about = About {
        format: FORMAT,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        at,
        runs: store.stats()?.runs,
        secrets_key: fingerprint(key),
    };
    let mut archive = Builder::new(GzEncoder::new(out, Compression::fast()));
    let text = serde_json::to_vec_pretty(&about)?;
    let mut header = Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, ABOUT, text.as_slice())?;
    // Who uses the folder is nobody's business in a backup.
    fs::remove_file(copy.join("lock"))?;
    archive.append_dir_all("store", &copy)?;
    let plugins = beside.join(PLUGINS);
    if plugins.is_dir() {
        archive.append_dir_all(PLUGINS, plugins)?;
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(())
}

/// Removes what a backup left behind that was cut off. Only while nobody else uses the store.
pub(crate) fn remove_leftovers(data_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(ASIDE)) && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Makes the store of a data folder out of a backup. One that is there already stays beside it, under the name that is
/// returned, and only where `replace` says so.
///
/// # Errors
/// The file is no backup, or is not whole; the folder has a store; or it cannot be written. The folder is as it was.
pub(crate) fn restore(file: &Path, data_dir: &Path, replace: bool) -> anyhow::Result<(About, Option<PathBuf>)> {
    let store = data_dir.join("store");
    if store.exists() && !replace {
        bail!(
            "{} is there already: name another data folder with --data-dir, or say --replace, which keeps it under another name",
            store.display()
        );
    }
    fs::create_dir_all(data_dir).with_context(|| format!("the data folder {}", data_dir.display()))?;
    // Whoever uses the store holds it; it must not be taken from under them.
    let held = store.exists().then(|| SledStore::open(&store, Options::default())).transpose();
    let in_use =
        held.as_ref().is_err_and(|error| matches!(error, windflow_core::ports::store::StoreError::Unavailable(_)));
    if in_use {
        held?;
    }
    let aside = tempfile::Builder::new().prefix(ASIDE).tempdir_in(data_dir).context("a folder for what is unpacked")?;
    let about = unpack(file, aside.path()).with_context(|| format!("{} cannot be restored", file.display()))?;
    let unpacked = aside.path().join("store");
    let checked = SledStore::open(&unpacked, Options::default())?.check()?;
    if let Some(problem) = checked.problems.first() {
        bail!("the store in {} is damaged: {problem}", file.display());
    }
    // The plugins first: without the store they do nothing.
    put(&aside.path().join(PLUGINS), &data_dir.join(PLUGINS))
        .context("the restored plugins cannot be put in their place")?;
    let kept = put(&unpacked, &store).context("the restored store cannot be put in its place")?;
    Ok((about, kept))
}

/// Puts a folder in the place of one that may be there, which is kept under the name that is returned. Nothing to put changes nothing.
fn put(from: &Path, to: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !from.exists() {
        return Ok(None);
    }
    let kept = to.exists().then(|| free_name(to)).transpose()?;
    if let Some(kept) = &kept {
        fs::rename(to, kept)?;
    }
    if let Err(error) = fs::rename(from, to) {
        if let Some(kept) = &kept {
            fs::rename(kept, to)?;
        }
        return Err(error.into());
    }
    Ok(kept)
}

fn free_name(taken: &Path) -> anyhow::Result<PathBuf> {
    let names = (1..10_000).map(|number| taken.with_extension(format!("before-restore-{number}")));
    names.into_iter().find(|name| !name.exists()).context("too much is left from before other restores")
}

fn unpack(file: &Path, to: &Path) -> anyhow::Result<About> {
    let mut archive = Archive::new(GzDecoder::new(fs::File::open(file)?));
    let mut about = None;
    for entry in archive.entries()? {
        let mut entry = entry.context("it is no backup, or is damaged")?;
        let path = entry.path()?.into_owned();
        if path == Path::new(ABOUT) {
            let mut text = Vec::new();
            (&mut entry).take(64 << 10).read_to_end(&mut text)?;
            let read: About = serde_json::from_slice(&text).context("it does not say what it is")?;
            if read.format > FORMAT {
                bail!("a newer release of windflow made it ({}): use that release or a later one", read.release);
            }
            about = Some(read);
            continue;
        }
        let ours = path.starts_with("store") || path.starts_with(PLUGINS);
        let within = ours && path.components().all(|part| matches!(part, Component::Normal(_)));
        let known = matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Directory);
        if !within || !known || about.is_none() {
            bail!("{} has no place in a backup", path.display());
        }
        if entry.header().entry_type() == EntryType::Directory {
            fs::create_dir_all(to.join(&path))?;
        } else {
            let mut file = fs::File::create(to.join(&path))?;
            io::copy(&mut entry, &mut file)?;
            file.sync_all()?;
        }
    }
    // To its end, where its checksum is: half of a backup is none.
    io::copy(&mut archive.into_inner(), &mut io::sink()).context("it is not whole")?;
    about.context("it is no backup of windflow")
}

/// Whether a file is a whole backup, read to its end.
///
/// # Errors
/// Why it is none.
pub(crate) fn check_whole(file: &Path) -> anyhow::Result<()> {
    io::copy(&mut GzDecoder::new(fs::File::open(file)?), &mut io::sink()).context("the backup is not whole")?;
    Ok(())
}
