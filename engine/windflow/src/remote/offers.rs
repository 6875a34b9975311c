//! What a server offers: what `windflow templates` finds.

use std::process::ExitCode;

use serde::Deserialize;
use serde_json::Value;
use windflow_core::manifest::Text;
use windflow_marketplace::manifest::Kind;

use super::registries;
use super::server::Server;
use crate::cli::TemplatesCommand;
use crate::commands::templates::{self, Found};
use crate::render;

pub(super) async fn on_templates(server: &Server, command: TemplatesCommand) -> anyhow::Result<ExitCode> {
    let (text, kind, category, tag, json) = match command {
        TemplatesCommand::Search { text, kind, category, tag, json } => (text, kind, category, tag, json),
        TemplatesCommand::Registry(command) => return registries::run(server, command).await,
        _ => return Err(super::of_this_machine()),
    };
    let mut query = Vec::new();
    query.extend(Some(text.join(" ")).filter(|text| !text.is_empty()).map(|text| ("q", text)));
    query.extend(kind.map(|kind| ("kind", Kind::from(kind).word().to_owned())));
    query.extend(category.map(|category| ("category", category)));
    query.extend(tag.map(|tag| ("tag", tag)));
    let all: Vec<Value> = server.all(&["templates"], &query).await?;
    if json {
        render::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let read = |one: Value| {
        let Template { name, kind, version, category, summary } = serde_json::from_value(one)?;
        let (kind, summary) = (kind.word(), summary.get("en").to_owned());
        Ok(Found { name, kind, version, category, summary })
    };
    templates::print(all.into_iter().map(read).collect::<anyhow::Result<_>>()?)?;
    Ok(ExitCode::SUCCESS)
}

/// A template, as the API lists it.
#[derive(Deserialize)]
struct Template {
    name: String,
    kind: Kind,
    version: String,
    category: String,
    summary: Text,
}
