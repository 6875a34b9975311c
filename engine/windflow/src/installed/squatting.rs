//! Keeping a plugin from passing for another.

use windflow_core::manifest::Manifest;
use windflow_core::native::WithNative;
use windflow_core::ports::host::Registry;
use windflow_core::ports::plugins::{Alike, PluginError};
use windflow_core::problem;

use super::Entry;
use crate::builtins::{self, BuiltIn};

/// Refuses a plugin that is called as a built-in one or offers what a built-in one, the engine or another plugin offers, in any
/// version: `http@2` of a stranger is not the next version of `http`.
///
/// # Errors
/// [`PluginError::Taken`]: the name, and by whom it is taken.
pub(crate) fn refuse(manifest: &Manifest, own: &[String], installed: &[(Entry, Manifest)]) -> Result<(), PluginError> {
    let name = &manifest.plugin.name;
    if builtins::COMPONENTS.iter().any(|built_in| built_in.name == name) {
        return Err(PluginError::Taken(format!(
            "the plugin calls itself {name}, as a plugin that is part of windflow: its author has to choose another name"
        )));
    }
    for node in manifest.nodes.keys() {
        if own.iter().any(|own| own == node) {
            return Err(PluginError::Taken(format!(
                "the plugin {name} offers a node type `{node}`, and so does windflow itself: its author has to choose another name"
            )));
        }
        for (other, offers) in installed.iter().filter(|(other, _)| other.name != *name) {
            if offers.nodes.contains_key(node) {
                return Err(PluginError::Taken(format!(
                    "the plugin {name} offers a node type `{node}`, and so does the installed plugin {other}: keep one of them; \
                     `windflow plugins remove {other}` removes that one",
                    other = other.name
                )));
            }
        }
    }
    Ok(())
}

/// Names that are easily taken for those of built-in node types: whoever installs should look twice.
pub(crate) fn alike(manifest: &Manifest, own: &[String]) -> Vec<Alike> {
    let names = manifest.nodes.keys().chain([&manifest.plugin.name]);
    let mut found: Vec<Alike> = names
        .filter_map(|name| {
            let own = problem::nearest(name, own.iter().map(String::as_str)).filter(|near| near != name)?;
            Some(Alike { name: name.clone(), own: own.to_owned() })
        })
        .collect();
    found.dedup();
    found
}

/// The same, told.
pub(crate) fn alike_told(Alike { name, own }: &Alike) -> String {
    format!("`{name}` is spelt almost as windflow's own `{own}`, and has nothing to do with it")
}

/// The node types of the binary and of the engine.
///
/// # Errors
/// Where a built-in plugin is broken.
pub(crate) fn own() -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for BuiltIn { digest, bytes, .. } in builtins::COMPONENTS {
        names.extend(windflow_package::read_known(bytes, *digest)?.manifest.nodes.into_keys());
    }
    let native = WithNative(&Nothing);
    names.extend(native.list().iter().map(|(uses, _)| uses.name.to_string()));
    Ok(names)
}

/// Nothing is installed.
struct Nothing;

impl Registry for Nothing {
    fn get(&self, _: &windflow_core::id::NodeTypeRef) -> Option<windflow_core::ports::host::InstalledNodeType> {
        None
    }

    fn list(&self) -> Vec<(windflow_core::id::NodeTypeRef, windflow_core::ports::host::InstalledNodeType)> {
        Vec::new()
    }
}
