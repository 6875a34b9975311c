//! The folder of a store: made, locked, and of a format that this release knows.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use windflow_core::ports::store::StoreError;

use super::disk::{RealDisk, sync_folder};
use super::guard::{damaged, remedy, text};
use super::layout::FORMAT;

/// A folder that this process, and no other, uses until this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    format: Mutex<Format>,
    _lock: File,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Format {
    format: u32,
    #[serde(default)]
    release: String,
    /// Format 1 did not say.
    #[serde(default = "first_database")]
    database: String,
}

fn first_database() -> String {
    "sled".to_owned()
}

/// The number of a database's folder: none where the name is another's.
fn database_number(name: &str) -> Option<u64> {
    match name.strip_prefix("sled")? {
        "" => Some(0),
        number => number.strip_prefix('-')?.parse().ok().filter(|number| name == database_name(*number)),
    }
}

fn database_name(number: u64) -> String {
    if number == 0 { first_database() } else { format!("sled-{number}") }
}

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        let lock = lock(dir)?;
        let format = match read_format(dir)? {
            Some(Format { format, release, .. }) if format > FORMAT => {
                return Err(StoreError::Unavailable(format!(
                    "the data folder {} was written by a newer release of windflow ({release}, format {format}; this release \
                     knows up to {FORMAT}): use that release or a later one, or name another folder with --data-dir",
                    dir.display()
                )));
            }
            Some(format) if database_number(&format.database).is_none() => {
                return Err(damaged(dir, "the file `format` of the data folder names no database"));
            }
            Some(format) => format,
            None => {
                let format = Format::of_this_release(first_database());
                write_format(dir, &format).map_err(|(error, _)| unwritable(dir, &error))?;
                format
            }
        };
        Ok(Self { dir: dir.to_owned(), format: Mutex::new(format), _lock: lock })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The format that the folder is in now.
    pub(super) fn format(&self) -> u32 {
        self.current().format
    }

    /// The folder of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.dir.join(&self.current().database)
    }

    /// A folder for the next database, which is not there.
    pub(super) fn next_database(&self) -> Result<PathBuf, StoreError> {
        let number = database_number(&self.current().database).unwrap_or_default();
        let next = self.dir.join(database_name(number.saturating_add(1)));
        remove(&next).map_err(|error| unwritable(&self.dir, &error))?;
        Ok(next)
    }

    /// From now on, and after any crash, the database is another one, which must be whole and durable. An error comes with
    /// whether it may be the other one all the same.
    pub(super) fn switch(&self, database: &Path) -> Result<(), (io::Error, bool)> {
        let name = database.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let format = Format::of_this_release(name.to_owned());
        write_format(&self.dir, &format)?;
        *self.format.lock().unwrap_or_else(PoisonError::into_inner) = format;
        Ok(())
    }

    /// Removes databases that a crash left behind, or that a switch left.
    pub(super) fn remove_others(&self) -> io::Result<()> {
        let current = self.current().database;
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name != current && database_number(name).is_some()) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn watermark(&self) -> PathBuf {
        self.dir.join("watermark")
    }

    fn current(&self) -> Format {
        self.format.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Format {
    fn of_this_release(database: String) -> Self {
        Self { format: FORMAT, release: env!("CARGO_PKG_VERSION").to_owned(), database }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read_format(dir: &Path) -> Result<Option<Format>, StoreError> {
    let mut text = Vec::new();
    match File::open(dir.join("format")).and_then(|file| file.take(4096).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let entries = fs::read_dir(dir).map_err(|error| unwritable(dir, &error))?;
            let is_database = |entry: fs::DirEntry| entry.file_name().to_str().and_then(database_number).is_some();
            if entries.flatten().any(is_database) {
                return Err(damaged(dir, "the file `format` is missing from the data folder"));
            }
            return Ok(None);
        }
        Err(error) => return Err(unwritable(dir, &error)),
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| damaged(dir, format_args!("the file `format` of the data folder cannot be read: {error}")))
}

/// Says what the folder is. Written aside and moved, so that it is whole or as before; an error comes with whether it was
/// moved.
fn write_format(dir: &Path, format: &Format) -> Result<(), (io::Error, bool)> {
    let aside = dir.join("format.new");
    let write = || {
        let mut file = File::create(&aside)?;
        file.write_all(&serde_json::to_vec(format)?)?;
        file.sync_all()
    };
    write().map_err(|error| (error, false))?;
    fs::rename(&aside, dir.join("format")).map_err(|error| (error, false))?;
    sync_folder(dir, &RealDisk).map_err(|error| (error, true))
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
    let remedy = remedy(error).unwrap_or("Make it a folder that this user may write");
    StoreError::Unavailable(format!(
        "the data folder {} cannot be written: {}. {remedy}, or name another one with --data-dir",
        dir.display(),
        text(error)
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
        fs::write(dir.path().join("format"), r#"{"format":4,"release":"9.9.9","more":[]}"#).unwrap();
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
        for name in ["../elsewhere", "sled-01", "sled-x", ""] {
            let text = format!(r#"{{"format":2,"release":"0.1.0","database":"{name}"}}"#);
            fs::write(dir.path().join("format"), text).unwrap();
            assert!(matches!(Folder::open(dir.path()), Err(StoreError::Corrupted(_))), "{name}");
        }
        fs::remove_file(dir.path().join("format")).unwrap();
        fs::create_dir(dir.path().join("sled")).unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(StoreError::Corrupted(_))));
    }
    #[test]
    fn only_databases_that_nobody_needs_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        for name in ["sled", "sled-1", "sled-2", "sled-x", "sledge", "mine"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        folder.switch(&dir.path().join("sled-1")).unwrap();
        folder.remove_others().unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["format", "lock", "mine", "sled-1", "sled-x", "sledge"]);
        drop(folder);
        assert_eq!(Folder::open(dir.path()).unwrap().database(), dir.path().join("sled-1"));
    }
}
