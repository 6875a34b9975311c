//! The node types of the server, as its API tells them.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::{Manifest, NodeType, PluginInfo, RequestedCapabilities};
use windflow_core::ports::host::{InstalledNodeType, Registry};

/// A node type as the API tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct NodeTypeView {
    uses: String,
    plugin: PluginInfo,
    component: String,
    pure: bool,
    #[serde(default)]
    capabilities: RequestedCapabilities,
    #[serde(rename = "type")]
    about: serde_json::Map<String, Value>,
    config: Value,
    #[serde(default)]
    output: Option<Value>,
}

/// The node types that validation knows.
#[derive(Default)]
pub(crate) struct Installed(HashMap<NodeTypeRef, InstalledNodeType>);

impl Installed {
    pub(crate) fn new(views: Vec<NodeTypeView>) -> Result<Self, String> {
        views.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }
}

fn one(view: NodeTypeView) -> Result<(NodeTypeRef, InstalledNodeType), String> {
    let uses: NodeTypeRef = view.uses.parse().map_err(|error| format!("{}: {error}", view.uses))?;
    let mut about = view.about;
    about.insert("config".to_owned(), view.config);
    if let Some(output) = view.output {
        about.insert("output".to_owned(), output);
    }
    let node_type: NodeType =
        serde_json::from_value(Value::Object(about)).map_err(|error| format!("{uses}: {error}"))?;
    let name: Arc<str> = uses.name.to_string().into();
    let nodes = IndexMap::from([(name.to_string(), node_type)]);
    let manifest = Arc::new(Manifest { plugin: view.plugin, capabilities: view.capabilities, nodes });
    // Nothing is run here: which component it is does not matter, as long as two are told apart.
    let component = Digest::of(view.component.as_bytes());
    Ok((uses, InstalledNodeType { manifest, name, component, pure: view.pure }))
}

impl Registry for Installed {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.get(uses).cloned()
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        let mut all: Vec<_> = self.0.iter().map(|(uses, installed)| (uses.clone(), installed.clone())).collect();
        all.sort_by(|(a, _), (b, _)| (&a.name, a.major).cmp(&(&b.name, b.major)));
        all
    }
}
