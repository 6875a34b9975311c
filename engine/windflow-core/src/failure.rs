//! Why a node, or a whole run, failed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// What kind of thing went wrong. It decides who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The node itself said so, with a code of its own.
    Node,
    /// An expression could not be evaluated.
    Expression,
    /// The evaluated configuration does not fit the node type's schema.
    InvalidConfig,
    /// It tried something that was not granted.
    Denied,
    /// It took longer than its `timeout:`, or than the host allows.
    Timeout,
    /// It wanted more memory than the host allows.
    OutOfMemory,
    /// It went beyond another limit: log, output, stack, host calls.
    LimitExceeded,
    /// The component stopped abnormally: a panic, an unreachable instruction, a division by zero.
    Trap,
    /// What it emitted is no JSON, or went out of a port that it has not.
    InvalidOutput,
    /// It ended because the run is being cancelled.
    Cancelled,
    /// The engine stopped during the attempt, and `on_unknown: fail` forbids trying again.
    OutcomeUnknown,
    /// The component is missing, differs from the one that the run pinned, or cannot be loaded.
    Unavailable,
}

impl FailureKind {
    /// The code of failures of this kind that have none of their own.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Node => "node_failed",
            Self::Expression => "expression",
            Self::InvalidConfig => "invalid_config",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::OutOfMemory => "out_of_memory",
            Self::LimitExceeded => "limit_exceeded",
            Self::Trap => "trap",
            Self::InvalidOutput => "invalid_output",
            Self::Cancelled => "cancelled",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryHint {
    /// It would fail again.
    #[default]
    Never,
    /// It may succeed.
    MayHelp,
    /// It may succeed, but not before so many milliseconds.
    After(u64),
}

impl RetryHint {
    /// The shortest wait that the hint asks for.
    #[must_use]
    pub fn at_least(self) -> Duration {
        match self {
            Self::Never | Self::MayHelp => Duration::ZERO,
            Self::After(milliseconds) => Duration::from_millis(milliseconds),
        }
    }
}

/// A failure as it is recorded, shown, and emitted from the `error` port. It never contains secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// Stable, for conditions and tests; a plugin's own, or the kind's.
    pub code: String,
    /// For people: what is wrong and how to mend it.
    pub message: String,
    /// Whether trying again can help.
    #[serde(default)]
    pub retry: RetryHint,
    /// More about it, for later nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Json>,
}

impl Failure {
    /// A failure with the kind's own code. Whether a retry can help follows from the kind: it can where the cause may have
    /// passed, such as a timeout; it cannot where the same would happen again.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            FailureKind::Timeout | FailureKind::Trap | FailureKind::OutOfMemory => RetryHint::MayHelp,
            _ => RetryHint::Never,
        };
        Self { kind, code: kind.code().to_owned(), message: message.into(), retry, details: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}
