//! `windflow templates registry …` of a server.

use std::process::ExitCode;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::run::Timestamp;

use super::server::{Page, Server};
use crate::cli::RegistryCommand;
use crate::render::{self, table::table};

pub(super) async fn run(server: &Server, command: RegistryCommand) -> anyhow::Result<ExitCode> {
    match command {
        // It is made of files of this machine.
        RegistryCommand::Make { .. } => return Err(super::of_this_machine()),
        // There are few: they are one page.
        RegistryCommand::List { json: true } => {
            render::json(&server.get::<Page<Value>>(&["registries"]).await?.items)?;
        }
        RegistryCommand::List { json: false } => list(server.get::<Page<_>>(&["registries"]).await?.items)?,
        RegistryCommand::Add { name, address, key } => {
            let wanted = json!({ "name": name, "address": address, "key": key });
            let added = server.ask(server.request(Method::POST, &["registries"]).json(&wanted)).await?;
            told(&added)?;
        }
        RegistryCommand::Refresh { name } => {
            let request = server.request(Method::POST, &["registries", &name, "refresh"]);
            told(&server.ask(request).await?)?;
        }
        RegistryCommand::Remove { name } => {
            server.send(server.request(Method::DELETE, &["registries", &name])).await?;
            render::line(&format!("the registry {name} is forgotten; what was installed from it stays"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A registry, as the API shows it.
#[derive(Deserialize)]
struct Registered {
    name: String,
    address: String,
    sequence: u64,
    templates: usize,
    fetched_at: Timestamp,
    error: Option<String>,
}

fn list(all: Vec<Registered>) -> anyhow::Result<()> {
    if all.is_empty() {
        render::line("The server takes templates from no other registry.");
        return Ok(());
    }
    let mut rows = vec![["REGISTRY", "ADDRESS", "TEMPLATES", "INDEX", "FETCHED", "STATE"].map(String::from).to_vec()];
    for one in all {
        let state = one.error.unwrap_or_else(|| "as it should be".to_owned());
        let fetched = render::time(one.fetched_at);
        rows.push(vec![one.name, one.address, one.templates.to_string(), one.sequence.to_string(), fetched, state]);
    }
    render::result(&table(&rows))
}

fn told(one: &Registered) -> anyhow::Result<()> {
    let Registered { name, templates, sequence, error, .. } = one;
    match error {
        None => render::result(&format!("{name}: {templates} templates, index {sequence}")),
        Some(why) => render::result(&format!(
            "{name}: {templates} templates, index {sequence}; its index could not be got: {why}"
        )),
    }
}
