//! `windflow state …` of a server.

use std::process::ExitCode;

use reqwest::Method;
use serde::Deserialize;
use windflow_core::id::WorkflowName;
use windflow_runtime::{Keeper, KeptValue};

use super::server::{Page, Server, with_query};
use crate::cli::StateCommand;
use crate::commands::state::{keepers, show, told_cleared, values};

pub(super) async fn run(server: &Server, command: StateCommand) -> anyhow::Result<ExitCode> {
    match command {
        StateCommand::List { workflow: None, json } => keepers(&all::<Keeper>(server, &["state"]).await?, json),
        StateCommand::List { workflow: Some(workflow), json } => {
            let path = ["workflows", workflow.as_str(), "state"];
            values(&workflow, &all::<KeptValue>(server, &path).await?, json)
        }
        StateCommand::Show { workflow, key } => {
            let path = ["workflows", workflow.as_str(), "state"];
            let page: Page<KeptValue> = server.page(&path, &[("key", key.clone())], None).await?;
            show(&workflow, &key, page.items.into_iter().next())
        }
        StateCommand::Clear { workflow, key } => clear(server, &workflow, key.as_deref()).await,
    }
}

async fn clear(server: &Server, workflow: &WorkflowName, key: Option<&str>) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Cleared {
        cleared: u64,
    }
    let request = server.request(Method::DELETE, &["workflows", workflow.as_str(), "state"]);
    let query: Vec<_> = key.map(|key| ("key", key.to_owned())).into_iter().collect();
    let Cleared { cleared } = server.ask(with_query(request, &query)?).await?;
    told_cleared(workflow, key, cleared)
}

async fn all<T: serde::de::DeserializeOwned>(server: &Server, path: &[&str]) -> anyhow::Result<Vec<T>> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page: Page<T> = server.page(path, &[("limit", "500".to_owned())], cursor.as_deref()).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}
