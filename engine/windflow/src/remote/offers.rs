//! What a server offers: the node types of `windflow plugins`, and what `windflow templates` finds.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::{Manifest, Text};
use windflow_core::ports::host::{InstalledNodeType, Registry};
use windflow_marketplace::manifest::Kind;

use super::registries;
use super::server::Server;
use crate::cli::{PluginsCommand, TemplatesCommand};
use crate::commands::templates::Found;
use crate::commands::{plugins, templates};
use crate::render;

pub(super) async fn on_plugins(server: &Server, command: PluginsCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginsCommand::List { json } => plugins::list(&node_types(server).await?, json)?,
        PluginsCommand::Show { name, json } => plugins::show(&node_types(server).await?, None, &name, json)?,
        _ => return Err(super::of_this_machine()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The node types that a server has.
struct NodeTypes(Vec<(NodeTypeRef, InstalledNodeType)>);

impl Registry for NodeTypes {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.iter().find(|(found, _)| found == uses).map(|(_, installed)| installed.clone())
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.0.clone()
    }
}

async fn node_types(server: &Server) -> anyhow::Result<NodeTypes> {
    let all: Vec<NodeType> = server.all(&["node-types"], &[]).await?;
    let all = all.into_iter().map(|found| {
        let uses = found.uses.clone();
        let installed = InstalledNodeType::try_from(found);
        Ok((
            uses.clone(),
            installed.with_context(|| format!("{uses} is described in a way that is new to this command"))?,
        ))
    });
    Ok(NodeTypes(all.collect::<anyhow::Result<_>>()?))
}

/// A node type, as the API shows it.
#[derive(Deserialize)]
struct NodeType {
    uses: NodeTypeRef,
    plugin: Value,
    component: Digest,
    pure: bool,
    capabilities: Value,
    #[serde(rename = "type")]
    about: Value,
    config: Value,
    output: Option<Value>,
}

impl TryFrom<NodeType> for InstalledNodeType {
    type Error = serde_json::Error;

    fn try_from(found: NodeType) -> Result<Self, serde_json::Error> {
        let NodeType { uses, plugin, component, pure, capabilities, mut about, config, output } = found;
        about["config"] = config;
        if let Some(output) = output {
            about["output"] = output;
        }
        let node = Value::Object([(uses.name.to_string(), about)].into_iter().collect());
        let manifest: Manifest =
            serde_json::from_value(json!({ "plugin": plugin, "capabilities": capabilities, "node": node }))?;
        Ok(Self { manifest: Arc::new(manifest), name: uses.name, component, pure })
    }
}

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
