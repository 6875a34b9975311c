//! `windflow stacks …`

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::json;
use windflow_core::ports::store::BoxFuture;
use windflow_stacks::carry::TIMEOUT;
use windflow_stacks::deployment::Stack;
use windflow_stacks::driver::{Action, Event, LogLine, LogQuery};
use windflow_stacks::plan::{Container, HealthState, Observed, State};
use windflow_stacks::project::Project;

use super::deploy::{self, Wanted, confirm, show};
use super::deployments;
use crate::cli::{Global, OnTarget, StacksCommand};
use crate::commands::document;
use crate::deploying::{Deploying, kept, told};
use crate::exit::{self, invalid};
use crate::render::{self, table::table};
use crate::signal::interrupted;

pub(crate) mod versions;

pub(crate) fn run(global: &Global, command: &StacksCommand) -> anyhow::Result<ExitCode> {
    if let StacksCommand::Validate { file, variables, profile, json } = command {
        return validate(file, variables, profile, *json);
    }
    let deploying = Deploying::open(global)?;
    match command {
        StacksCommand::List { json } => list(&deploying, *json)?,
        StacksCommand::Keep { file, name, description } => {
            versions::keep(&deploying, file, name.as_deref(), description.as_deref())?;
        }
        StacksCommand::Versions { stack, json } => versions::list(&deploying, stack, *json)?,
        StacksCommand::Compare { stack, since, to, json } => versions::compare(&deploying, stack, *since, *to, *json)?,
        StacksCommand::Restore { stack, version } => versions::restore(&deploying, stack, *version)?,
        StacksCommand::Clone { stack, name, version } => versions::clone(&deploying, stack, name, *version)?,
        StacksCommand::Forget { stack } => versions::forget(&deploying, stack)?,
        StacksCommand::Show { stack, version } => {
            render::result(&versions::text(&deploying, stack, *version)?.1)?;
        }
        StacksCommand::Validate { .. } => {}
        StacksCommand::Status { on, json } => status(&deploying, on, *json)?,
        StacksCommand::Logs { on, services, follow, tail } => logs(&deploying, on, services, *follow, *tail)?,
        StacksCommand::Scale { on, services } => return scale(&deploying, on, services),
        StacksCommand::Rollback { on, to } => return rollback(&deploying, on, to.as_deref()),
        StacksCommand::Stop { on, services } => act(&deploying, on, services, &Action::Stop)?,
        StacksCommand::Start { on, services } => act(&deploying, on, services, &Action::Start)?,
        StacksCommand::Restart { on, services } => act(&deploying, on, services, &Action::Restart)?,
        StacksCommand::Remove { on, volumes, yes } => remove(&deploying, on, *volumes, *yes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn validate(
    file: &std::path::Path,
    variables: &[(String, String)],
    profiles: &[String],
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let text = document::read(file)?;
    let values: BTreeMap<_, _> = variables.iter().cloned().collect();
    deploy::are_known(&text, &values)?;
    let loaded = deploy::load(&text, file, None, &values, profiles);
    if as_json {
        let services = loaded.project.as_ref().map(|project| project.services.keys().collect::<Vec<_>>());
        render::json(&json!({ "services": services, "variables": loaded.variables, "problems": loaded.problems }))?;
        let valid = loaded.project.is_some();
        return Ok(if valid { ExitCode::SUCCESS } else { ExitCode::from(exit::INVALID) });
    }
    let project = deploy::valid(loaded, &text, file)?.project;
    render::line(&format!("{} is valid: {} services", file.display(), project.services.len()));
    render::result(&services(&project))?;
    Ok(ExitCode::SUCCESS)
}

/// What a document comes to: each service, with what people look for first.
fn services(project: &Project) -> String {
    let mut rows = vec![["SERVICE", "IMAGE", "CONTAINERS", "PORTS", "AFTER"].map(String::from).to_vec()];
    for (name, service) in &project.services {
        let ports: Vec<_> = service.ports.iter().map(ToString::to_string).collect();
        let after: Vec<_> = service.depends_on.keys().map(String::as_str).collect();
        let count = service.replicas.to_string();
        rows.push(vec![name.clone(), service.image.clone(), count, ports.join(", "), after.join(", ")]);
    }
    table(&rows)
}

fn list(deploying: &Deploying, as_json: bool) -> anyhow::Result<()> {
    let (stacks, _) = deploying.book.stacks(None, 1000).map_err(kept)?;
    if as_json {
        return render::json(&stacks);
    }
    print(stacks, "There is no stack yet. Begin with: windflow deploy FILE")
}

/// Prints stacks as a table, and another line where there is none.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print(stacks: Vec<Stack>, none: &str) -> anyhow::Result<()> {
    if stacks.is_empty() {
        render::line(none);
        return Ok(());
    }
    let mut rows = vec![["STACK", "VERSION", "CHANGED", "DESCRIPTION"].map(String::from).to_vec()];
    rows.extend(
        stacks.into_iter().map(|stack| {
            vec![stack.name, stack.version.to_string(), render::time(stack.updated_at), stack.description]
        }),
    );
    render::result(&table(&rows))
}

fn how(found: &Container) -> String {
    let state = match found.state {
        State::Created => "created".to_owned(),
        State::Running => "running".to_owned(),
        State::Restarting => "restarting".to_owned(),
        State::Paused => "paused".to_owned(),
        State::Exited(code) => format!("ended ({code})"),
        State::Dead => "dead".to_owned(),
    };
    match (found.retired, found.health) {
        (true, _) => format!("{state}, set aside"),
        (_, Some(HealthState::Healthy)) => format!("{state}, healthy"),
        (_, Some(HealthState::Unhealthy)) => format!("{state}, unhealthy"),
        (_, Some(HealthState::Starting)) => format!("{state}, not yet healthy"),
        (_, None) => state,
    }
}

fn status(deploying: &Deploying, on: &OnTarget, as_json: bool) -> anyhow::Result<()> {
    let seen = deploying.block_on(async {
        let reached = deploying.reach(&on.target).await?;
        reached.driver.observe(&on.stack).await.map_err(|error| told(&error))
    })?;
    print_status(on, seen, as_json)
}

/// Prints what of a stack is on a target.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_status(on: &OnTarget, seen: Observed, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return render::json(&seen);
    }
    if seen.containers.is_empty() {
        render::line(&format!("nothing of {} is on {}", on.stack, on.target));
        return Ok(());
    }
    let mut rows = vec![["SERVICE", "CONTAINER", "STATUS", "IMAGE", "PORTS"].map(String::from).to_vec()];
    for found in seen.containers {
        let (how, ports) = (how(&found), found.ports.join(", "));
        rows.push(vec![found.service, found.name, how, found.image, ports]);
    }
    render::result(&table(&rows))
}

pub(super) fn logs(
    deploying: &Deploying,
    on: &OnTarget,
    services: &[String],
    follow: bool,
    tail: u32,
) -> anyhow::Result<()> {
    let query = LogQuery { services: services.to_vec(), tail: Some(tail), since_seconds: None, follow };
    deploying.block_on(async {
        let reached = deploying.reach(&on.target).await?;
        let seen = reached.driver.observe(&on.stack).await.map_err(|error| told(&error))?;
        if seen.containers.is_empty() {
            render::line(&format!("nothing of {} is on {}", on.stack, on.target));
            return Ok(());
        }
        let print = |line: LogLine| -> BoxFuture<'_, bool> { Box::pin(std::future::ready(print_line(line).is_ok())) };
        tokio::select! {
            read = reached.driver.logs(&on.stack, &query, &print) => read.map_err(|error| told(&error)),
            interrupt = interrupted() => Ok(interrupt?),
        }
    })
}

/// Prints a line that a container wrote.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_line(line: LogLine) -> anyhow::Result<()> {
    let name = if line.number > 1 { format!("{}#{}", line.service, line.number) } else { line.service };
    render::result(&format!("{name} | {}", console::strip_ansi_codes(&line.text)))
}

fn scale(deploying: &Deploying, on: &OnTarget, services: &[(String, u32)]) -> anyhow::Result<ExitCode> {
    let (good, mut content) = deploying.book.good(&on.target, &on.stack).map_err(kept)?;
    let replicas: BTreeMap<_, _> = services.iter().cloned().collect();
    content.project.scale(&replicas).map_err(invalid)?;
    let wanted = Wanted { content, version: good.version, rollback_to: None, timeout: TIMEOUT };
    again(deploying, on, wanted)
}

fn rollback(deploying: &Deploying, on: &OnTarget, to: Option<&str>) -> anyhow::Result<ExitCode> {
    let (before, content) = match to {
        None => deploying.book.before(&on.target, &on.stack).map_err(kept)?,
        Some(id) => {
            let found = deployments::find(deploying, id)?;
            deploying.book.earlier(&on.target, &on.stack, &found.id).map_err(kept)?
        }
    };
    let wanted = Wanted { content, version: before.version, rollback_to: Some(before.id), timeout: TIMEOUT };
    again(deploying, on, wanted)
}

fn again(deploying: &Deploying, on: &OnTarget, wanted: Wanted) -> anyhow::Result<ExitCode> {
    deploying.block_on(async {
        let reached = deploying.reach(&on.target).await?;
        let ended = deploy::carry(deploying, &reached, wanted, false).await?;
        show::ended(&ended, false)
    })
}

fn act(deploying: &Deploying, on: &OnTarget, services: &[String], action: &Action) -> anyhow::Result<()> {
    let done = deploying.block_on(async {
        let reached = deploying.reach(&on.target).await?;
        let quiet = |_: Event| ();
        reached.driver.act(&on.stack, services, action, &quiet).await.map_err(|error| told(&error))
    })?;
    if done.is_empty() {
        render::line(&format!("nothing of {} is on {}", on.stack, on.target));
    }
    done.iter().try_for_each(|line| render::result(line))
}

/// Asks whether a stack is to be removed.
///
/// # Errors
/// Where it is not, or where volumes go and nobody can be asked.
pub(crate) fn confirm_removal(on: &OnTarget, volumes: bool, yes: bool) -> anyhow::Result<()> {
    let what = if volumes {
        "its containers, its networks, and its volumes with what is in them"
    } else {
        "its containers and networks"
    };
    if !yes && confirm::ask(&format!("Remove {} from {}: {what}?", on.stack, on.target))? == Some(false) {
        return Err(invalid("nothing was removed"));
    }
    if volumes && !yes && !console::user_attended_stderr() {
        return Err(invalid("what is in volumes cannot be brought back: confirm it by --yes"));
    }
    Ok(())
}

fn remove(deploying: &Deploying, on: &OnTarget, volumes: bool, yes: bool) -> anyhow::Result<()> {
    confirm_removal(on, volumes, yes)?;
    act(deploying, on, &[], &Action::Remove { volumes })?;
    deploying.book.removed(&on.target, &on.stack, true).map_err(kept)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)
}
