//! What the server keeps beside runs: workflows, people, keys, what triggers remember.
//!
//! Values under keys, each key within an organisation. Every value has a version, and whoever changes a value says which one
//! it has seen, so that two who change the same thing at the same time never overwrite each other unknowingly.

use super::store::{BoxFuture, Position, StoreError};
use crate::id::OrganisationId;

/// Longest key, in bytes.
pub const MAX_RECORD_KEY_BYTES: usize = 512;

/// Largest value.
pub const MAX_RECORD_VALUE_BYTES: usize = 2 << 20;

/// Most records of one page. Who asks for more gets this many, and where to go on.
pub const MAX_RECORD_PAGE: usize = 1000;

/// Most changes of one batch.
pub const MAX_RECORD_CHANGES: usize = 64;

/// What a value's version is. Each change of any value has a higher one than the change before, also across deletions and
/// restarts: a version that was seen once never means another value.
pub type RecordVersion = u64;

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Under which key it lies.
    pub key: String,
    /// What it has to be at for a change that expects what was read.
    pub version: RecordVersion,
    /// The value.
    pub value: Vec<u8>,
}

/// What a change wants to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever there is, or nothing.
    Any,
    /// Nothing.
    Absent,
    /// The value of this version.
    Version(RecordVersion),
}

/// A change of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Under which key: 1 to [`MAX_RECORD_KEY_BYTES`] bytes, none of them zero.
    pub key: String,
    /// What it wants to find there.
    pub expected: Expected,
    /// The new value; none takes away what is there.
    pub value: Option<Vec<u8>>,
}

impl Change {
    /// A new value.
    pub fn put(
        organisation: &OrganisationId,
        key: impl Into<String>,
        expected: Expected,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        Self { organisation: organisation.clone(), key: key.into(), expected, value: Some(value.into()) }
    }

    /// No value any more.
    pub fn delete(organisation: &OrganisationId, key: impl Into<String>, expected: Expected) -> Self {
        Self { organisation: organisation.clone(), key: key.into(), expected, value: None }
    }
}

/// A part of what begins with a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// By key, ascending.
    pub items: Vec<Stored>,
    /// The key after which the next page begins, where there is one.
    pub next: Option<String>,
}

/// Where a batch stands once it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// What to wait for with [`Records::durable`] before anybody is told.
    pub position: Position,
    /// The version of the last value of the batch; earlier ones of the same batch have lower ones.
    pub version: RecordVersion,
}

/// Why a batch was not taken; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// Something else is there than was expected. Read it again and decide anew.
    #[error("{key:?} has changed meanwhile")]
    Conflict {
        /// Where.
        key: String,
        /// What is there now, if anything.
        actual: Option<RecordVersion>,
    },
    /// A key, a value or the batch is beyond its bound.
    #[error("{0}")]
    Refused(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Values under keys of organisations.
pub trait Records: Send + Sync {
    /// The value of a key, what is not durable yet included.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`].
    fn get(&self, organisation: &OrganisationId, key: &str) -> Result<Option<Stored>, StoreError>;

    /// Values whose keys begin with a prefix, by key, after a key where one is given; what is not durable yet included.
    /// At most `limit`, [`MAX_RECORD_PAGE`], and some megabytes, whichever is least, but always one where there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`].
    fn scan(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, StoreError>;

    /// Makes all changes or none, where each finds what it expects. They can be read at once and are durable together, but
    /// only once [`Records::durable`] says so. A key may occur in a batch once.
    ///
    /// # Errors
    /// [`RecordsError`]; then nothing has changed.
    fn batch(&self, changes: Vec<Change>) -> Result<Changed, RecordsError>;

    /// Waits until everything up to `position` survives the loss of power. Positions are those of the journal.
    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>>;

    /// One new value.
    ///
    /// # Errors
    /// As [`Records::batch`].
    fn put(
        &self,
        organisation: &OrganisationId,
        key: &str,
        expected: Expected,
        value: Vec<u8>,
    ) -> Result<Changed, RecordsError> {
        self.batch(vec![Change::put(organisation, key, expected, value)])
    }

    /// One value less.
    ///
    /// # Errors
    /// As [`Records::batch`].
    fn delete(&self, organisation: &OrganisationId, key: &str, expected: Expected) -> Result<Changed, RecordsError> {
        self.batch(vec![Change::delete(organisation, key, expected)])
    }
}

/// Whether a batch is within all bounds. For adapters.
///
/// # Errors
/// [`RecordsError::Refused`].
pub fn check_changes(changes: &[Change]) -> Result<(), RecordsError> {
    let refuse = |why: String| Err(RecordsError::Refused(why));
    if changes.is_empty() || changes.len() > MAX_RECORD_CHANGES {
        return refuse(format!("a batch has 1 to {MAX_RECORD_CHANGES} changes, not {}", changes.len()));
    }
    for (at, change) in changes.iter().enumerate() {
        let key = &change.key;
        if key.is_empty() || key.len() > MAX_RECORD_KEY_BYTES || key.contains('\0') {
            return refuse(format!("a key has 1 to {MAX_RECORD_KEY_BYTES} bytes and no zero among them"));
        }
        if change.value.as_ref().is_some_and(|value| value.len() > MAX_RECORD_VALUE_BYTES) {
            return refuse(format!("a value has {MAX_RECORD_VALUE_BYTES} bytes at most"));
        }
        if changes[..at].iter().any(|other| other.key == *key && other.organisation == change.organisation) {
            return refuse(format!("{key:?} is changed twice in one batch"));
        }
    }
    Ok(())
}

/// Whether a change finds what it expects. For adapters.
///
/// # Errors
/// [`RecordsError::Conflict`].
pub fn check_expected(change: &Change, actual: Option<RecordVersion>) -> Result<(), RecordsError> {
    let fits = match change.expected {
        Expected::Any => true,
        Expected::Absent => actual.is_none(),
        Expected::Version(version) => actual == Some(version),
    };
    if fits { Ok(()) } else { Err(RecordsError::Conflict { key: change.key.clone(), actual }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, bytes: usize) -> Change {
        Change::put(&OrganisationId::local(), key, Expected::Any, vec![0; bytes])
    }

    #[test]
    fn batches_are_bounded() {
        assert_eq!(check_changes(&[put("a", 0), put("b", MAX_RECORD_VALUE_BYTES)]), Ok(()));
        let long = "k".repeat(MAX_RECORD_KEY_BYTES + 1);
        for bad in [
            vec![],
            vec![put("", 1)],
            vec![put(&long, 1)],
            vec![put("a\0b", 1)],
            vec![put("a", MAX_RECORD_VALUE_BYTES + 1)],
            vec![put("a", 1), put("a", 1)],
            vec![put("a", 1); MAX_RECORD_CHANGES + 1],
        ] {
            assert!(matches!(check_changes(&bad), Err(RecordsError::Refused(_))), "{bad:?}");
        }
        let other = Change { organisation: "other".parse().unwrap(), ..put("a", 1) };
        assert_eq!(check_changes(&[put("a", 1), other]), Ok(()), "the same key of two organisations is two keys");
    }

    #[test]
    fn expectations_are_met_or_not() {
        let check = |expected, actual| check_expected(&Change { expected, ..put("a", 1) }, actual).is_ok();
        assert!(check(Expected::Any, None) && check(Expected::Any, Some(7)));
        assert!(check(Expected::Absent, None) && !check(Expected::Absent, Some(7)));
        assert!(check(Expected::Version(7), Some(7)));
        assert!(!check(Expected::Version(7), Some(8)) && !check(Expected::Version(7), None));
    }
}
