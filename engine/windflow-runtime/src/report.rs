//! A run in one object: what `windflow run --json` prints and `runs show` reads.

use indexmap::IndexMap;
use serde::Serialize;
use windflow_core::failure::Failure;
use windflow_core::id::{NodeId, RunId};
use windflow_core::json::Json;
use windflow_core::plan::Plan;
use windflow_core::run::{EndStatus, NodeState, Phase, RunFailure, RunState};

/// How a run stands or ended.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// `running`, `failing`, `cancelling`, `succeeded`, `failed` or `cancelled`.
    pub status: &'static str,
    /// What it gave back; null unless it succeeded.
    pub outputs: Option<Json>,
    /// Its nodes, in the order of the file.
    pub nodes: IndexMap<NodeId, NodeReport>,
    /// Why it failed.
    pub error: Option<RunFailure>,
}

/// How a node of the run stands.
#[derive(Debug, Clone, Serialize)]
pub struct NodeReport {
    /// `pending`, `ready`, `running`, `retrying`, `succeeded`, `failed`, `skipped`, `cancelled`, or, in a run that ended before
    /// the node was due, `not_run`.
    pub status: &'static str,
    /// How many attempts were begun.
    pub attempts: u32,
    /// What it emitted.
    pub output: Option<Json>,
    /// The port that it emitted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// How long its attempts took, in milliseconds.
    pub took_ms: f64,
}

impl RunReport {
    /// Describes a state.
    #[must_use]
    pub fn of(run: RunId, plan: &Plan, state: &RunState) -> Self {
        let (status, outputs, error) = match state.phase() {
            Phase::New | Phase::Running => ("running", None, None),
            Phase::Failing(failure) => ("failing", None, Some(failure.clone())),
            Phase::Cancelling => ("cancelling", None, None),
            Phase::Ended { status, outputs, failure } => (end_word(*status), outputs.clone(), failure.clone()),
        };
        let over = matches!(state.phase(), Phase::Ended { .. });
        let nodes = plan.nodes().map(|(index, node)| {
            let run = state.node(index);
            let (output, port) = match &run.state {
                NodeState::Succeeded { output, port } => (Some(output.clone()), Some(port.to_string())),
                _ => (None, None),
            };
            let error = match &run.state {
                NodeState::Failed(failure) | NodeState::Retrying { failure, .. } => Some(failure.clone()),
                _ => None,
            };
            let status = if over && run.state == NodeState::Pending { "not_run" } else { run.state.word() };
            #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
            let took_ms = run.took_us as f64 / 1000.0;
            (node.id.clone(), NodeReport { status, attempts: run.attempts, output, port, error, took_ms })
        });
        Self { run, status, outputs, nodes: nodes.collect(), error }
    }
}

/// The word for an end.
#[must_use]
pub(crate) fn end_word(status: EndStatus) -> &'static str {
    match status {
        EndStatus::Succeeded => "succeeded",
        EndStatus::Failed => "failed",
        EndStatus::Cancelled => "cancelled",
    }
}
