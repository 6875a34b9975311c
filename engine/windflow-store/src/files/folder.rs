//! The files of runs in a folder of the machine, a folder each.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windflow_core::id::RunKey;
use windflow_core::ports::files::{FileEntry, FilePath, FileStore, FilesError};

use super::format::{HEADER, name, open, read_header, write_header};
use super::index::Index;

/// What is written before it takes the place of a file.
const UNFINISHED: &str = "unfinished";

/// Settings of [`FolderFiles`].
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Room on the disk that files of runs leave to everything else, in bytes: the journal above all.
    pub leave_free: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { leave_free: 256 << 20 }
    }
}

/// Files of runs below a folder: one for each organisation, in there one for each run. It belongs to one process at a time, as
/// the store beside it does.
#[derive(Debug)]
pub struct FolderFiles {
    root: PathBuf,
    options: FileOptions,
    runs: Mutex<HashMap<RunKey, Arc<Mutex<Run>>>>,
}

/// The files of a run. Whoever does something with them holds the lock, so that the bounds are those of all together.
#[derive(Debug)]
struct Run {
    folder: PathBuf,
    /// What is there; not known before it was looked at.
    index: Option<Index>,
    /// What may not survive the loss of power yet.
    unsettled: BTreeSet<String>,
    /// The run has ended: nothing is kept any more for whoever comes too late.
    ended: bool,
}

impl FolderFiles {
    /// Keeps files below a folder, which is made when the first is written.
    #[must_use]
    pub fn new(root: PathBuf, options: FileOptions) -> Self {
        Self { root, options, runs: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunKey, Arc<Mutex<Run>>>> {
        // Nothing that holds the lock can leave the map half changed.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the files of a run, alone.
    fn with<T>(
        &self,
        key: &RunKey,
        work: impl FnOnce(&mut Run, &mut Index) -> Result<T, FilesError>,
    ) -> Result<T, FilesError> {
        let new = || Run { folder: self.folder(key), index: None, unsettled: BTreeSet::new(), ended: false };
        let run = self.lock().entry(key.clone()).or_insert_with(|| Arc::new(Mutex::new(new()))).clone();
        // Work that panicked has changed the disk before what is known of it: then it is looked at again.
        let mut run = match run.lock() {
            Ok(run) => run,
            Err(poisoned) => {
                let mut run = poisoned.into_inner();
                run.index = None;
                run
            }
        };
        if run.ended {
            return Err(FilesError::Unavailable("the run has ended, and its files went with it".to_owned()));
        }
        let mut index = match run.index.take() {
            Some(index) => index,
            None => look(&run.folder).map_err(|error| unavailable("read", &error))?,
        };
        let done = work(&mut run, &mut index);
        run.index = Some(index);
        done
    }

    fn folder(&self, key: &RunKey) -> PathBuf {
        self.root.join(key.organisation.as_str()).join(key.run.to_string())
    }

    /// Files of runs must not fill the disk on which the journal is.
    fn check_room(&self, bytes: usize) -> Result<(), FilesError> {
        let needed = self.options.leave_free.saturating_add(bytes as u64);
        match free(&self.root) {
            Some(free) if free < needed => {
                let left = self.options.leave_free >> 20;
                Err(FilesError::Unavailable(format!(
                    "the disk of the engine is nearly full: files of runs leave {left} MiB of it free. Make room on it"
                )))
            }
            _ => Ok(()),
        }
    }
}

impl FileStore for FolderFiles {
    fn read(&self, run: &RunKey, path: &FilePath, offset: u64, length: u32) -> Result<Vec<u8>, FilesError> {
        self.with(run, |run, index| {
            let ends = index.length(path).ok_or(FilesError::NotFound)?;
            let length = u64::from(length).min(ends.saturating_sub(offset));
            if length == 0 {
                return Ok(Vec::new());
            }
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            let mut read = || {
                let mut file = open(OpenOptions::new().read(true), &run.folder.join(name(path)))?;
                file.seek(SeekFrom::Start(HEADER.saturating_add(offset)))?;
                file.take(length).read_to_end(&mut bytes)
            };
            read().map_err(|error| unavailable("read", &error))?;
            Ok(bytes)
        })
    }

    fn write(&self, run: &RunKey, path: &FilePath, offset: u64, bytes: &[u8]) -> Result<(), FilesError> {
        self.with(run, |run, index| {
            let after = index.admit(path, offset, bytes.len())?;
            make_folder(&run.folder).map_err(|error| unavailable("written", &error))?;
            self.check_room(bytes.len())?;
            let written = if offset > 0 && index.length(path) == Some(offset) {
                go_on(&run.folder, path, offset, bytes)
            } else {
                replace(&run.folder, path, offset, bytes)
            };
            written.map_err(|error| unavailable("written", &error))?;
            run.unsettled.insert(name(path));
            index.set(path.clone(), after);
            Ok(())
        })
    }

    fn list(&self, run: &RunKey, below: Option<&FilePath>) -> Result<Vec<FileEntry>, FilesError> {
        self.with(run, |_, index| Ok(index.list(below)))
    }

    fn remove(&self, run: &RunKey, below: Option<&FilePath>) -> Result<u32, FilesError> {
        self.with(run, |run, index| {
            let mut removed = 0;
            for FileEntry { path, .. } in index.list(below) {
                let called = name(&path);
                fs::remove_file(run.folder.join(&called)).map_err(|error| unavailable("removed", &error))?;
                run.unsettled.remove(&called);
                index.take(&path);
                removed += 1;
            }
            Ok(removed)
        })
    }

    fn settle(&self, run: &RunKey) -> Result<(), FilesError> {
        self.with(run, |run, _| {
            let settle = || -> io::Result<()> {
                for called in &run.unsettled {
                    open(OpenOptions::new().write(true), &run.folder.join(called))?.sync_all()?;
                }
                // The folders up to the one that was there before.
                for folder in run.folder.ancestors().take(4).filter(|folder| folder.is_dir()) {
                    sync_folder(folder)?;
                }
                Ok(())
            };
            settle().map_err(|error| unavailable("written", &error))?;
            run.unsettled.clear();
            Ok(())
        })
    }

    fn forget(&self, run: &RunKey) -> Result<(), FilesError> {
        let known = self.lock().remove(run);
        let mut known = known.as_ref().map(|run| run.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(run) = &mut known {
            run.ended = true;
        }
        match fs::remove_dir_all(self.folder(run)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unavailable("removed", &error)),
            _ => Ok(()),
        }
    }

    fn runs(&self) -> Result<Vec<RunKey>, FilesError> {
        let mut runs = Vec::new();
        for organisation in names(&self.root).map_err(|error| unavailable("listed", &error))? {
            let Ok(id) = organisation.parse() else { continue };
            let found = names(&self.root.join(&organisation)).map_err(|error| unavailable("listed", &error))?;
            let key = |run| RunKey { organisation: windflow_core::id::OrganisationId::clone(&id), run };
            runs.extend(found.iter().filter_map(|run| run.parse().ok()).map(key));
        }
        Ok(runs)
    }
}

/// Writes a file anew, with what it has up to `offset`. It takes the place of the old one in one step.
fn replace(folder: &Path, path: &FilePath, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let (at, unfinished) = (folder.join(name(path)), folder.join(UNFINISHED));
    let write = || {
        let mut file = open(OpenOptions::new().write(true).create(true).truncate(true), &unfinished)?;
        write_header(&mut file, path)?;
        if offset > 0 {
            let mut old = open(OpenOptions::new().read(true), &at)?;
            old.seek(SeekFrom::Start(HEADER))?;
            io::copy(&mut old.take(offset), &mut file)?;
        }
        file.write_all(bytes)?;
        fs::rename(&unfinished, &at)
    };
    write().inspect_err(|_| drop(fs::remove_file(&unfinished)))
}

/// Writes on at the end of a file.
fn go_on(folder: &Path, path: &FilePath, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(OpenOptions::new().write(true), &folder.join(name(path)))?;
    let end = HEADER + offset;
    // Whatever a process that was killed may have left behind it.
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(bytes).inspect_err(|_| drop(file.set_len(end)))
}

/// What lies in a folder of a run. What is no file of it goes: nobody else puts anything there.
fn look(folder: &Path) -> io::Result<Index> {
    let mut index = Index::default();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(index),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let called = entry.file_name();
        let found = match called.to_str().filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            Some(called) => read_header(&entry.path(), called)?,
            None => None,
        };
        match found {
            Some((path, length)) => index.set(path, length),
            None if entry.file_type()?.is_dir() => fs::remove_dir_all(entry.path())?,
            None => fs::remove_file(entry.path())?,
        }
    }
    Ok(index)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // A link would lead elsewhere.
    let is_folder = fs::symlink_metadata(folder)?.is_dir();
    if is_folder { Ok(()) } else { Err(io::Error::other("the folder of the run is none")) }
}

/// The folders in a folder, where there is one.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// Where folders cannot be opened as files, the system keeps them in order itself.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// How much room there is for whoever is not the administrator; nothing where that cannot be told.
fn free(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Says what is wrong without saying where: whoever reads it may be a guest.
fn unavailable(what: &str, error: &io::Error) -> FilesError {
    FilesError::Unavailable(format!("the files of the run cannot be {what}: {}", error.kind()))
}
