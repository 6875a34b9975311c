//! `windflow deployments …`

use std::process::ExitCode;

use windflow_stacks::deployment::Deployment;

use super::deploy::show;
use super::stacks;
use crate::cli::{DeploymentsCommand, Global, OnTarget};
use crate::deploying::{Deploying, kept};
use crate::exit::invalid;
use crate::render::{self, table::table};

pub(crate) fn run(global: &Global, command: &DeploymentsCommand) -> anyhow::Result<ExitCode> {
    let deploying = Deploying::open(global)?;
    match command {
        DeploymentsCommand::List { stack, target, limit, json } => {
            let mut all = all(&deploying)?;
            let fits = |given: &Option<String>, own: &str| given.as_ref().is_none_or(|given| given == own);
            all.retain(|found| fits(stack, &found.stack) && fits(target, &found.target));
            all.truncate(*limit);
            list(&all, *json)?;
        }
        DeploymentsCommand::Show { deployment, json } => show_one(&find(&deploying, deployment)?, *json)?,
        DeploymentsCommand::Logs { deployment, services, follow, tail } => {
            let found = find(&deploying, deployment)?;
            let on = OnTarget { stack: found.stack, target: found.target };
            stacks::logs(&deploying, &on, services, *follow, *tail)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The newest first.
fn all(deploying: &Deploying) -> anyhow::Result<Vec<Deployment>> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let (items, next) = deploying.book.deployments(after.as_deref(), 500).map_err(kept)?;
        all.extend(items);
        after = next;
        if after.is_none() {
            all.reverse();
            return Ok(all);
        }
    }
}

/// A deployment by its id or the beginning of it.
pub(crate) fn find(deploying: &Deploying, id: &str) -> anyhow::Result<Deployment> {
    pick(all(deploying)?, id)
}

/// The deployment that an id, the beginning of one, or `last` names, among all, the newest first.
///
/// # Errors
/// Where it names none, or several.
pub(crate) fn pick(all: Vec<Deployment>, id: &str) -> anyhow::Result<Deployment> {
    let mut fitting = all.into_iter().filter(|found| id == "last" || found.id.starts_with(id));
    match (fitting.next(), fitting.next()) {
        (Some(found), _) if id == "last" => Ok(found),
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => Err(invalid(format!("several deployments begin with {id}; write more of the id"))),
        (None, _) => Err(invalid(format!("there is no deployment {id}; `windflow deployments list` shows them"))),
    }
}

fn list(deployments: &[Deployment], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return render::json(&deployments.iter().map(show::view).collect::<Vec<_>>());
    }
    print(deployments, "Nothing was deployed yet. Begin with: windflow deploy FILE")
}

/// Prints deployments as a table, and another line where there is none.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print(deployments: &[Deployment], none: &str) -> anyhow::Result<()> {
    if deployments.is_empty() {
        render::line(none);
        return Ok(());
    }
    let head = ["STATUS", "STACK", "VERSION", "TARGET", "BEGAN", "TOOK", "BY", "DEPLOYMENT"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for found in deployments {
        let version = found.version.map(|version| version.to_string()).unwrap_or_default();
        let status = found.status.word().to_owned();
        let took = found.ended_at.map(|ended| render::duration(ended.0.saturating_sub(found.started_at.0) * 1000));
        let (began, took) = (render::time(found.started_at), took.unwrap_or_default());
        let (stack, target) = (found.stack.clone(), found.target.clone());
        rows.push(vec![status, stack, version, target, began, took, found.by.clone(), found.id.clone()]);
    }
    render::result(&table(&rows))
}

/// Prints one.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn show_one(deployment: &Deployment, as_json: bool) -> anyhow::Result<()> {
    if !as_json && let Some(outcome) = &deployment.outcome {
        render::result(&show::plan_text(&outcome.plan))?;
    }
    show::ended(deployment, as_json).map(drop)
}
