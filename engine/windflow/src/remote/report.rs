//! Runs, as a server shows them.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use windflow_core::id::{NodeId, RunId};
use windflow_core::run::{Asked, RunFailure, Timestamp};
use windflow_runtime::{NodeReport, RunReport};

use super::server::Server;
use crate::render::run::Row;

/// A run, as lists have it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Listed {
    pub(super) run: RunId,
    pub(super) workflow: String,
    pub(super) status: String,
    pub(super) started_by: String,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) queued: bool,
    pub(super) stalled: Option<Stalled>,
    error: Option<RunFailure>,
}

/// Why a run does not go on.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Stalled {
    pub(super) reason: String,
}

impl From<&Listed> for Row {
    fn from(run: &Listed) -> Self {
        Self {
            run: run.run,
            workflow: run.workflow.clone(),
            status: if run.queued { "queued".into() } else { run.status.clone() },
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}

/// A run with its nodes.
#[derive(Debug, Deserialize)]
#[serde(from = "Shown")]
pub(super) struct Detail {
    pub(super) summary: Listed,
    outputs: Value,
    nodes: IndexMap<NodeId, NodeReport>,
    uncompensated: Vec<NodeId>,
}

/// The same as the API shows it: all in one. What is flattened cannot hold JSON as it was written, as details of failures are.
#[derive(Deserialize)]
struct Shown {
    run: RunId,
    workflow: String,
    status: String,
    started_by: String,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    #[serde(default)]
    queued: bool,
    stalled: Option<Stalled>,
    error: Option<RunFailure>,
    outputs: Value,
    nodes: IndexMap<NodeId, NodeReport>,
    #[serde(default)]
    uncompensated: Vec<NodeId>,
}

impl From<Shown> for Detail {
    fn from(shown: Shown) -> Self {
        let Shown {
            run,
            workflow,
            status,
            started_by,
            started_at,
            finished_at,
            queued,
            stalled,
            error,
            outputs,
            nodes,
            uncompensated,
        } = shown;
        let summary = Listed { run, workflow, status, started_by, started_at, finished_at, queued, stalled, error };
        Self { summary, outputs, nodes, uncompensated }
    }
}

impl Detail {
    pub(super) async fn get(server: &Server, run: RunId) -> anyhow::Result<Self> {
        server.get(&["runs", &run.to_string()]).await
    }

    /// Whether nothing goes on until somebody answers.
    pub(super) fn only_asks(&self) -> bool {
        let mut nodes = self.nodes.values();
        self.nodes.values().any(|node| !node.questions.is_empty())
            && nodes.all(|node| match &*node.status {
                "running" | "ready" | "retrying" => false,
                "waiting" => !node.questions.is_empty(),
                _ => true,
            })
    }

    /// Nodes that ask in this way, each with the run.
    pub(super) fn asks(&self, of: Asked) -> impl Iterator<Item = (RunId, NodeId)> {
        let asking =
            self.nodes.iter().filter(move |(_, node)| node.questions.iter().any(|asked| asked.question.of == of));
        asking.map(|(id, _)| (self.summary.run, id.clone()))
    }

    /// The same as a report of this machine's engine.
    pub(super) fn report(&self) -> RunReport {
        RunReport {
            run: self.summary.run,
            status: self.summary.status.clone().into(),
            outputs: Some(&self.outputs)
                .filter(|_| self.summary.status == "succeeded")
                .map(|value| value.clone().into()),
            nodes: self.nodes.clone(),
            error: self.summary.error.clone(),
            uncompensated: self.uncompensated.clone(),
        }
    }
}

/// A run and all that it waits for, by their ids; the run itself is the first.
pub(super) async fn family(server: &Server, run: RunId) -> anyhow::Result<IndexMap<RunId, Detail>> {
    let (mut found, mut next) = (IndexMap::new(), vec![run]);
    while let Some(run) = next.pop() {
        if !found.contains_key(&run) {
            let detail = Detail::get(server, run).await?;
            next.extend(detail.nodes.values().flat_map(|node| &node.runs));
            found.insert(run, detail);
        }
    }
    Ok(found)
}

/// What a run and those that it waits for ask.
pub(super) async fn asked(server: &Server, report: &RunReport) -> anyhow::Result<String> {
    let waits = report.nodes.values().any(|node| !node.runs.is_empty());
    let below: HashMap<_, _> = if waits {
        family(server, report.run).await?.into_iter().map(|(run, detail)| (run, detail.report())).collect()
    } else {
        HashMap::new()
    };
    Ok(crate::render::run::asked(report, &|run| below.get(&run).cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_failures_are_understood() {
        let failure = r#"{ "kind": "node", "code": "unhealthy", "message": "no", "details": { "stack": "shop" } }"#;
        let text = format!(
            r#"{{ "run": "01a203a7-17f4-7127-ab4a-899653ebb198", "workflow": "w", "status": "failed", "started_by": "cli", "started_at": 1,
                "finished_at": 2, "stalled": null, "error": {{ "node": "a", "failure": {failure} }}, "outputs": null, "later": [],
                "nodes": {{ "a": {{ "status": "failed", "attempts": 1, "took_ms": 1, "error": {failure} }} }} }}"#
        );
        let report = serde_json::from_str::<Detail>(&text).unwrap().report();
        assert!(report.error.unwrap().failure.details.is_some());
        assert!(report.nodes.values().all(|node| node.error.as_ref().is_some_and(|error| error.details.is_some())));
    }
}
