//! Node types for tests of documents.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "this is a test")]

use std::sync::Arc;

use serde_json::{Value, json};
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::{Manifest, NodeType};
use windflow_core::ports::host::{InstalledNodeType, Registry};

pub(crate) struct Installed(Vec<(NodeTypeRef, InstalledNodeType)>);

impl Registry for Installed {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.iter().find(|(known, _)| known == uses).map(|(_, installed)| installed.clone())
    }
    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.0.clone()
    }
}

fn node_type(config: Value, ports: Value, ports_from: Value) -> NodeType {
    let text = json!({"en": "text"});
    serde_json::from_value(json!({
        "title": text, "description": text, "category": "other", "icon": "lucide:box",
        "ports": ports, "ports_from": ports_from, "config": config,
    }))
    .unwrap()
}

fn plugin(name: &str, capabilities: Value, node_type: NodeType) -> (NodeTypeRef, InstalledNodeType) {
    let manifest: Manifest = serde_json::from_value(json!({
        "plugin": {"name": name, "version": "1.2.0", "description": {"en": "text"}},
        "capabilities": capabilities,
        "node": {name: node_type},
    }))
    .unwrap();
    let installed = InstalledNodeType {
        manifest: Arc::new(manifest),
        name: name.into(),
        component: Digest::of(name.as_bytes()),
        pure: true,
    };
    (format!("{name}@1").parse().unwrap(), installed)
}

/// Types that are shaped as the shipped ones are.
pub(crate) fn registry() -> Installed {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let http = json!({
        "url": {"type": "string"},
        "method": {"enum": ["GET", "POST", "PUT"]},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "timeout_ms": {"type": "integer", "minimum": 1},
        "credential": {"type": "string"},
        "body": {"anyOf": [{"type": "object", "properties": {"json": true}, "required": ["json"], "additionalProperties": false},
                           {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": false}]},
        "redirects": {"type": "object", "properties": {"follow": {"type": "boolean"}, "max": {"type": "integer"}}, "additionalProperties": false},
    });
    let sends = json!({"http": ["*"]});
    let nothing = json!({});
    let ports = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Value>();
    Installed(vec![
        plugin(
            "condition",
            nothing.clone(),
            node_type(
                object(json!({"if": {"type": "boolean"}}), json!(["if"])),
                ports(&["true", "false"]),
                Value::Null,
            ),
        ),
        plugin("http", sends.clone(), node_type(object(http, json!(["url"])), ports(&[]), Value::Null)),
        plugin(
            "log",
            nothing.clone(),
            node_type(
                object(
                    json!({"message": {"type": "string"}, "level": {"enum": ["info", "warn"], "default": "info"}}),
                    json!(["message"]),
                ),
                ports(&[]),
                Value::Null,
            ),
        ),
        plugin(
            "look",
            json!({"clock": true, "random": true}),
            node_type(object(json!({}), json!([])), ports(&[]), Value::Null),
        ),
        plugin(
            "slack",
            sends,
            node_type(
                object(
                    json!({"credential": {"type": "string"}, "text": {"type": "string"}}),
                    json!(["credential", "text"]),
                ),
                ports(&[]),
                Value::Null,
            ),
        ),
        plugin(
            "switch",
            nothing.clone(),
            node_type(
                object(json!({"value": true, "cases": {"type": "object"}}), json!(["value", "cases"])),
                ports(&["default"]),
                json!("cases"),
            ),
        ),
        plugin(
            "transform",
            nothing,
            node_type(
                object(
                    json!({"input": {"default": "${{ input }}"}, "jq": {"type": "string"}, "pick": {"type": "array", "items": {"type": "string"}}}),
                    json!(["input"]),
                ),
                ports(&[]),
                Value::Null,
            ),
        ),
    ])
}
