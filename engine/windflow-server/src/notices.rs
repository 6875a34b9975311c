//! What people want to be told of while they look elsewhere: runs that fail or ask, deployments that change.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::broadcast;
use windflow_core::id::{NodeId, OrganisationId, RunKey};
use windflow_core::ports::store::{Position, RunStatus};
use windflow_core::run::Asked;
use windflow_runtime::Turn;
use windflow_stacks::deployment::Status;

use crate::access::Permission;
use crate::problem::Answer;
use crate::state::{App, blocking};

/// Notices that a reader may be behind.
pub(crate) const BEHIND: usize = 256;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Notice {
    /// A run failed.
    RunFailed { run: String, workflow: String, started_by: String, at: u64, error: Option<String> },
    /// A node of a run asks a person or another system.
    RunAsks { run: String, workflow: String, node: NodeId, item: Option<u32>, of: Asked, message: Option<String> },
    /// A deployment began or ended.
    DeploymentChanged { deployment: String, stack: String, target: String, status: Status },
}

impl Notice {
    /// What whoever hears it has to hold.
    pub(crate) fn needs(&self) -> Permission {
        match self {
            Self::RunFailed { .. } | Self::RunAsks { .. } => Permission::RunsRead,
            Self::DeploymentChanged { .. } => Permission::StacksRead,
        }
    }
}

/// A notice, and whose it is.
pub(crate) type Told = Arc<(OrganisationId, Notice)>;

/// Tells notices to whoever listens. Nothing is kept of them: who comes later reads lists.
pub(crate) struct Notices(broadcast::Sender<Told>);

impl Default for Notices {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl Notices {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.0.subscribe()
    }

    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }
}

/// Tells what turns of runs mean to people, no earlier than it is durable.
pub(crate) async fn tell(app: &App, turns: &[Turn]) {
    if let Err(error) = app.store.durable(Position::LATEST).await {
        return tracing::warn!(%error, "what is not durable is not told");
    }
    let (looking, turns) = (app.clone(), turns.to_vec());
    let found = blocking(move || {
        let mut found = Vec::new();
        for turn in &turns {
            match of_turn(&looking, turn) {
                Ok(notices) => found.extend(notices),
                Err(problem) => tracing::warn!(%problem, "a notice was not told"),
            }
        }
        found
    });
    for told in found.await.unwrap_or_default() {
        // Nobody listening is no error.
        let _ = app.notices.0.send(Arc::new(told));
    }
}

fn of_turn(app: &App, turn: &Turn) -> Answer<Vec<(OrganisationId, Notice)>> {
    let mut notices = Vec::new();
    let key = match turn {
        Turn::Asked { run, node, item, of, message } => {
            let workflow = app.store.run(run)?.workflow.to_string();
            let (node, item, of, message) = (node.clone(), *item, *of, message.clone());
            let asks = Notice::RunAsks { run: run.run.to_string(), workflow, node, item, of, message };
            return Ok(vec![(run.organisation.clone(), asks)]);
        }
        Turn::Left(key) => {
            notices.extend(failed(app, key)?);
            key
        }
        Turn::Began(key) => key,
    };
    // A deployment is a run under its own id.
    if let Ok(deployment) = app.book(&key.organisation).deployment(&key.run.to_string()) {
        let (stack, target, status) = (deployment.stack, deployment.target, deployment.status);
        notices.push(Notice::DeploymentChanged { deployment: deployment.id, stack, target, status });
    }
    Ok(notices.into_iter().map(|notice| (key.organisation.clone(), notice)).collect())
}

fn failed(app: &App, key: &RunKey) -> Answer<Option<Notice>> {
    let run = app.store.run(key)?;
    if run.status != RunStatus::Failed {
        return Ok(None);
    }
    Ok(Some(Notice::RunFailed {
        run: run.run.to_string(),
        workflow: run.workflow.to_string(),
        started_by: run.started_by,
        at: run.finished_at.unwrap_or(run.started_at).0,
        error: run.failure.map(|failure| failure.failure.message.to_string()),
    }))
}
