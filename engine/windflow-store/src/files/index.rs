//! Which files a run has, and whether it may have one more.

use std::collections::BTreeMap;

use windflow_core::ports::files::{FileEntry, FilePath, FilesError, MAX_FILES, MAX_FILES_BYTES};

/// The files of a run by their paths, with their lengths.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: BTreeMap<FilePath, u64>,
    bytes: u64,
}

impl Index {
    /// How long a file is.
    pub(super) fn length(&self, path: &FilePath) -> Option<u64> {
        self.files.get(path).copied()
    }

    /// How long the file will be when this many bytes are written from `offset` on.
    pub(super) fn admit(&self, path: &FilePath, offset: u64, bytes: usize) -> Result<u64, FilesError> {
        let before = self.length(path);
        if offset > 0 {
            let ends = before.ok_or(FilesError::NotFound)?;
            if offset > ends {
                let why = format!("{path} is {ends} bytes long: nothing can be written from {offset} on");
                return Err(FilesError::Refused(why));
            }
        }
        if let Some(file) = path.folders().find(|folder| self.files.contains_key(*folder)) {
            return Err(FilesError::Refused(format!("{file} is a file, so that there can be no {path}")));
        }
        if before.is_none() && self.below(path).next().is_some() {
            return Err(FilesError::Refused(format!("{path} is a folder")));
        }
        if before.is_none() && self.files.len() >= MAX_FILES {
            return Err(FilesError::Refused(format!("a run has at most {MAX_FILES} files; remove some")));
        }
        let after = offset.saturating_add(bytes as u64);
        if self.bytes - before.unwrap_or(0) + after > MAX_FILES_BYTES {
            let most = MAX_FILES_BYTES >> 20;
            return Err(FilesError::Refused(format!("the files of a run have at most {most} MiB; remove some")));
        }
        Ok(after)
    }

    pub(super) fn set(&mut self, path: FilePath, length: u64) {
        self.bytes += length;
        self.bytes -= self.files.insert(path, length).unwrap_or(0);
    }

    pub(super) fn take(&mut self, path: &FilePath) {
        self.bytes -= self.files.remove(path).unwrap_or(0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file of that path, or all below that folder; all where none is named.
    pub(super) fn list(&self, below: Option<&FilePath>) -> Vec<FileEntry> {
        let entry = |(path, bytes): (&FilePath, &u64)| FileEntry { path: path.clone(), bytes: *bytes };
        match below {
            None => self.files.iter().map(entry).collect(),
            Some(path) => self.files.get_key_value(path).into_iter().chain(self.below(path)).map(entry).collect(),
        }
    }

    /// All below a folder.
    fn below(&self, folder: &FilePath) -> impl Iterator<Item = (&FilePath, &u64)> {
        let begins = format!("{folder}/");
        let from = self.files.range::<str, _>((std::ops::Bound::Included(begins.as_str()), std::ops::Bound::Unbounded));
        from.take_while(move |(path, _)| path.as_str().starts_with(&begins))
    }
}
