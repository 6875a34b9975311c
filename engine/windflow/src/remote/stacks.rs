//! `windflow stacks` of a server.

use std::process::ExitCode;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_stacks::deployment::{Stack, Status};
use windflow_stacks::driver::{DriverError, LogLine};

use super::deploy::{keep, to_the_end};
use super::deploying::{find, text};
use super::server::{Server, with_query};
use super::stream::Events;
use crate::cli::{OnTarget, StacksCommand};
use crate::commands::document;
use crate::commands::stacks::{self, versions};
use crate::exit::invalid;
use crate::render;
use crate::signal::interrupted;

pub(super) async fn run(server: &Server, command: StacksCommand) -> anyhow::Result<ExitCode> {
    match command {
        StacksCommand::List { json: true } => render::json(&server.all::<Value>(&["stacks"], &[]).await?)?,
        StacksCommand::List { json: false } => {
            let all: Vec<Stack> = server.all(&["stacks"], &[]).await?;
            stacks::print(all, "The server keeps no stack yet. Begin with: windflow stacks keep FILE")?;
        }
        StacksCommand::Show { stack, version } => render::result(&text(server, &stack, version).await?)?,
        StacksCommand::Keep { file, name, description } => {
            let text = document::read(&file)?;
            let name = versions::name_of(&text, name.as_deref())?;
            let kept = keep(server, &name, description.as_deref(), &text).await?;
            render::line(&versions::is_kept(&name, kept.version));
        }
        StacksCommand::Versions { stack, json } => {
            versions::print(&server.all::<versions::Listed>(&["stacks", &stack, "versions"], &[]).await?, json)?;
        }
        StacksCommand::Compare { stack, since, to, json } => {
            let to = match to {
                Some(to) => to,
                None => server.get::<Stack>(&["stacks", &stack]).await?.version,
            };
            let request = server.request(Method::GET, &["stacks", &stack, "versions", &to.to_string(), "changes"]);
            let query: Vec<_> = since.map(|since| ("since", since.to_string())).into_iter().collect();
            versions::print_compared(&server.ask(with_query(request, &query)?).await?, json)?;
        }
        StacksCommand::Restore { stack, version } => {
            let path = ["stacks", &stack, "versions", &version.to_string(), "restore"];
            let kept: Stack = server.ask(server.request(Method::POST, &path)).await?;
            render::line(&versions::is_kept(&stack, kept.version));
        }
        StacksCommand::Clone { stack, name, version } => {
            let body = json!({ "name": name, "version": version });
            let request = server.request(Method::POST, &["stacks", &stack, "clone"]).json(&body);
            let kept: Stack = server.ask(request).await?;
            render::line(&versions::is_kept(&name, kept.version));
        }
        StacksCommand::Forget { stack } => {
            server.send(server.request(Method::DELETE, &["stacks", &stack])).await?;
            render::line(&versions::forgotten(&stack));
        }
        // It only reads a file, wherever that is asked for.
        StacksCommand::Validate { .. } => return Err(super::of_this_machine()),
        StacksCommand::Status { on, json } => {
            let id = current(server, &on).await?;
            stacks::print_status(&on, server.get(&["deployments", &id, "status"]).await?, json)?;
        }
        StacksCommand::Logs { on, services, follow, tail } => {
            logs(server, &current(server, &on).await?, &services, follow, tail).await?;
        }
        StacksCommand::Scale { on, services } => {
            let replicas: serde_json::Map<_, _> =
                services.into_iter().map(|(name, count)| (name, json!(count))).collect();
            let id = current(server, &on).await?;
            let request = server.request(Method::POST, &["deployments", &id, "scale"]);
            return begun(server, request.json(&json!({ "replicas": replicas }))).await;
        }
        StacksCommand::Rollback { on, to } => {
            let id = current(server, &on).await?;
            let to = match to {
                Some(to) => vec![("to", find(server, &to).await?.id)],
                None => Vec::new(),
            };
            return begun(server, with_query(server.request(Method::POST, &["deployments", &id, "rollback"]), &to)?)
                .await;
        }
        StacksCommand::Stop { on, services } => act(server, &on, "stop", &services).await?,
        StacksCommand::Start { on, services } => act(server, &on, "start", &services).await?,
        StacksCommand::Restart { on, services } => act(server, &on, "restart", &services).await?,
        StacksCommand::Remove { on, volumes, yes } => {
            let id = current(server, &on).await?;
            stacks::confirm_removal(&on, volumes, yes)?;
            let request = server.request(Method::DELETE, &["deployments", &id]);
            server.send(with_query(request, &[("volumes", volumes.to_string())])?).await?;
            let and = if volumes { ", its volumes, too" } else { "; its volumes stay" };
            render::result(&format!("{} is removed from {}{and}", on.stack, on.target))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The deployment of a stack that is good on a target: the newest that ended well, or the newest of all.
async fn current(server: &Server, on: &OnTarget) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Found {
        id: String,
        status: Status,
    }
    let query = [("stack", on.stack.clone()), ("target", on.target.clone())];
    let all: Vec<Found> = server.all(&["deployments"], &query).await?;
    let good = all.iter().rev().find(|found| found.status.is_good());
    let found = good.or(all.last()).map(|found| found.id.clone());
    found.ok_or_else(|| {
        let OnTarget { stack, target } = on;
        invalid(format!(
            "the server has deployed no stack {stack} to {target}; `windflow deployments list` shows what it has"
        ))
    })
}

async fn begun(server: &Server, request: reqwest::RequestBuilder) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Begun {
        id: String,
    }
    let begun: Begun = server.ask(request).await?;
    to_the_end(server, &begun.id, false).await
}

async fn act(server: &Server, on: &OnTarget, action: &str, services: &[String]) -> anyhow::Result<()> {
    let id = current(server, on).await?;
    let body = json!({ "action": action, "services": services });
    // Each container may take its time to end.
    let done = server.send(server.request(Method::POST, &["deployments", &id, "actions"]).json(&body)).await?;
    let done: Vec<String> = serde_json::from_slice(&super::reply::body(done).await?)?;
    if done.is_empty() {
        render::line(&format!("nothing of {} is on {}", on.stack, on.target));
    }
    done.iter().try_for_each(|line| render::result(line))
}

/// Prints what the containers of a deployment's stack write.
///
/// # Errors
/// As [`Server::send`], and where the target is gone.
pub(super) async fn logs(
    server: &Server,
    deployment: &str,
    services: &[String],
    follow: bool,
    tail: u32,
) -> anyhow::Result<()> {
    let mut query = vec![("tail", tail.to_string())];
    // Of several services the server tells all, of which those are printed.
    if let [service] = services {
        query.push(("service", service.clone()));
    }
    let is_wanted = |line: &LogLine| services.is_empty() || services.contains(&line.service);
    if !follow {
        let request = with_query(server.request(Method::GET, &["deployments", deployment, "logs"]), &query)?;
        let lines: Vec<LogLine> = server.ask(request).await?;
        return lines.into_iter().filter(is_wanted).try_for_each(stacks::print_line);
    }
    let request = with_query(server.request(Method::GET, &["deployments", deployment, "logs", "live"]), &query)?;
    let mut events = Events::new(server.send(request).await?);
    let told = async {
        while let Some(event) = events.next().await? {
            match event.kind.as_str() {
                "line" => {
                    let line: LogLine = serde_json::from_str(&event.data)?;
                    if is_wanted(&line) {
                        stacks::print_line(line)?;
                    }
                }
                "error" => return Err(crate::deploying::told(&serde_json::from_str::<DriverError>(&event.data)?)),
                "end" => return Ok(()),
                _ => {}
            }
        }
        anyhow::bail!("the server ended the connection")
    };
    tokio::select! {
        told = told => told,
        interrupt = interrupted() => Ok(interrupt?),
    }
}
