//! Stacks and deployments, as kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use windflow_core::run::Timestamp;

use crate::driver::{DriverError, Outcome, Verdict};
use crate::project::Project;

/// A stack: a Compose document with versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    #[serde(default)]
    pub description: String,
    /// Number of the latest version, from 1.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its latest version was.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
}

/// A version of a stack. Never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StackVersion {
    /// Number, from 1.
    pub version: u32,
    /// The very text.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// How a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Under way, or cut off: the same deployment goes on.
    Running,
    /// What was wanted runs.
    Deployed,
    /// It was as wanted before.
    Unchanged,
    /// It failed, and what ran before runs again.
    RolledBack,
    /// It failed.
    Failed,
    /// It was cut off, and another one came after it.
    Abandoned,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether what was wanted runs.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Deployed | Self::Unchanged)
    }
}

impl From<Verdict> for Status {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Deployed => Self::Deployed,
            Verdict::Unchanged => Self::Unchanged,
            Verdict::RolledBack => Self::RolledBack,
            Verdict::Failed => Self::Failed,
        }
    }
}

/// One application of a stack to a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id. Of two the later one is the greater.
    pub id: String,
    /// The stack.
    pub stack: String,
    /// Number of the stack's version, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The target's name.
    pub target: String,
    /// How it stands.
    pub status: Status,
    /// The deployment that was good before, to which a rollback goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The deployment that this one rolls back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,
    /// What it is made from, as a digest: two with the same are the same.
    pub digest: String,
    /// The [`Content`], encrypted: secrets are in it.
    pub sealed: String,
    /// Who asked for it.
    pub by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it could not begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<DriverError>,
}

/// What a deployment is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The stack with everything filled in.
    pub project: Project,
    /// The values of its variables.
    pub values: BTreeMap<String, String>,
}

/// What is on a target of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// The last deployment that was good.
    pub good: Option<String>,
    /// The deployment that is under way.
    pub under_way: Option<String>,
}
