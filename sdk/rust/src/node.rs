//! A node type and how it is called.

use serde::de::DeserializeOwned;

use crate::{Emit, NodeError, RawEmission};

/// A node type, made by `#[node]`.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// As the manifest names it.
    pub name: &'static str,
    /// Runs it on a configuration in JSON.
    pub execute: fn(&[u8]) -> Result<RawEmission, NodeError>,
    /// What its configuration and output look like.
    #[cfg(not(target_arch = "wasm32"))]
    pub schemas: fn() -> crate::schema::Schemas,
}

/// Runs one node type of several.
///
/// # Errors
///
/// When there is none of that name, or as it fails itself.
pub fn execute(nodes: &[Node], node_type: &str, config: &[u8]) -> Result<RawEmission, NodeError> {
    match nodes.iter().find(|node| node.name == node_type) {
        Some(node) => (node.execute)(config),
        None => {
            let mut message = String::from("this plugin has no node type `");
            message.push_str(node_type);
            message.push_str("`: its code and its plugin.toml disagree; build it again");
            Err(NodeError::new("unknown_node_type", message))
        }
    }
}

/// Runs a function on a configuration in JSON.
///
/// # Errors
///
/// With code `invalid_config` when the configuration does not fit the type, or as the function fails itself.
pub fn run<C: DeserializeOwned, E: Emit>(
    function: fn(C) -> Result<E, NodeError>,
    config: &[u8],
) -> Result<RawEmission, NodeError> {
    let config = serde_json::from_slice(config).map_err(|error| invalid_config(&error))?;
    function(config)?.emit()
}

// Not generic: one copy serves all node types of a plugin.
fn invalid_config(error: &serde_json::Error) -> NodeError {
    let mut message = error.to_string();
    message.insert_str(0, "the configuration does not fit the node type: ");
    NodeError::new("invalid_config", message)
}
