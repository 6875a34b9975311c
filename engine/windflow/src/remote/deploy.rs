//! `windflow deploy` at a server: the stack is kept there, and a run of the server deploys it.

use std::process::ExitCode;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::id::RunId;
use windflow_stacks::compose::is_project_name;
use windflow_stacks::deployment::{Deployment, Stack};
use windflow_stacks::plan::Plan;

use super::deploying::{Shown, text};
use super::follow::follow;
use super::reply::Refused;
use super::server::Server;
use crate::cli::DeployArgs;
use crate::commands::deploy::{self, confirm, show};
use crate::commands::document;
use crate::commands::stacks::versions::name_of;
use crate::exit::invalid;
use crate::render;

pub(super) async fn run(server: &Server, args: &DeployArgs) -> anyhow::Result<ExitCode> {
    if args.timeout.is_some() {
        return Err(no_timeout());
    }
    let source = Source::find(server, args).await?;
    let variables = deploy::variables(args)?;
    deploy::are_known(&source.text, &variables)?;
    let (name, target) = (&source.name, &args.target);
    let mut wanted = json!({ "variables": variables, "profiles": args.profile });
    let plan = plan(server, name, target, &with(&wanted, "text", json!(source.text))).await?;
    if args.plan {
        return show::plan(&plan, args.json).map(|()| ExitCode::SUCCESS);
    }
    let confirmed = source.confirmed(server, &wanted, &args.confirm).await?;
    if !args.yes && !plan.is_empty() {
        confirm::plan(&plan, name, target)?;
    }
    source.keep(server).await?;
    wanted = with(&with(&wanted, "confirm", json!(confirmed)), "version", json!(args.version));
    let begun: Begun =
        server.ask(server.request(Method::POST, &["stacks", name, "deploy", target]).json(&wanted)).await?;
    to_the_end(server, &begun.id, args.json).await
}

/// Why `--timeout` says nothing to a server.
pub(super) fn no_timeout() -> anyhow::Error {
    invalid("--timeout: how long services may take until they are up is the server's to say; leave it out")
}

/// What a deployment would change.
///
/// # Errors
/// As [`Server::ask`].
pub(super) async fn plan(server: &Server, stack: &str, target: &str, wanted: &Value) -> anyhow::Result<Plan> {
    server.ask(server.request(Method::POST, &["stacks", stack, "plan", target]).json(wanted)).await
}

/// What is asked for, with a field more.
pub(super) fn with(wanted: &Value, field: &str, value: Value) -> Value {
    let mut wanted = wanted.clone();
    wanted[field] = value;
    wanted
}

/// A deployment that was begun.
#[derive(Deserialize)]
struct Begun {
    id: String,
    run: Option<RunId>,
}

/// Shows a deployment until it has ended, and how it ended.
///
/// # Errors
/// As [`follow`].
pub(super) async fn to_the_end(server: &Server, id: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let path = ["deployments", id];
    if let Some(run) = server.get::<Begun>(&path).await?.run {
        follow(server, run, as_json).await?;
    }
    let shown: Value = server.get(&path).await?;
    let ended: Deployment = serde_json::from_value::<Shown>(shown.clone())?.into();
    if as_json {
        render::json(&shown)?;
        return Ok(deploy::status(&ended));
    }
    show::ended(&ended, false)
}

/// What is to be deployed.
struct Source {
    name: String,
    text: String,
    /// It is a file of this machine, which the server does not keep yet.
    is_file: bool,
}

impl Source {
    /// A file of this machine, or else a stack that the server keeps under this name.
    async fn find(server: &Server, args: &DeployArgs) -> anyhow::Result<Self> {
        let is_meant = |name: &&str| is_project_name(name) && (args.version.is_some() || !args.file.exists());
        if let Some(stack) = args.file.to_str().filter(is_meant)
            && is_kept(server, stack).await?
        {
            let (name, text) = (stack.to_owned(), text(server, stack, args.version).await?);
            return match &args.name {
                Some(other) if *other != name => {
                    Err(invalid(format!("{name} is kept under this name: leave --name {other} out")))
                }
                _ => Ok(Self { name, text, is_file: false }),
            };
        }
        if args.version.is_some() {
            return Err(deploy::of_no_stack(&args.file));
        }
        let text = document::read(&args.file)?;
        let name = name_of(&text, args.name.as_deref())?;
        Ok(Self { name, text, is_file: true })
    }

    /// The risks of it, each of which is confirmed, or was asked about.
    async fn confirmed(&self, server: &Server, wanted: &Value, confirmed: &[String]) -> anyhow::Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Preview {
            risks: Vec<Risk>,
        }
        let wanted = with(&with(wanted, "text", json!(self.text)), "name", json!(self.name));
        let Preview { risks } = server.ask(server.request(Method::POST, &["stacks", "preview"]).json(&wanted)).await?;
        Risk::confirmed(&self.name, risks, confirmed)
    }

    /// Has the server keep it: as a new stack, or as a new version where it is another text.
    async fn keep(&self, server: &Server) -> anyhow::Result<()> {
        if self.is_file { keep(server, &self.name, None, &self.text).await.map(drop) } else { Ok(()) }
    }
}

/// Has the server keep a stack: as a new one, or as a new version where it is another text.
pub(super) async fn keep(server: &Server, name: &str, description: Option<&str>, text: &str) -> anyhow::Result<Stack> {
    let mut body = json!({ "text": text });
    if let Some(description) = description {
        body["description"] = json!(description);
    }
    let request = if is_kept(server, name).await? {
        server.request(Method::PUT, &["stacks", name]).json(&body)
    } else {
        server.request(Method::POST, &["stacks"]).json(&with(&body, "name", json!(name)))
    };
    server.ask(request).await
}

/// Something that reaches beyond containers.
#[derive(Deserialize)]
pub(super) struct Risk {
    name: String,
    pub(super) what: String,
}

impl Risk {
    /// What confirms it on the command line.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names of all of them, once each is confirmed.
    ///
    /// # Errors
    /// Where one is not.
    pub(super) fn confirmed(stack: &str, all: Vec<Self>, confirmed: &[String]) -> anyhow::Result<Vec<String>> {
        let names = all.iter().map(|risk| risk.name.clone()).collect();
        confirm::named(stack, all.into_iter().map(|risk| (risk.name, risk.what)), confirmed)?;
        Ok(names)
    }
}

async fn is_kept(server: &Server, stack: &str) -> anyhow::Result<bool> {
    match server.get::<Stack>(&["stacks", stack]).await {
        Ok(_) => Ok(true),
        Err(error) if error.downcast_ref::<Refused>().is_some_and(|why| why.status == StatusCode::NOT_FOUND) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
