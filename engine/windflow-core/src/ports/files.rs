//! Files of a run: a scratch folder that its nodes share, and that goes with it.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::id::RunKey;

/// Longest path, in bytes.
pub const MAX_FILE_PATH_BYTES: usize = 200;

/// Most names in a path, folders and the file together.
pub const MAX_FILE_DEPTH: usize = 16;

/// Most bytes that are read or written by one call.
pub const MAX_FILE_CALL_BYTES: usize = 8 << 20;

/// Most files of a run.
pub const MAX_FILES: usize = 5_000;

/// What the files of a run may take in all, in bytes.
pub const MAX_FILES_BYTES: u64 = 64 << 20;

/// The path of a file or a folder below the folder of a run, as `reports/may.csv`. It is a name that the run gives, and never
/// a path of the machine: every file system can hold it, and none of them is asked what it means.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(Arc<str>);

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no path of a file of the run: {rule}")]
pub struct InvalidFilePath {
    text: String,
    rule: &'static str,
}

impl FilePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders that it lies in, from the outermost.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// Whether it is that file, or lies below that folder.
    #[must_use]
    pub fn is_below(&self, folder: &Self) -> bool {
        self.0.strip_prefix(&*folder.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for FilePath {
    type Err = InvalidFilePath;

    fn from_str(text: &str) -> Result<Self, InvalidFilePath> {
        match broken_rule(text) {
            None => Ok(Self(text.into())),
            Some(rule) => Err(InvalidFilePath { text: text.chars().take(80).collect(), rule }),
        }
    }
}

/// Names that mean something else than themselves on one system or another are names of nothing here.
fn broken_rule(text: &str) -> Option<&'static str> {
    let forbidden = |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.trim() == name;
    if text.len() > MAX_FILE_PATH_BYTES {
        Some("it may be 200 bytes long at most")
    } else if text.starts_with('/') || text.ends_with('/') {
        Some("it begins and ends with a name, as in reports/may.csv")
    } else if !text.split('/').all(is_name) {
        Some("each of its parts is a name, and neither empty, nor `.` or `..`, nor begins or ends with a blank")
    } else if text.contains(forbidden) {
        Some(r#"it may not hold \ : * ? " < > | or control characters"#)
    } else if text.split('/').count() > MAX_FILE_DEPTH {
        Some("it may have 16 parts at most")
    } else {
        None
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for FilePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is.
    pub path: FilePath,
    /// How long it is.
    pub bytes: u64,
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The workflow does not grant it, or the manifest does not ask.
    #[error("{0}")]
    Denied(String),
    /// A path, a file or all of them are beyond their bound.
    #[error("{0}")]
    Refused(String),
    /// The disk cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps the files of runs. Its methods may wait for the disk. What is changed counts for everybody at once; the bounds hold for
/// all nodes of a run together.
pub trait FileStore: Send + Sync {
    /// At most `length` bytes of a file from `offset` on; fewer where it ends.
    ///
    /// # Errors
    /// [`FilesError`].
    fn read(&self, run: &RunKey, path: &FilePath, offset: u64, length: u32) -> Result<Vec<u8>, FilesError>;

    /// Replaces all that a file has from `offset` on, which lies at its end at most; 0 makes the file. The same write made
    /// again changes nothing. One that fails leaves the file as it was.
    ///
    /// # Errors
    /// [`FilesError`].
    fn write(&self, run: &RunKey, path: &FilePath, offset: u64, bytes: &[u8]) -> Result<(), FilesError>;

    /// The file of that path, or all files below that folder; all of the run where none is named. By their paths.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`].
    fn list(&self, run: &RunKey, below: Option<&FilePath>) -> Result<Vec<FileEntry>, FilesError>;

    /// Takes away what [`FileStore::list`] would list, and tells how many files that were.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`]; some of them may be gone.
    fn remove(&self, run: &RunKey, below: Option<&FilePath>) -> Result<u32, FilesError>;

    /// Returns once everything that was written survives the loss of power.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`] where it may not.
    fn settle(&self, run: &RunKey) -> Result<(), FilesError>;

    /// The run has ended: all of its files go.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`]; what is left is told by [`FileStore::runs`].
    fn forget(&self, run: &RunKey) -> Result<(), FilesError>;

    /// The runs that have files.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`].
    fn runs(&self) -> Result<Vec<RunKey>, FilesError>;
}

/// A folder of a run, for whoever is to read it: nothing else of the run's files is within reach.
#[derive(Clone)]
pub struct RunFolder {
    files: Arc<dyn FileStore>,
    run: RunKey,
    folder: FilePath,
}

impl RunFolder {
    /// The folder of this name.
    #[must_use]
    pub fn new(files: Arc<dyn FileStore>, run: RunKey, folder: FilePath) -> Self {
        Self { files, run, folder }
    }

    /// Where it is among the files of the run.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.folder
    }

    /// The files below it, by their paths from it on, and how long they are. None where there is no such folder, or where a file
    /// has its name.
    ///
    /// # Errors
    /// [`FilesError::Unavailable`].
    pub fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        let below = |entry: FileEntry| {
            let path = entry.path.as_str().strip_prefix(self.folder.as_str())?.strip_prefix('/')?;
            Some((path.to_owned(), entry.bytes))
        };
        Ok(self.files.list(&self.run, Some(&self.folder))?.into_iter().filter_map(below).collect())
    }

    /// At most `length` bytes of one of them from `offset` on; fewer where it ends.
    ///
    /// # Errors
    /// [`FilesError`].
    pub fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FilesError> {
        let path = format!("{}/{path}", self.folder);
        let path = path.parse().map_err(|error: InvalidFilePath| FilesError::Refused(error.to_string()))?;
        self.files.read(&self.run, &path, offset, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_below_a_folder_and_nothing_else() {
        let deep = vec!["a"; MAX_FILE_DEPTH].join("/");
        let long = "x".repeat(MAX_FILE_PATH_BYTES);
        for good in ["a", "a/b.txt", ".gitignore", "...", "a b/Über (2) [id].tsx", "a@1+b,c=d~", "-rf", &deep, &long] {
            assert_eq!(good.parse::<FilePath>().map(|path| path.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a/.",
            "a\\b",
            "C:",
            "a\0b",
            "a\nb",
            " a",
            "a ",
            "a/ /b",
            "a*",
            "a?",
            "\u{7f}",
            &format!("{deep}/a"),
            &format!("{long}x"),
        ] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn folders_hold_what_lies_below_them() {
        let path = |text: &str| text.parse::<FilePath>().unwrap();
        assert_eq!(path("a/b/c").folders().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path("a").folders().count(), 0);
        for (file, folder, is) in [("a/b", "a", true), ("a", "a", true), ("ab", "a", false), ("a", "a/b", false)] {
            assert_eq!(path(file).is_below(&path(folder)), is, "{file} {folder}");
        }
    }
}
