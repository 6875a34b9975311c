//! Why a node failed.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// Why a node failed. It is also what later nodes see at the node's `error` port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeError {
    /// Stable and short, for conditions and tests: lower case with underscores.
    pub code: Cow<'static, str>,
    /// For people: what is wrong, where, and how to mend it. Never contains secrets.
    pub message: String,
    /// Whether trying again can help.
    pub retry: Retry,
    /// JSON text with more about it for later nodes.
    pub details: Option<Vec<u8>>,
}

/// Whether trying again can help. The workflow's `retry:` decides whether it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retry {
    /// The same attempt would fail again.
    #[default]
    Never,
    /// A later attempt may succeed.
    MayHelp,
    /// As `MayHelp`, but not before so many milliseconds from now.
    After(u64),
}

impl NodeError {
    /// A failure that trying again does not mend.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retry: Retry::Never, details: None }
    }

    /// Says whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds more about it for later nodes. What cannot be written as JSON is left out.
    #[must_use]
    pub fn with_details<T: Serialize + ?Sized>(mut self, details: &T) -> Self {
        self.details = serde_json::to_vec(details).ok();
        self
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NodeError {}

/// What the host says went wrong.
#[cfg(target_arch = "wasm32")]
pub(crate) fn from_host(error: crate::bindings::windflow::node::types::NodeError) -> NodeError {
    use crate::bindings::RetryHint;
    let retry = match error.retry {
        RetryHint::Never => Retry::Never,
        RetryHint::MayHelp => Retry::MayHelp,
        RetryHint::After(milliseconds) => Retry::After(milliseconds),
    };
    NodeError { code: error.code.into(), message: error.message, retry, details: error.details }
}
