//! Files of the run: a scratch folder that its nodes share, empty at its beginning and gone when it ends. The manifest has to
//! say `files = true`; a node type that uses it is not pure.
//!
//! A file is named by its path in there, as `reports/may.csv`. There are no folders beside those in paths. A run has at most
//! 5,000 files and 64 MiB in them. Natively files live as long as the thread.

#[cfg(not(target_arch = "wasm32"))]
use crate::testing::files as host;
use crate::{NodeError, Retry};

/// Most bytes that the host moves at once.
const MOST: usize = 8 << 20;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such file.
    NotFound,
    /// The workflow does not grant it.
    Denied(String),
    /// A path is none, or a file or all of them are beyond their bound.
    Refused(String),
    /// The disk cannot be read or written; later it may.
    Unavailable(String),
}

/// At most `length` bytes of a file from `offset` on; fewer where it ends. At most 8 MiB at once.
///
/// # Errors
///
/// [`Error`].
pub fn read_at(path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    host::read(path, offset, length)
}

/// A whole file.
///
/// # Errors
///
/// [`Error`]; [`Error::Refused`] where it is longer than `most` bytes.
pub fn read(path: &str, most: usize) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    loop {
        // One byte more than may be tells what is too long.
        let length = (most - content.len()).saturating_add(1).min(MOST);
        let piece = host::read(path, content.len() as u64, u32::try_from(length).unwrap_or(u32::MAX))?;
        let is_end = piece.len() < length;
        content.extend_from_slice(&piece);
        if content.len() > most {
            return Err(Error::Refused(format!("{path} is longer than the {most} bytes that are read of it")));
        }
        if is_end {
            return Ok(content);
        }
    }
}

/// Replaces all that a file has from `offset` on, which lies at its end at most. At most 8 MiB at once.
///
/// # Errors
///
/// [`Error`]; the file is as it was.
pub fn write_at(path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
    host::write(path, offset, bytes)
}

/// Writes a file, whatever was there before.
///
/// # Errors
///
/// [`Error`]; where it is longer than 8 MiB, a part of it may be there.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), Error> {
    let (first, rest) = bytes.split_at(bytes.len().min(MOST));
    host::write(path, 0, first)?;
    let mut offset = first.len() as u64;
    for piece in rest.chunks(MOST) {
        host::write(path, offset, piece)?;
        offset += piece.len() as u64;
    }
    Ok(())
}

/// The file of a path, or all files below a folder, by their paths; all files where it is empty.
///
/// # Errors
///
/// [`Error`].
pub fn list(below: &str) -> Result<Vec<File>, Error> {
    host::list(below)
}

/// Takes away what [`list`] gives; tells how many files that were.
///
/// # Errors
///
/// [`Error`].
pub fn remove(below: &str) -> Result<u32, Error> {
    host::remove(below)
}

impl From<Error> for NodeError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new("file_not_found", "the run has no such file"),
            Error::Denied(why) => Self::new("denied", why),
            Error::Refused(why) => Self::new("file_refused", why),
            Error::Unavailable(why) => Self::new("files_unavailable", why).with_retry(Retry::MayHelp),
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod host {
    use super::{Error, File};
    use crate::bindings::windflow::node::files::{self as guest, FilesError};

    pub(super) fn read(path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        guest::read(path, offset, length).map_err(error)
    }

    pub(super) fn write(path: &str, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        guest::write(path, offset, bytes).map_err(error)
    }

    pub(super) fn list(below: &str) -> Result<Vec<File>, Error> {
        let listed = guest::list(below).map_err(error)?;
        Ok(listed.into_iter().map(|file| File { path: file.path, bytes: file.bytes }).collect())
    }

    pub(super) fn remove(below: &str) -> Result<u32, Error> {
        guest::remove(below).map_err(error)
    }

    fn error(error: FilesError) -> Error {
        match error {
            FilesError::NotFound => Error::NotFound,
            FilesError::Denied(why) => Error::Denied(why),
            FilesError::Refused(why) => Error::Refused(why),
            FilesError::Unavailable(why) => Error::Unavailable(why),
        }
    }
}
