//! A run in one object: what `windflow run --json` prints and `runs show` reads.

use std::borrow::Cow;
use std::collections::HashMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use windflow_core::failure::Failure;
use windflow_core::id::{NodeId, RunId};
use windflow_core::json::Json;
use windflow_core::plan::Plan;
use windflow_core::run::{Cause, EndStatus, NodeState, Phase, Question, RunFailure, RunState, Step, Wait};

/// How a run stands or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// `running`, `failing`, `cancelling`, `compensating`, `succeeded`, `failed` or `cancelled`.
    pub status: Cow<'static, str>,
    /// What it gave back; null unless it succeeded.
    pub outputs: Option<Json>,
    /// Its nodes, in the order of the file.
    pub nodes: IndexMap<NodeId, NodeReport>,
    /// Why it failed.
    pub error: Option<RunFailure>,
    /// The nodes whose `compensate:` failed: what they did is still there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncompensated: Vec<NodeId>,
}

/// How a node of the run stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeReport {
    /// `pending`, `ready`, `running`, `waiting`, `retrying`, `succeeded`, `failed`, `skipped`, `cancelled`, or, in a run that ended before
    /// the node was due, `not_run`.
    pub status: Cow<'static, str>,
    /// How many attempts were begun.
    pub attempts: u32,
    /// What it emitted.
    pub output: Option<Json>,
    /// The port that it emitted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// How its items stand, where it runs for each of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsReport>,
    /// What it waits for somebody to answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<QuestionReport>,
    /// The runs that it started and waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// How long its attempts took, in milliseconds.
    pub took_ms: f64,
}

/// How the items of a node stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsReport {
    /// How many there are.
    pub total: usize,
    /// How many have settled.
    pub settled: usize,
    /// How many failed for good.
    pub failed: usize,
}

/// A question that is open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QuestionReport {
    /// The item that it is about, where the node runs for each of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// What is asked.
    #[serde(flatten)]
    pub question: Question,
}

impl RunReport {
    /// Describes a state.
    #[must_use]
    pub fn of(run: RunId, plan: &Plan, state: &RunState) -> Self {
        let (status, outputs, error) = match state.phase() {
            Phase::New | Phase::Running => ("running", None, None),
            Phase::Failing(failure) => ("failing", None, Some(failure.clone())),
            Phase::Cancelling => ("cancelling", None, None),
            Phase::Compensating { cause: Cause::Failed(failure), .. } => ("compensating", None, Some(failure.clone())),
            Phase::Compensating { cause: Cause::Cancelled, .. } => ("compensating", None, None),
            Phase::Ended { status, outputs, failure } => (end_word(*status), outputs.clone(), failure.clone()),
        };
        let over = matches!(state.phase(), Phase::Ended { .. });
        let mut asked: HashMap<_, Vec<_>> = HashMap::new();
        for (Step { node, item }, question) in state.questions() {
            asked.entry(node).or_default().push(QuestionReport { item, question: question.clone() });
        }
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
            let status = if over && run.state == NodeState::Pending { "not_run" } else { run.state.word() }.into();
            let items = run.items.as_ref().map(|items| ItemsReport {
                total: items.len(),
                settled: items.settled(),
                failed: items.failures().count(),
            });
            let waiting = std::iter::once(&run.state).chain(run.items.iter().flat_map(|items| items.states()));
            let runs = waiting.filter_map(|state| match state {
                NodeState::Running { wait: Some(Wait::Child { run }), .. } => Some(*run),
                _ => None,
            });
            let runs = runs.collect();
            let questions = asked.remove(&index).unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
            let took_ms = run.took_us as f64 / 1000.0;
            let attempts = run.attempts;
            (node.id.clone(), NodeReport { status, attempts, output, port, error, items, questions, runs, took_ms })
        });
        let nodes = nodes.collect();
        let failed = |by| matches!(state.node(by).state, NodeState::Failed(_));
        let undone_badly = plan.nodes().filter(|(_, node)| node.compensate.is_some_and(failed));
        let uncompensated = undone_badly.map(|(_, node)| node.id.clone()).collect();
        Self { run, status: status.into(), outputs, nodes, error, uncompensated }
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
