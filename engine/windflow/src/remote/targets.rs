//! `windflow targets` of a server.

use std::process::ExitCode;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use windflow_stacks::driver::{Facts, RegistryLogin};
use windflow_stacks::target::{Credentials, New, Target};

use super::reply::Refused;
use super::server::Server;
use crate::cli::{ListTargetsArgs, TargetsCommand};
use crate::commands::{document, targets};
use crate::{exit, render};

pub(super) async fn run(server: &Server, command: TargetsCommand) -> anyhow::Result<ExitCode> {
    match command {
        TargetsCommand::List(args) => list(server, args).await?,
        TargetsCommand::Show { target, json } => targets::print_one(server.get(&["targets", &target]).await?, json)?,
        TargetsCommand::Test { target, json } => {
            let request = server.request(Method::POST, &["targets", &target, "test"]);
            let facts: Facts = server.ask(request).await.map_err(not_reached)?;
            targets::print_facts(&facts, json)?;
        }
        TargetsCommand::Add(args) => {
            let (new, credentials) = targets::read(&args)?;
            let mut body = said(&new, &credentials);
            body["name"] = json!(new.name);
            server.send(server.request(Method::POST, &["targets"]).json(&body)).await?;
            render::line(&targets::added(&new.name));
        }
        TargetsCommand::Change(args) => {
            let credentials = targets::credentials(&args.credentials)?;
            let new = targets::changed(server.get(&["targets", &args.target]).await?, &args);
            change(server, &new, &credentials).await?;
            render::line(&format!("{} is changed", args.target));
        }
        TargetsCommand::Import { file } => return import(server, &document::read(&file)?).await,
        TargetsCommand::Login { target, registry, username } => {
            let login = RegistryLogin { username, password: targets::password()? };
            with_login(server, &target, &registry, login).await?;
            render::line(&format!("{target} logs in to {registry}"));
        }
        TargetsCommand::Logout { target, registry } => {
            with_login(server, &target, &registry, RegistryLogin::default()).await?;
            render::line(&format!("{target} logs in to {registry} no more"));
        }
        TargetsCommand::Remove { target } => {
            server.send(server.request(Method::DELETE, &["targets", &target])).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(server: &Server, args: ListTargetsArgs) -> anyhow::Result<()> {
    let environment = args.environment.map(|environment| environment.word().to_owned());
    let query = [("search", args.search), ("group", args.group), ("tag", args.tag), ("environment", environment)];
    let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let all: Vec<Value> = server.all(&["targets"], &query).await?;
    if args.json {
        return render::json(&all);
    }
    let all = all.into_iter().map(serde_json::from_value).collect::<Result<Vec<Target>, _>>()?;
    let none = if query.is_empty() {
        "The server knows no target yet. Describe one with: windflow targets add NAME ADDRESS"
    } else {
        "No target is like that. `windflow targets list` shows all."
    };
    targets::print(all, none)
}

/// What is said of a target, as the API takes it. What is not given of its credentials stays what it is.
fn said(new: &New, credentials: &Credentials) -> Value {
    let mut given = Map::new();
    for (field, value) in [
        ("ca", &credentials.ca),
        ("certificate", &credentials.certificate),
        ("key", &credentials.key),
        ("ssh_private_key", &credentials.ssh_private_key),
        ("ssh_host_keys", &credentials.ssh_host_keys),
    ] {
        given.extend(value.as_ref().map(|value| (field.to_owned(), json!(value))));
    }
    if !credentials.registries.is_empty() {
        given.insert("registries".to_owned(), json!(credentials.registries));
    }
    json!({
        "address": new.address, "environment": new.environment.word(), "groups": new.groups, "tags": new.tags,
        "description": new.description, "credentials": given,
    })
}

async fn change(server: &Server, new: &New, credentials: &Credentials) -> anyhow::Result<()> {
    let request = server.request(Method::PUT, &["targets", &new.name]).json(&said(new, credentials));
    server.send(request).await.map(drop)
}

async fn with_login(server: &Server, target: &str, registry: &str, login: RegistryLogin) -> anyhow::Result<()> {
    let Target { name, address, environment, groups, tags, description, .. } = server.get(&["targets", target]).await?;
    let new = New { name, address, environment, groups, tags, description };
    let registries = [(registry.to_owned(), login)].into();
    change(server, &new, &Credentials { registries, ..Credentials::default() }).await
}

async fn import(server: &Server, csv: &str) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Line {
        line: u64,
        name: Option<String>,
        refused: Option<String>,
    }
    let request = server.request(Method::POST, &["targets", "import"]).json(&json!({ "csv": csv }));
    let lines: Vec<Line> = server.ask(request).await?;
    let all_kept = lines.iter().all(|line| line.refused.is_none());
    for Line { line, name, refused } in lines {
        targets::print_imported(line, refused.map_or_else(|| Ok(name.unwrap_or_default()), Err))?;
    }
    Ok(if all_kept { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

/// A target that is known and cannot be reached is no mistake of whoever asks, as on this machine.
fn not_reached(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Refused>() {
        Some(why) if why.is_invalid() && why.status != StatusCode::NOT_FOUND => anyhow::anyhow!("{error}"),
        _ => error,
    }
}
