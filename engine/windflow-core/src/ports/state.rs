//! What nodes keep between runs: values under keys, each workflow its own.

use super::store::BoxFuture;
use crate::id::OrganisationId;

pub use super::records::Expected;

/// Longest key, in bytes.
pub const MAX_STATE_KEY_BYTES: usize = 200;

/// Largest value, in bytes of JSON.
pub const MAX_STATE_VALUE_BYTES: usize = 256 << 10;

/// Whose state it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateScope {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The workflow's name.
    pub workflow: String,
}

/// A value that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// JSON text.
    pub value: Vec<u8>,
    /// Changes with every change of the value.
    pub version: u64,
}

/// A change of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Under which key.
    pub key: String,
    /// What it wants to find there.
    pub expected: Expected,
    /// JSON text; none takes the value away.
    pub value: Option<Vec<u8>>,
    /// Who changes it, the same when an attempt is made again: the same change is made once.
    pub by: String,
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Something else is there than was expected.
    #[error("the value has changed meanwhile; read it again and decide anew")]
    Conflict,
    /// A key or a value is beyond its bound.
    #[error("{0}")]
    Refused(String),
    /// The store cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps what nodes want to have in their next run.
pub trait StateStore: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StateError`].
    fn get(&self, scope: &StateScope, key: &str) -> Result<Option<StateEntry>, StateError>;

    /// Makes a change and returns once it is durable, with the value's new version; 0 where it was taken away.
    fn change(&self, scope: StateScope, change: StateChange) -> BoxFuture<'_, Result<u64, StateError>>;
}
