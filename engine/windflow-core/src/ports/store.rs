//! The journal and what is read from it.

use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, OrganisationId, RunId, RunKey, WorkflowName};
use crate::run::{EndStatus, Record, RunFailure, Sequence, Timestamp};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A point in the order of all appends of a journal. What is durable at a position includes every append before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

impl Position {
    /// Wherever the journal ends when it is asked for.
    pub const LATEST: Self = Self(u64::MAX);
}

/// What can go wrong, split by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended to the run. The caller has lost it and must stop.
    #[error("the journal of run {run} ends at {actual}, not at {expected}: it is being run elsewhere")]
    Conflict {
        /// The run.
        run: RunId,
        /// Where the caller thought its journal ends.
        expected: Sequence,
        /// Where it ends.
        actual: Sequence,
    },
    /// There is no such run, blob or record.
    #[error("{0} is not in the store")]
    NotFound(String),
    /// What was read is not what was written. The message says what and how to get out of it.
    #[error("the store is damaged: {0}")]
    Corrupted(String),
    /// A commit failed; the store takes no more until it is opened again.
    #[error("the store is read-only since a commit failed: {0}")]
    ReadOnly(String),
    /// It cannot be opened: locked, not writable, or written by a newer release. The message says which and what to do.
    #[error("{0}")]
    Unavailable(String),
    /// What was to be kept is larger than a store takes. Nothing was changed; the message says the limit.
    #[error("{0}")]
    TooLarge(String),
    /// The store cannot do this with what it holds, such as deleting a run that has not ended. Nothing was changed; the
    /// message says what would help.
    #[error("{0}")]
    Invalid(String),
}

/// The durable sequence of events of every run.
pub trait Journal: Send + Sync {
    /// Appends records after the `expected` last sequence of the run (0 begins it). Returns at once: what it returns the
    /// position of can be read, and will be written in this order, but is durable only once [`Journal::durable`] says so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the run's journal ends elsewhere; [`StoreError::Invalid`] where a journal would not
    /// begin with the start of the run; [`StoreError::TooLarge`] where a record, or all together, are more than a store
    /// takes; [`StoreError::ReadOnly`] after a failed commit. What is refused leaves no trace.
    fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError>;

    /// Waits until everything up to `position`, or all that was appended so far where it lies beyond, survives the loss of
    /// power. All who wait at the same time share one commit.
    /// Without anybody waiting, appends are written within a second.
    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The records of a run after a sequence, in order; at most `limit`. Includes what is not durable yet.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the run has none at all, [`StoreError::Corrupted`] where they cannot be read.
    fn read(&self, run: &RunKey, after: Sequence, limit: usize) -> Result<Vec<(Sequence, Record)>, StoreError>;
}

/// Content addressed by its digest: documents, large values.
///
/// Content lives as long as a journal of its organisation mentions its digest (as `sha256:…`, anywhere in a record), and
/// is gone with the last run that does. Who wants to mention it keeps it first, even where it was kept before: from then
/// until the append it cannot go away. Content that was kept and never mentioned goes when the store is opened again.
pub trait Blobs: Send + Sync {
    /// Keeps content. It is durable no later than any append that follows.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], or [`StoreError::ReadOnly`] after a failed commit.
    fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError>;

    /// The content, checked against its digest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Corrupted`] where it differs from its digest.
    fn blob(&self, organisation: &OrganisationId, digest: &Digest) -> Result<Vec<u8>, StoreError>;
}

/// What lists and searches read: a projection of the journal, updated in the same commit as the events.
pub trait ReadModel: Send + Sync {
    /// Runs that fit, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`].
    fn runs(&self, organisation: &OrganisationId, query: &RunQuery) -> Result<Page<RunSummary>, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupted`].
    fn run(&self, key: &RunKey) -> Result<RunSummary, StoreError>;

    /// Runs of every organisation that have begun and not ended, the oldest first: what a start has to recover.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`].
    fn unfinished(&self) -> Result<Vec<RunKey>, StoreError>;

    /// Names of the workflows that have runs, in alphabetical order.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`].
    fn workflows(&self, organisation: &OrganisationId) -> Result<Vec<WorkflowName>, StoreError>;
}

/// Forgetting runs. What decides which is [`prune`](crate::ports::retention::prune).
pub trait Retention: Send + Sync {
    /// Forgets a run that has ended: its journal, its line in every list, and the content that no other run mentions.
    /// Once this returns nobody finds it any more; the deletion is durable once [`Journal::durable`] says so, and until
    /// then a crash may bring back the run whole, never a part of it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Invalid`] where the run has not ended; [`StoreError::ReadOnly`] after a
    /// failed commit.
    fn delete(&self, run: &RunKey) -> Result<Position, StoreError>;
}

/// A store that is all of them.
pub trait Store: Journal + Blobs + ReadModel + Retention {}
impl<T: Journal + Blobs + ReadModel + Retention + ?Sized> Store for T {}

/// Which runs are wanted. Everything that is set must fit.
#[derive(Debug, Clone, Default)]
pub struct RunQuery {
    /// Of this workflow.
    pub workflow: Option<WorkflowName>,
    /// In this status.
    pub status: Option<RunStatus>,
    /// Started at or after.
    pub since: Option<Timestamp>,
    /// Started before.
    pub until: Option<Timestamp>,
    /// Continue after this run, as the last page's `next` said.
    pub after: Option<RunId>,
    /// How many at most.
    pub limit: usize,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins, where there is one.
    pub next: Option<RunId>,
}

/// How a run stands, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It has begun and not ended. Whether some process is at work on it is not the store's to know.
    Running,
    /// It was asked to stop and has not ended.
    Cancelling,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It was stopped.
    Cancelled,
}

impl RunStatus {
    /// Whether nothing can happen to the run any more.
    #[must_use]
    pub fn is_ended(self) -> bool {
        match self {
            Self::Running | Self::Cancelling => false,
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
        }
    }
}

impl From<EndStatus> for RunStatus {
    fn from(status: EndStatus) -> Self {
        match status {
            EndStatus::Succeeded => Self::Succeeded,
            EndStatus::Failed => Self::Failed,
            EndStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// One line of a list of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Which run.
    pub run: RunId,
    /// Of which workflow.
    pub workflow: WorkflowName,
    /// Of which version of it.
    pub document: Digest,
    /// How it stands.
    pub status: RunStatus,
    /// Who or what started it.
    pub started_by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RunFailure>,
    /// The last sequence of its journal.
    pub sequence: Sequence,
}
