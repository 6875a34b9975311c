//! `windflow targets`, `stacks` and `deployments` of a server.

use std::process::ExitCode;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use windflow_core::run::Timestamp;
use windflow_stacks::deployment::{Deployment, Stack, Status};
use windflow_stacks::driver::{DriverError, Facts, Outcome, Verdict};
use windflow_stacks::plan::Plan;
use windflow_stacks::target::Target;

use super::reply::Refused;
use super::server::Server;
use crate::cli::{DeploymentsCommand, StacksCommand, TargetsCommand};
use crate::commands::{deployments, stacks, targets};
use crate::render;

pub(super) async fn on_targets(server: &Server, command: TargetsCommand) -> anyhow::Result<ExitCode> {
    match command {
        TargetsCommand::List { json: true } => render::json(&server.all::<Value>(&["targets"], &[]).await?)?,
        TargetsCommand::List { json: false } => {
            let all: Vec<Target> = server.all(&["targets"], &[]).await?;
            targets::print(all, "The server knows no target but `local`, the engine of its own machine.")?;
        }
        TargetsCommand::Test { target, json } => {
            let request = server.request(Method::POST, &["targets", &target, "test"]);
            let facts: Facts = server.ask(request).await.map_err(not_reached)?;
            targets::print_facts(&facts, json)?;
        }
        _ => return Err(super::of_this_machine()),
    }
    Ok(ExitCode::SUCCESS)
}

/// A target that is known and cannot be reached is no mistake of whoever asks, as on this machine.
fn not_reached(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Refused>() {
        Some(why) if why.is_invalid() && why.status != StatusCode::NOT_FOUND => anyhow::anyhow!("{error}"),
        _ => error,
    }
}

pub(super) async fn on_stacks(server: &Server, command: StacksCommand) -> anyhow::Result<ExitCode> {
    match command {
        StacksCommand::List { json: true } => render::json(&server.all::<Value>(&["stacks"], &[]).await?)?,
        StacksCommand::List { json: false } => {
            let all: Vec<Stack> = server.all(&["stacks"], &[]).await?;
            stacks::print(all, "The server keeps no stack yet.")?;
        }
        StacksCommand::Show { stack, version } => render::result(&text(server, &stack, version).await?)?,
        _ => return Err(super::of_this_machine()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The text of a version of a stack, of the latest where none is named.
pub(super) async fn text(server: &Server, stack: &str, version: Option<u32>) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
        text: String,
    }
    let wanted = match version {
        Some(version) => version,
        None => server.get::<Stack>(&["stacks", stack]).await?.version,
    };
    let all: Vec<Version> = server.all(&["stacks", stack, "versions"], &[]).await?;
    let found = all.into_iter().find(|found| found.version == wanted);
    let found = found.ok_or_else(|| crate::exit::invalid(format!("{stack} has no version {wanted}")))?;
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
    }
    Ok(ExitCode::SUCCESS)
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
