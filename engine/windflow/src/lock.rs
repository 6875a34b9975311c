//! `windflow.lock`: which components workflows run, and what they may touch, as somebody agreed to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::RequestedCapabilities;
use windflow_core::native::Native;
use windflow_core::ports::host::Registry;
use windflow_core::workflow::{Child, Children, Workflow};
use windflow_core::yaml;

use crate::commands::document;
use crate::exit::invalid;

mod compare;

/// The format that is written. A later one is refused.
const VERSION: u32 = 1;

const HEAD: &str = "# What these workflows run, and what that may touch. Check it in: `windflow check FILE… --locked` fails where it differs.\n\
# Made by `windflow lock`.\n\n";

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Lock {
    lock: u32,
    /// By their paths, relative to the file.
    pub(crate) workflows: BTreeMap<String, LockedWorkflow>,
    #[serde(default)]
    node_types: BTreeMap<NodeTypeRef, LockedNodeType>,
}

/// A workflow with all that it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LockedWorkflow {
    node_types: BTreeSet<NodeTypeRef>,
    /// What it grants, as it is written.
    #[serde(default)]
    permissions: Map<String, Value>,
}

/// The component behind a node type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LockedNodeType {
    plugin: String,
    version: semver::Version,
    component: Digest,
    /// It can touch nothing, whatever it asks for.
    pure: bool,
    #[serde(default)]
    capabilities: RequestedCapabilities,
}

impl Default for Lock {
    fn default() -> Self {
        Self { lock: VERSION, workflows: BTreeMap::new(), node_types: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads the file; none where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is none.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let text = document::read(path)?;
        let lock: Self = toml::from_str(&text).map_err(|error| {
            let shown = path.display();
            invalid(format!(
                "{shown} cannot be read: {error}\nMake it anew with `windflow lock`, and look at what changed"
            ))
        })?;
        if lock.lock > VERSION {
            return Err(invalid(format!("{} was written by a newer windflow: use that one", path.display())));
        }
        Ok(Some(lock))
    }

    /// The file's text. The same workflows and components always give the same.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(format!("{HEAD}{}", toml::to_string(self)?))
    }

    /// Takes a valid workflow in, as it is now, with those that it runs and the components of all of them.
    pub(crate) fn add(
        &mut self,
        name: String,
        text: &str,
        workflow: &Workflow,
        children: &Children,
        registry: &dyn Registry,
    ) {
        let mut locked = LockedWorkflow::default();
        let mut documents = vec![(text.to_owned(), Some(workflow.clone()))];
        documents.extend(below(children).into_iter().map(|child| {
            let workflow = Workflow::parse(&child.document).0;
            (child.document.clone(), workflow)
        }));
        for (text, workflow) in documents {
            grant(&mut locked.permissions, &text);
            for node in workflow.iter().flat_map(|workflow| workflow.nodes.values()) {
                let uses = &node.uses.value;
                // What the engine does itself comes and goes with it.
                let Some(installed) = registry.get(uses).filter(|_| Native::find(uses).is_none()) else { continue };
                locked.node_types.insert(uses.clone());
                let plugin = &installed.manifest.plugin;
                let node_type = LockedNodeType {
                    plugin: plugin.name.clone(),
                    version: plugin.version.clone(),
                    component: installed.component,
                    pure: installed.pure,
                    capabilities: installed.manifest.capabilities.clone(),
                };
                self.node_types.insert(uses.clone(), node_type);
            }
        }
        self.workflows.insert(name, locked);
    }

    /// Forgets what no workflow uses any more.
    pub(crate) fn tidy(&mut self) {
        let Self { workflows, node_types, .. } = self;
        node_types.retain(|uses, _| workflows.values().any(|workflow| workflow.node_types.contains(uses)));
    }
}

/// All that run, at every depth.
fn below(children: &Children) -> Vec<&Child> {
    children.0.values().flat_map(|child| std::iter::once(child).chain(below(&child.children))).collect()
}

/// Adds what a document grants, as it is written there.
fn grant(to: &mut Map<String, Value>, text: &str) {
    let (node, _) = yaml::parse(text, yaml::Limits::default());
    let Some(document) = node.map(|node| node.to_json()) else { return };
    for (name, value) in document["permissions"].as_object().into_iter().flatten() {
        match (to.get_mut(name), value) {
            (Some(Value::Array(known)), Value::Array(more)) => {
                known.extend(more.iter().filter(|item| !known.contains(item)).cloned().collect::<Vec<_>>());
            }
            _ => {
                to.insert(name.clone(), value.clone());
            }
        }
    }
}
