//! Making files survive the loss of power.
//!
//! sled's own flush starts the writing and waits for it, but on Linux by `sync_file_range`, which neither empties the
//! drive's cache nor writes the file's length. So the database file is synced here. Pages above 128 KiB lie in files of
//! their own, which sled does not sync at all; each of them is synced once, and the folder with it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What makes a file durable. The real one syncs it; tests count, or fail.
pub trait Disk: Send + Sync {
    /// Returns once the content of the file survives the loss of power.
    ///
    /// # Errors
    /// When it may not. Nobody can know then what was kept.
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()>;
}

/// The disk as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync_data(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_data()
    }
}

/// The files of an open database.
#[derive(Debug)]
pub(super) struct Files {
    database: File,
    database_path: PathBuf,
    large_pages: PathBuf,
    synced: BTreeSet<OsString>,
}

impl Files {
    /// Opens them and syncs what opening the database made.
    pub(super) fn open(sled: &Path, disk: &dyn Disk) -> io::Result<Self> {
        let database_path = sled.join("db");
        let database = OpenOptions::new().read(true).write(true).open(&database_path)?;
        let large_pages = sled.join("blobs");
        let mut files = Self { database, database_path, large_pages, synced: BTreeSet::new() };
        for entry in fs::read_dir(sled)? {
            let path = entry?.path();
            if path.is_file() {
                disk.sync_data(&File::open(&path)?, &path)?;
            }
        }
        for folder in
            [Some(files.large_pages.as_path()), Some(sled), sled.parent(), sled.parent().and_then(Path::parent)]
                .into_iter()
                .flatten()
        {
            sync_folder(folder, disk)?;
        }
        files.sync(disk)?;
        Ok(files)
    }

    /// Syncs all that sled has flushed.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> io::Result<()> {
        // The pages first: the database file refers to them.
        self.sync_large_pages(disk)?;
        disk.sync_data(&self.database, &self.database_path)
    }

    fn sync_large_pages(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let mut present = BTreeSet::new();
        let mut fresh = false;
        for entry in fs::read_dir(&self.large_pages)? {
            let entry = entry?;
            let name = entry.file_name();
            if !self.synced.contains(&name) {
                let path = entry.path();
                match File::open(&path) {
                    Ok(file) => disk.sync_data(&file, &path)?,
                    // sled removes a page's file once nothing refers to it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
                fresh = true;
            }
            present.insert(name);
        }
        self.synced = present;
        if fresh { sync_folder(&self.large_pages, disk) } else { Ok(()) }
    }
}

/// How much room the files of a database take.
pub(super) fn bytes_in(sled: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for folder in [sled, &sled.join("blobs")] {
        for entry in fs::read_dir(folder)? {
            match entry?.metadata() {
                Ok(found) if found.is_file() => bytes += found.len(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(bytes)
}

/// Syncs the entries of a folder. Where folders cannot be opened as files, the system keeps them in order itself.
pub(super) fn sync_folder(folder: &Path, disk: &dyn Disk) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { disk.sync_data(&File::open(folder)?, folder) } else { Ok(()) }
}
