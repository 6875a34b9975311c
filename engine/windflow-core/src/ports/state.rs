//! What nodes keep between runs: values under keys, each workflow its own.

use super::store::BoxFuture;
use crate::id::OrganisationId;

pub use super::records::Expected;

/// Longest key, in bytes.
pub const MAX_STATE_KEY_BYTES: usize = 200;

/// Largest value, in bytes of JSON.
pub const MAX_STATE_VALUE_BYTES: usize = 256 << 10;

/// Most keys of a workflow.
pub const MAX_STATE_KEYS: u64 = 10_000;

/// What the values of a workflow may take in all.
pub const MAX_STATE_BYTES: u64 = 64 << 20;

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
    /// Which change it is, the same when an attempt is made again: it is made once.
    pub by: String,
}

/// Why nothing was read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Something else is there than was expected.
    #[error("the value has changed meanwhile; read it again and decide anew")]
    Conflict,
    /// The workflow does not grant it, or the manifest does not ask.
    #[error("{0}")]
    Denied(String),
    /// A key, a value or all of them are beyond their bound.
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

    /// Makes a change and returns once it is durable, with the value's new version; 0 where it was taken away. A change that
    /// was made already gives the version that it gave then.
    fn change(&self, scope: StateScope, change: StateChange) -> BoxFuture<'_, Result<u64, StateError>>;
}
