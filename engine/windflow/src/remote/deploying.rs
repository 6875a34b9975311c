//! `windflow deployments` of a server.

use std::process::ExitCode;

use serde::Deserialize;
use serde_json::Value;
use windflow_core::run::Timestamp;
use windflow_stacks::deployment::{Deployment, Stack, Status};
use windflow_stacks::driver::{DriverError, Outcome, Verdict};
use windflow_stacks::plan::Plan;

use super::server::Server;
use crate::cli::DeploymentsCommand;
use crate::commands::deployments;
use crate::render;

/// The text of a version of a stack, of the latest where none is named.
pub(super) async fn text(server: &Server, stack: &str, version: Option<u32>) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Version {
        text: String,
    }
    let wanted = match version {
        Some(version) => version,
        None => server.get::<Stack>(&["stacks", stack]).await?.version,
    };
    let found: Version = server.get(&["stacks", stack, "versions", &wanted.to_string()]).await?;
    Ok(found.text)
}

pub(super) async fn on_deployments(server: &Server, command: DeploymentsCommand) -> anyhow::Result<ExitCode> {
    match command {
        DeploymentsCommand::List { stack, target, limit, json } => {
            let mut query = Vec::new();
            query.extend(stack.map(|stack| ("stack", stack)));
            query.extend(target.map(|target| ("target", target)));
            let mut all: Vec<Value> = server.all(&["deployments"], &query).await?;
            all.reverse();
            all.truncate(limit);
            if json {
                render::json(&all)?;
            } else {
                deployments::print(&read(all)?, "The server has deployed nothing yet.")?;
            }
        }
        DeploymentsCommand::Show { deployment, json } => {
            let mut all: Vec<Value> = server.all(&["deployments"], &[]).await?;
            all.reverse();
            let found = deployments::pick(read(all.clone())?, &deployment)?;
            if json {
                render::json(&all.into_iter().find(|one| one["id"] == *found.id))?;
                return Ok(crate::commands::deploy::status(&found));
            }
            deployments::show_one(&found, false)?;
        }
        DeploymentsCommand::Logs { deployment, services, follow, tail } => {
            let found = find(server, &deployment).await?;
            super::stacks::logs(server, &found.id, &services, follow, tail).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A deployment by its id, or the beginning of it.
pub(super) async fn find(server: &Server, id: &str) -> anyhow::Result<Deployment> {
    let mut all: Vec<Value> = server.all(&["deployments"], &[]).await?;
    all.reverse();
    deployments::pick(read(all)?, id)
}

/// A deployment, as the API shows it.
#[derive(Deserialize)]
pub(super) struct Shown {
    id: String,
    stack: String,
    version: Option<u32>,
    target: String,
    status: Status,
    rollback_to: Option<String>,
    by: String,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    plan: Option<Plan>,
    error: Option<DriverError>,
    #[serde(default)]
    log: Vec<String>,
    #[serde(default)]
    left: Vec<String>,
}

fn read(all: Vec<Value>) -> anyhow::Result<Vec<Deployment>> {
    all.into_iter().map(|one| Ok(serde_json::from_value::<Shown>(one)?.into())).collect()
}

impl From<Shown> for Deployment {
    fn from(shown: Shown) -> Self {
        let Shown { id, stack, version, target, status, rollback_to, by, started_at, ended_at, .. } = shown;
        let verdict = match status {
            Status::Deployed => Verdict::Deployed,
            Status::Unchanged => Verdict::Unchanged,
            Status::RolledBack => Verdict::RolledBack,
            Status::Running | Status::Failed | Status::Abandoned => Verdict::Failed,
        };
        let (error, log, left) = (shown.error.clone(), shown.log, shown.left);
        let outcome = shown.plan.map(|plan| Outcome { verdict, plan, error, log, left });
        Self {
            id,
            stack,
            version,
            target,
            status,
            previous: None,
            rollback_to,
            // What it is made from stays with the server.
            digest: String::new(),
            sealed: String::new(),
            by,
            started_at,
            ended_at,
            outcome,
            error: shown.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_read_as_the_api_shows_it() {
        let shown = json!({
            "id": "1", "stack": "web", "version": 2, "target": "edge", "status": "failed", "run": null, "rollback_to": null, "by": "ada",
            "started_at": 1, "ended_at": 2, "plan": { "steps": [] },
            "error": { "code": "unhealthy", "message": "web does not answer", "remedy": null, "may_help": true },
            "log": ["no"], "left": [],
        });
        let begun = json!({
            "id": "2", "stack": "web", "version": null, "target": "edge", "status": "running", "run": null, "rollback_to": null,
            "by": "ada", "started_at": 3, "ended_at": null, "plan": null, "error": null, "log": [], "left": [],
        });
        let read = read(vec![shown, begun]).unwrap();
        let outcome = read[0].outcome.as_ref().unwrap();
        assert_eq!((read[0].status, outcome.error.as_ref().unwrap().code.as_str()), (Status::Failed, "unhealthy"));
        assert_eq!(outcome.log, ["no"]);
        assert_eq!((read[1].status, &read[1].outcome, &read[1].error), (Status::Running, &None, &None));
    }
}
