//! `windflow plugins …` of a server: its node types, and what is installed there while it runs.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use reqwest::{Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::Manifest;
use windflow_core::ports::host::{InstalledNodeType, Registry};
use windflow_core::ports::plugins::{PluginBefore, PluginPreview};

use super::server::{Server, with_query};
use crate::cli::{Global, InstallPluginArgs, PluginsCommand};
use crate::commands::plugins::{self, consent, install};
use crate::exit::invalid;
use crate::render;

pub(super) async fn run(server: &Server, global: &Global, command: PluginsCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginsCommand::List { json } => plugins::list(&node_types(server).await?, json)?,
        PluginsCommand::Show { name, json } => plugins::show(&node_types(server).await?, None, &name, json)?,
        PluginsCommand::Install(args) => put(server, global, args).await?,
        PluginsCommand::Remove { name } => {
            server.send(server.request(Method::DELETE, &["plugins", &name])).await?;
            render::line(&format!(
                "{} {name} from the server; runs that began with it go on until the server is started again",
                render::status("removed")
            ));
        }
        PluginsCommand::Update(_) => {
            return Err(invalid(
                "a server does not keep where its plugins came from\n  = `windflow plugins install FILE|URL --server URL` puts a new version into the place of the one before",
            ));
        }
        _ => return Err(super::of_this_machine()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Gets a package here, has somebody agree to what the server says of it, and sends it there.
async fn put(server: &Server, global: &Global, args: InstallPluginArgs) -> anyhow::Result<()> {
    let (global, yes) = (global.clone(), args.yes);
    // Building and downloading wait.
    let fetched = tokio::task::spawn_blocking(move || install::wanted(&global, &args)).await??;
    let sent = |request: reqwest::RequestBuilder| {
        request.header(header::CONTENT_TYPE, "application/wasm").body(fetched.bytes.clone())
    };
    let preview: PluginPreview = server.ask(sent(server.request(Method::POST, &["plugins", "preview"]))).await?;
    if preview.digest != fetched.package.digest {
        // Whatever is between here and there changed it: nobody agrees to that.
        return Err(invalid(format!(
            "the server got another package than was sent: {} and not {}",
            preview.digest, fetched.package.digest
        )));
    }
    if preview.installed {
        install::unchanged(&preview);
        return Ok(());
    }
    consent::ask(&consent::describe(&preview, &fetched.source), yes)?;
    // Whoever agreed saw what grew, and what stops.
    let more = preview.before.as_ref().is_some_and(|before| !before.more.is_empty());
    let stops = preview.before.as_ref().is_some_and(PluginBefore::stops_workflows);
    let agreed = [
        ("digest", preview.digest.to_string()),
        ("may_do_more", more.to_string()),
        ("may_stop_workflows", stops.to_string()),
    ];
    let request = with_query(server.request(Method::POST, &["plugins"]), &agreed)?;
    server.ask::<Value>(sent(request)).await?;
    install::done(&preview);
    Ok(())
}

/// The node types that a server has.
pub(super) struct NodeTypes(Vec<(NodeTypeRef, InstalledNodeType)>);

impl Registry for NodeTypes {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.iter().find(|(found, _)| found == uses).map(|(_, installed)| installed.clone())
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.0.clone()
    }
}

pub(super) async fn node_types(server: &Server) -> anyhow::Result<NodeTypes> {
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
