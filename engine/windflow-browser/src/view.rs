//! A workflow as the canvas and the forms show it.

use serde_json::{Map, Value, json};
use windflow_core::plan::{FiresOn, dependencies};
use windflow_core::workflow::{Join, Node, Workflow};
use windflow_core::yaml::{self, Kind};

use crate::text::Utf16;

/// What is shown as it was written.
const AS_WRITTEN: [&str; 8] =
    ["with", "if", "for_each", "concurrency", "on_item_error", "retry", "timeout", "on_unknown"];

pub(crate) fn view(text: &str, workflow: &Workflow, offsets: &Utf16) -> Value {
    let root = yaml::parse(text, yaml::Limits::default()).0;
    let written = root.as_ref().map(yaml::Node::to_json).unwrap_or_default();
    let section = |key: &str| written.get(key).filter(|value| value.is_object()).cloned().unwrap_or_else(|| json!({}));
    let nodes: Vec<Value> =
        workflow.nodes.values().map(|node| node_view(node, &written, root.as_ref(), offsets)).collect();
    let mut view = json!({
        "name": workflow.name.value,
        "inputs": section("inputs"),
        "triggers": section("triggers"),
        "permissions": section("permissions"),
        "outputs": section("outputs"),
        "nodes": nodes,
        "edges": edges(workflow),
        "notes": workflow.notes,
        "layout": workflow.layout,
    });
    for key in ["description", "folder", "tags", "timeout"] {
        if let (Some(value), Some(view)) = (written.get(key), view.as_object_mut()) {
            view.insert(key.to_owned(), value.clone());
        }
    }
    view
}

fn node_view(node: &Node, written: &Value, root: Option<&yaml::Node>, offsets: &Utf16) -> Value {
    let id = node.id.value.as_str();
    let raw = written.get("nodes").and_then(|nodes| nodes.get(id));
    let needs = node
        .needs
        .as_ref()
        .map(|needs| needs.iter().map(|need| json!({ "node": need.node, "port": need.port })).collect::<Vec<_>>());
    let mut fields = Map::new();
    fields.insert("id".into(), json!(id));
    fields.insert("title".into(), json!(node.title.as_ref().map(|title| &title.value)));
    let uses = raw.and_then(|raw| raw.get("uses")).cloned().unwrap_or_default();
    fields.insert("uses".into(), uses);
    fields.insert("needs".into(), json!(needs));
    fields.insert("join".into(), json!(if node.join == Join::Any { "any" } else { "all" }));
    fields.insert("compensate".into(), json!(node.compensate.as_ref().map(|by| &by.value)));
    fields.insert("compensates".into(), json!(node.compensates));
    fields.insert("disabled".into(), json!(node.disabled));
    for key in AS_WRITTEN {
        if let Some(value) = raw.and_then(|raw| raw.get(key)) {
            fields.insert(key.to_owned(), value.clone());
        }
    }
    fields.entry("with").or_insert_with(|| json!({}));
    let start = node.id.place.bytes.start;
    let end = root.and_then(|root| body(root, id)).map_or(node.id.place.bytes.end, |body| body.place.bytes.end);
    fields.insert("from".into(), json!(offsets.of(start)));
    fields.insert("to".into(), json!(offsets.of(end)));
    Value::Object(fields)
}

fn body<'n>(root: &'n yaml::Node, id: &str) -> Option<&'n yaml::Node> {
    get(get(root, "nodes")?, id)
}

fn get<'n>(node: &'n yaml::Node, key: &str) -> Option<&'n yaml::Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(found, _)| found.value == key).map(|(_, value)| value)
}

/// `needs`: written. `reference`: an expression reads from the node, and nothing else says when to start. `order`: an
/// expression reads from it, and only waits for it.
fn edges(workflow: &Workflow) -> Vec<Value> {
    let mut edges = Vec::new();
    for node in workflow.nodes.values() {
        for dependency in dependencies(workflow, node) {
            let kind = match (dependency.is_need, node.needs.is_some()) {
                (true, true) => "needs",
                (true, false) => "reference",
                (false, _) => "order",
            };
            let port = match &dependency.fires_on {
                FiresOn::Port(port) => Some(port.as_str()),
                FiresOn::Error => Some("error"),
                FiresOn::Success | FiresOn::Settled => None,
            };
            edges.push(json!({ "from": dependency.on_node, "port": port, "to": node.id.value, "kind": kind }));
        }
    }
    edges
}

/// Nodes and where each begins, in the order of the file.
pub(crate) fn extents(workflow: &Workflow) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> =
        workflow.nodes.values().map(|node| (node.id.value.to_string(), node.id.place.bytes.start)).collect();
    all.sort_by_key(|(_, start)| *start);
    all
}

/// Whether a place is within the section `nodes`, whose end is the next key at the left edge.
pub(crate) fn is_in_nodes(text: &str, at: usize) -> bool {
    let before = &text[..at.min(text.len())];
    let left_edge = before.lines().rfind(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    left_edge.is_some_and(|line| line.starts_with("nodes"))
}
