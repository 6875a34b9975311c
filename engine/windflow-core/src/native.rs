//! The node types that need the engine and no sandbox.

use std::sync::{Arc, LazyLock};

use crate::id::{Digest, NodeTypeRef};
use crate::manifest::Manifest;
use crate::ports::host::{InstalledNodeType, Registry};

/// A node type that the engine itself offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Native {
    /// Waits for a time, or until an instant.
    Wait,
    /// Waits until another system reports back.
    Callback,
    /// Waits until a person approves or rejects.
    Approval,
    /// Runs another workflow.
    Workflow,
}

impl Native {
    /// The node type of that name, where it is one of the engine's own.
    #[must_use]
    pub fn find(uses: &NodeTypeRef) -> Option<Self> {
        match (&*uses.name, uses.major) {
            ("wait", 1) => Some(Self::Wait),
            ("callback", 1) => Some(Self::Callback),
            ("approval", 1) => Some(Self::Approval),
            ("workflow", 1) => Some(Self::Workflow),
            _ => None,
        }
    }
}

const SOURCE: &str = include_str!("native/plugin.json");

/// Their description has the form of a plugin's. A test reads it.
static MANIFEST: LazyLock<Option<Arc<Manifest>>> = LazyLock::new(|| serde_json::from_str(SOURCE).ok().map(Arc::new));

fn installed(uses: &NodeTypeRef) -> Option<InstalledNodeType> {
    Native::find(uses)?;
    let manifest = MANIFEST.clone()?;
    let component = Digest::of(SOURCE.as_bytes());
    Some(InstalledNodeType { manifest, name: uses.name.clone(), component, pure: false })
}

/// What is installed together with what the engine offers by itself, which nothing installed can replace.
pub struct WithNative<'a, R: ?Sized>(pub &'a R);

impl<R: Registry + ?Sized> Registry for WithNative<'_, R> {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        installed(uses).or_else(|| self.0.get(uses))
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        let names = MANIFEST.iter().flat_map(|manifest| manifest.nodes.keys());
        let native = names.filter_map(|name| {
            let uses = NodeTypeRef { name: name.as_str().into(), major: 1 };
            installed(&uses).map(|found| (uses, found))
        });
        let mut all: Vec<_> =
            native.chain(self.0.list().into_iter().filter(|(uses, _)| installed(uses).is_none())).collect();
        all.sort_by(|(a, _), (b, _)| (&a.name, a.major).cmp(&(&b.name, b.major)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_a_manifest_and_names_what_there_is() {
        let manifest = MANIFEST.clone().expect("it is a manifest");
        for (name, node_type) in &manifest.nodes {
            let uses = NodeTypeRef { name: name.as_str().into(), major: 1 };
            assert!(Native::find(&uses).is_some(), "{name}");
            assert!(crate::schema::Checker::new(&node_type.config).is_ok(), "{name}");
            for language in ["en", "fr"] {
                assert!(node_type.title.0.contains_key(language) && node_type.description.0.contains_key(language));
                for field in node_type.config["properties"].as_object().unwrap().keys() {
                    let text = node_type.fields.get(field).unwrap_or_else(|| panic!("{name}: {field}"));
                    assert!(
                        text.title.0.contains_key(language) && text.description.0.contains_key(language),
                        "{field}"
                    );
                }
                for port in &node_type.ports {
                    assert!(port.description.0.contains_key(language), "{name}: {}", port.name);
                }
            }
        }
    }
}
