//! The folder of a store: made, locked, and of a format that this release knows.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use windflow_core::ports::store::StoreError;

use super::disk::{RealDisk, sync_folder};
use super::guard::damaged;
use super::layout::FORMAT;

/// A folder that this process, and no other, uses until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct Format {
    format: u32,
    #[serde(default)]
    release: String,
}

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        let lock = lock(dir)?;
        let folder = Self { dir: dir.to_owned(), _lock: lock };
        match folder.format()? {
            None => folder.create()?,
            Some(Format { format, release }) if format > FORMAT => {
                return Err(StoreError::Unavailable(format!(
                    "the data folder {} was written by a newer release of windflow ({release}, format {format}; this release \
                     knows up to {FORMAT}): use that release or a later one, or name another folder with --data-dir",
                    dir.display()
                )));
            }
            // Formats below the present one are brought up to it here, one step each. There is none before the first.
            Some(_) => {}
        }
        Ok(folder)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn sled(&self) -> PathBuf {
        self.dir.join("sled")
    }

    pub(super) fn database_file(&self) -> PathBuf {
        self.sled().join("db")
    }

    pub(super) fn watermark(&self) -> PathBuf {
        self.dir.join("watermark")
    }

    fn format(&self) -> Result<Option<Format>, StoreError> {
        let path = self.dir.join("format");
        let mut text = Vec::new();
        match File::open(&path).and_then(|file| file.take(4096).read_to_end(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.sled().exists() {
                    return Err(damaged(&self.dir, "the file `format` is missing from the data folder"));
                }
                return Ok(None);
            }
            Err(error) => return Err(unwritable(&self.dir, &error)),
        }
        let format = serde_json::from_slice(&text).map_err(|error| {
            damaged(&self.dir, format_args!("the file `format` of the data folder cannot be read: {error}"))
        })?;
        Ok(Some(format))
    }

    /// Says what the folder is before there is anything in it. Written aside and moved, so that it is whole or not there.
    fn create(&self) -> Result<(), StoreError> {
        let write = || {
            let text = serde_json::to_vec(&Format { format: FORMAT, release: env!("CARGO_PKG_VERSION").to_owned() })?;
            let aside = self.dir.join("format.new");
            let mut file = File::create(&aside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&aside, self.dir.join("format"))?;
            sync_folder(&self.dir, &RealDisk)
        };
        write().map_err(|error: io::Error| unwritable(&self.dir, &error))
    }
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| unwritable(dir, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(used_elsewhere(dir, &mut file)),
        Err(TryLockError::Error(error)) => return Err(unwritable(dir, &error)),
    }
    let write = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    write.map_err(|error| unwritable(dir, &error))?;
    Ok(file)
}

fn used_elsewhere(dir: &Path, lock: &mut File) -> StoreError {
    let mut holder = String::new();
    let read = lock.take(20).read_to_string(&mut holder);
    let holder = match holder.trim() {
        id if read.is_ok() && !id.is_empty() => format!(" (process {id})"),
        _ => String::new(),
    };
    StoreError::Unavailable(format!(
        "another windflow{holder} uses the data folder {}: stop it, or name another folder with --data-dir",
        dir.display()
    ))
}

/// The folder cannot be made or written.
pub(super) fn unwritable(dir: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!(
        "the data folder {} cannot be written: {error}. Make it a folder that this user may write, or name another one with \
         --data-dir",
        dir.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dir: &Path, expect: &[&str]) {
        let error = Folder::open(dir).unwrap_err().to_string();
        for word in expect.iter().copied().chain(["--data-dir"]) {
            assert!(error.contains(word), "{error:?} does not say {word:?}");
        }
    }

    #[test]
    fn a_folder_in_use_says_by_whom() {
        let dir = tempfile::tempdir().unwrap();
        let held = Folder::open(dir.path()).unwrap();
        check(dir.path(), &["another windflow", &std::process::id().to_string(), &dir.path().display().to_string()]);
        drop(held);
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), r#"{"format":2,"release":"9.9.9","more":[]}"#).unwrap();
        check(dir.path(), &["newer release", "9.9.9"]);
    }

    #[test]
    fn what_cannot_be_written_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        check(&file.join("below"), &["cannot be written", "file/below"]);
        check(Path::new("/proc/windflow"), &["cannot be written"]);
    }

    #[test]
    fn an_unreadable_format_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), "?").unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(StoreError::Corrupted(_))));
        fs::remove_file(dir.path().join("format")).unwrap();
        fs::create_dir(dir.path().join("sled")).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(StoreError::Corrupted(_))));
    }
}
