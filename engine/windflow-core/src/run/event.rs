//! The durable facts of a run. Their names and fields are kept for ever: what an old release wrote must replay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::question::Question;
use crate::capability::Grants;
use crate::failure::Failure;
use crate::id::{Digest, NodeId, NodeTypeRef, PortName, RunId, RunKey, WorkflowName};
use crate::json::Json;
use crate::ports::host::LogLevel;
use crate::trace::{TraceContext, TraceParent, TraceState};

/// Milliseconds since 1970, UTC. The core gets them; it never asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// Place of an event in its run's journal, from 1. 0 is before the first.
pub type Sequence = u64;

/// The version that new records carry. Higher ones are refused, lower ones are read. 2 brought items, waits, compensation
/// and the time of runs; 3 keeps large values elsewhere.
pub const RECORD_VERSION: u32 = 3;

/// One event as the journal keeps it, encoded as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_VERSION`] when it was written.
    pub v: u32,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// A record of this release.
    #[must_use]
    pub fn new(at: Timestamp, event: Event) -> Self {
        Self { v: RECORD_VERSION, at, event }
    }
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run exists. From: nothing. To: running. Refused by every run that has begun.
    RunStarted(Box<RunStarted>),

    /// The node runs for each of these. From: ready, `if:` being true. To: iterating; succeeded where the list is empty.
    ItemsListed {
        /// The node.
        node: NodeId,
        /// The list.
        items: Json,
    },

    /// An attempt of a node with capabilities begins; durable before the attempt does anything. From: ready, or waiting for
    /// a retry, with that number. To: running. Nodes that are pure journal only how their attempt ended.
    AttemptStarted {
        /// The node.
        node: NodeId,
        /// The item, from 0, where the node runs for each of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<u32>,
        /// From 1.
        attempt: u32,
        /// Sent with every effect; the same for all attempts of the node run.
        key: String,
        /// What the attempt waits for, where its node type is one of the engine's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait: Option<Wait>,
    },

    /// The node succeeded. From: running; ready or waiting for a retry where the node is pure. To: succeeded.
    AttemptSucceeded {
        /// The node.
        node: NodeId,
        /// The item, from 0, where the node runs for each of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<u32>,
        /// From 1.
        attempt: u32,
        /// The port that it emitted on.
        port: PortName,
        /// What it emitted.
        output: Json,
        /// How long the attempt took, in microseconds.
        took_us: u64,
        /// What it said meanwhile.
        #[serde(default, skip_serializing_if = "KeptLog::is_empty")]
        log: KeptLog,
    },

    /// An attempt failed, or could not even be prepared. From: running, ready, or waiting for a retry. To: waiting for a
    /// retry where `retry_at` says so, else failed.
    AttemptFailed {
        /// The node.
        node: NodeId,
        /// The item, from 0, where the node runs for each of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<u32>,
        /// From 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next attempt may begin, its jitter included. None: the node failed for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
        /// How long the attempt took, in microseconds.
        took_us: u64,
        /// What it said meanwhile.
        #[serde(default, skip_serializing_if = "KeptLog::is_empty")]
        log: KeptLog,
    },

    /// The node will not run. From: ready to be skipped, or ready. To: skipped. Its edges are dead.
    NodeSkipped {
        /// The node.
        node: NodeId,
        /// Why.
        reason: SkipReason,
    },

    /// The node takes over what it emitted in the run that this one repeats. From: ready. To: succeeded.
    NodeReused {
        /// The node.
        node: NodeId,
    },

    /// Somebody asked to stop the run. From: running. To: cancelling. No new attempt starts. A run that is cancelling
    /// already, or has ended, refuses it.
    CancelRequested {
        /// Who or what asked.
        by: String,
    },

    /// The time that the workflow gives its runs is over. From: running. To: failing; what is in flight is told to end.
    RunTimedOut {
        /// How long the run was given, in milliseconds.
        limit_ms: u64,
    },

    /// An attempt was told to end and did. From: running, in a run that is cancelling or failing. To: cancelled.
    AttemptCancelled {
        /// The node.
        node: NodeId,
        /// The item, from 0, where the node runs for each of several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<u32>,
        /// From 1.
        attempt: u32,
    },

    /// The run is over. From: running, failing or cancelling, with nothing left to do. Ended runs refuse every event.
    RunFinished {
        /// How.
        status: EndStatus,
        /// The outputs, where it succeeded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outputs: Option<Json>,
        /// The failure that ended it, where it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<RunFailure>,
        /// The nodes whose `compensate:` failed: what they did is still there, and somebody has to look.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uncompensated: Vec<NodeId>,
    },
}

/// What an attempt said: its last lines, as many as are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLog {
    /// The lines, the oldest first.
    pub lines: Vec<LogLine>,
    /// How many came before them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

impl KeptLog {
    /// Whether it said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.left_out == 0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// The line.
    pub message: String,
}

/// What an attempt of an engine-native node waits for. It outlives the process: whoever takes the run up waits on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// An instant.
    Until {
        /// It.
        at: Timestamp,
    },
    /// Somebody's answer.
    Answer(Question),
    /// The end of another run, which the attempt has started.
    Child {
        /// It. Its id follows from this run, the node, the item and the attempt, so that it is started once.
        run: RunId,
    },
}

/// All that a run was started with. It pins everything that decides what the run does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Name of the workflow.
    pub workflow: WorkflowName,
    /// Digest of the document; its text is a blob of the store.
    pub document: Digest,
    /// The inputs, defaults filled in.
    pub inputs: Json,
    /// The component that stands behind each node type.
    pub components: BTreeMap<NodeTypeRef, Digest>,
    /// What the run grants, expressions evaluated.
    pub grants: Grants,
    /// Who or what started it: `cli`, a trigger, a user.
    pub started_by: String,
    /// What the operator granted beyond the workflow's permissions.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub allowed: Grants,
    /// The workflows that its nodes run, by what the document calls them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, PinnedChild>,
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentRun>,
    /// The run that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RunId>,
    /// What it takes over from that run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reused: BTreeMap<NodeId, Emitted>,
    /// Where systems report back, where it has nodes that wait for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Callbacks>,
    /// The work of another program, or of another run, that it is part of, where that was told and traces are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
    /// What is handed on beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_state: Option<TraceState>,
}

impl RunStarted {
    /// The work of another program, or of another run, that it is part of.
    #[must_use]
    pub fn trace_context(&self) -> Option<TraceContext> {
        Some(TraceContext { parent: self.trace?, state: self.trace_state.clone() })
    }
}

/// Where systems report back to the `callback` nodes of a run. It is decided when the run begins, so that a node can hand an
/// address on before the one that waits there has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callbacks {
    /// The address of the server; empty where nobody said it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What the tokens follow from. Whoever knows it may answer.
    pub secret: String,
}

impl Callbacks {
    /// What a question of a node is answered with.
    #[must_use]
    pub fn token(&self, node: &NodeId, item: Option<u32>) -> String {
        use std::fmt::Write as _;
        let digest = Digest::of(format!("callback/{}/{node}/{item:?}", self.secret).as_bytes());
        digest.0[..16].iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The address of a node; a path where the server does not know its own.
    #[must_use]
    pub fn address(&self, run: &RunKey, node: &NodeId) -> String {
        let token = self.token(node, None);
        format!("{}/callbacks/{}/{}/{node}/{token}", self.at, run.organisation, run.run)
    }
}

/// What a node emitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Emitted {
    /// The port.
    pub port: PortName,
    /// The value.
    pub output: Json,
}

/// A workflow that a node runs, as it was when the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PinnedChild {
    /// Digest of the document; its text is a blob of the store.
    pub document: Digest,
    /// The workflows that it runs in turn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, PinnedChild>,
}

/// Where a run was started from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParentRun {
    /// The run.
    pub run: RunId,
    /// The node.
    pub node: NodeId,
    /// The item, where the node runs for each of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
}

/// Why a node did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The edges that it needs are dead.
    Needs,
    /// Its `if:` was false.
    Condition,
    /// It is disabled.
    Disabled,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndStatus {
    /// Every node settled, and no failure was left unhandled.
    Succeeded,
    /// A node without anything on its `error` port failed, or the outputs could not be evaluated.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// The failure that ended a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFailure {
    /// The node that failed; none where the outputs did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Why.
    pub failure: Failure,
}
