//! The grammar of workflow files.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::read::{Fields, Reader};
use super::{Input, Permissions, Workflow, concurrency, labels, node, note, outputs, trigger};
use crate::capability::{EventPattern, HttpPattern, InvalidEventPattern};
use crate::expression::{Template, reserved};
use crate::id::NodeId;
use crate::place::Spanned;
use crate::problem::{self, Problem};
use crate::schema::Checker;
use crate::yaml;

/// The version of the format that this release reads.
pub const FORMAT: u64 = 1;

const KEYS: &[&str] = &[
    "windflow",
    "name",
    "description",
    "folder",
    "tags",
    "inputs",
    "triggers",
    "permissions",
    "nodes",
    "outputs",
    "concurrency",
    "timeout",
    "notes",
    "layout",
];

pub(super) fn parse(text: &str) -> (Option<Workflow>, Vec<Problem>) {
    let (root, mut problems) = yaml::parse(text, yaml::Limits::default());
    let mut reader = Reader::default();
    let workflow = root.as_ref().and_then(|root| document(&mut reader, root));
    problems.append(&mut reader.problems);
    problem::sort(&mut problems);
    (workflow, problems)
}

fn document(reader: &mut Reader, root: &yaml::Node) -> Option<Workflow> {
    let fields = reader.map(root, "a workflow", KEYS)?;
    version(reader, &fields);
    let name = reader.required(&fields, "name").and_then(|node| {
        let text = reader.text(node, "`name`")?;
        reader.id("invalid_name", text, &node.place).map(|name| Spanned::new(name, node.place.clone()))
    });
    let description = fields.get("description").and_then(|node| {
        reader.text(node, "`description`").map(|text| Spanned::new(text.to_owned(), node.place.clone()))
    });
    let folder = fields.get("folder").and_then(|node| labels::folder(reader, node));
    let tags = fields.get("tags").map(|node| labels::tags(reader, node)).unwrap_or_default();
    let inputs = fields.get("inputs").map(|node| inputs(reader, node)).unwrap_or_default();
    let triggers = fields.get("triggers").map(|node| trigger::triggers(reader, node)).unwrap_or_default();
    let permissions = fields.get("permissions").map(|node| permissions(reader, node)).unwrap_or_default();
    let nodes = reader.required(&fields, "nodes").map(|node| node::nodes(reader, node)).unwrap_or_default();
    let outputs = fields.get("outputs").map(|node| outputs::parse(reader, node)).unwrap_or_default();
    let concurrency = fields.get("concurrency").and_then(|node| concurrency::parse(reader, node));
    let timeout = fields.get("timeout").and_then(|node| node::timeout(reader, node));
    let notes = fields.get("notes").map(|node| note::notes(reader, node)).unwrap_or_default();
    let layout = fields.get("layout").map(|node| layout(reader, node, &nodes)).unwrap_or_default();
    layout_is_last(reader, &fields);
    let name = name.or_else(|| Some(Spanned::new("unnamed".parse().ok()?, root.place.clone())))?;
    let unreadable = std::mem::take(&mut reader.unreadable);
    Some(Workflow {
        name,
        description,
        folder,
        tags,
        inputs,
        triggers,
        permissions,
        nodes,
        outputs,
        concurrency,
        timeout,
        notes,
        layout,
        unreadable,
    })
}

fn version(reader: &mut Reader, fields: &Fields<'_>) {
    let Some(node) = reader.required(fields, "windflow") else { return };
    match node.to_json().as_u64() {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            reader.error_with(
                "format_version",
                &node.place,
                format!("this file is of format {newer}"),
                "use a newer release of windflow",
            );
        }
        _ => {
            reader.error_with("format_version", &node.place, "this is no version of the format", "write `windflow: 1`");
        }
    }
}

fn inputs(reader: &mut Reader, node: &yaml::Node) -> IndexMap<String, Spanned<Input>> {
    let mut inputs = IndexMap::new();
    let Some(fields) = reader.open_map(node, "`inputs`") else { return inputs };
    for (key, node) in fields.iter() {
        name(reader, key, "an input");
        reader.unreadable.insert(format!("inputs.{}", key.value));
        let Some(map) = reader.open_map(node, "an input") else { continue };
        let default = map.get("default").map(yaml::Node::to_json);
        let mut schema = node.to_json();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("default");
            if let Some(required) =
                map.key("required").filter(|_| schema.get("required").is_some_and(serde_json::Value::is_boolean))
            {
                schema.remove("required");
                reader.error_with(
                    "unknown_key",
                    &required.place,
                    "an input has no key `required`",
                    "an input without a `default` is required",
                );
            }
        }
        match Checker::new(&schema) {
            Ok(checker) => {
                reader.unreadable.remove(&format!("inputs.{}", key.value));
                let input = Input { schema, checker: Arc::new(checker), default };
                inputs.insert(key.value.clone(), Spanned::new(input, key.place.clone()));
            }
            Err(error) => {
                let message = format!("input `{}`: {error}", key.value);
                reader.error_with(
                    "invalid_schema",
                    &node.place,
                    message,
                    "write a JSON Schema, such as { type: string }",
                );
            }
        }
    }
    inputs
}

/// Names that expressions use are identifiers of CEL.
pub(super) fn name(reader: &mut Reader, key: &Spanned<String>, what: &str) {
    let text = &key.value;
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fits {
        let message = format!("{what} cannot be called `{text}`: expressions could not name it");
        reader.error_with(
            "invalid_name",
            &key.place,
            message,
            "use letters, digits and _, 64 at most, not beginning with a digit",
        );
    } else if let Some(why) = reserved(text) {
        reader.error_with("invalid_name", &key.place, why, "choose another name");
    }
}

fn permissions(reader: &mut Reader, node: &yaml::Node) -> Permissions {
    const KEYS: [&str; 9] = ["http", "credentials", "docker", "email", "state", "files", "events", "clock", "random"];
    let Some(fields) = reader.map(node, "`permissions`", &KEYS) else { return Permissions::default() };
    let http = fields.get("http").map(|node| reader.list(node, "`http`")).unwrap_or_default();
    let http = http.iter().filter_map(|item| {
        reader.text(item, "a host")?;
        let template = reader.template(item);
        if let Some(Err(error)) = template.as_str().map(str::parse::<HttpPattern>) {
            reader.error("invalid_host", &item.place, error.to_string());
        }
        Some(template)
    });
    let http = http.collect();
    let credentials = names(reader, &fields, "credentials", "a credential");
    let docker = names(reader, &fields, "docker", "a target");
    let email = fields.get("email").map(|node| reader.list(node, "`email`")).unwrap_or_default();
    let email = email.iter().filter_map(|item| mail_server(reader, item)).collect();
    let mut granted =
        |key: &str| fields.get(key).and_then(|node| reader.bool(node, &format!("`{key}`"))).unwrap_or(false);
    let (state, files, clock, random) = (granted("state"), granted("files"), granted("clock"), granted("random"));
    let events = fields.get("events").map(|node| reader.list(node, "`events`")).unwrap_or_default();
    let events = events.iter().filter_map(|item| event(reader, item)).collect();
    Permissions { http, credentials, docker, email, state, files, events, clock, random }
}

/// An event, or all that begin so.
fn event(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<EventPattern>> {
    match reader.text(node, "an event")?.parse() {
        Ok(pattern) => Some(Spanned::new(pattern, node.place.clone())),
        Err(error) => {
            let error: InvalidEventPattern = error;
            reader.error("invalid_event", &node.place, error.to_string());
            None
        }
    }
}

/// A host of which the port is told: mail has no one port of its own.
fn mail_server(reader: &mut Reader, node: &yaml::Node) -> Option<Spanned<HttpPattern>> {
    let text = reader.text(node, "a mail server")?;
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port == "*" || port.parse::<u16>().is_ok());
    match text.parse() {
        Ok(pattern) if has_port && !text.contains("//") => Some(Spanned::new(pattern, node.place.clone())),
        Ok(_) => {
            let message = format!("`{text}` is no mail server: its port is missing");
            let remedy = "write host and port, as in smtp.example.org:587";
            reader.error_with("invalid_host", &node.place, message, remedy);
            None
        }
        Err(error) => {
            reader.error("invalid_host", &node.place, error.to_string());
            None
        }
    }
}

/// A list of names.
fn names(reader: &mut Reader, fields: &Fields<'_>, key: &'static str, what: &'static str) -> Vec<Spanned<String>> {
    let items = fields.get(key).map(|node| reader.list(node, &format!("`{key}`"))).unwrap_or_default();
    let name = |item: &yaml::Node| Some(Spanned::new(reader.text(item, what)?.to_owned(), item.place.clone()));
    items.iter().filter_map(name).collect()
}

/// Templates by name.
pub(super) fn templates(reader: &mut Reader, node: &yaml::Node, what: &'static str) -> IndexMap<String, Template> {
    let mut templates = IndexMap::new();
    let Some(fields) = reader.open_map(node, what) else { return templates };
    for (key, node) in fields.iter() {
        name(reader, key, "an entry");
        templates.insert(key.value.clone(), reader.template(node));
    }
    templates
}

fn layout(reader: &mut Reader, node: &yaml::Node, nodes: &IndexMap<NodeId, super::Node>) -> BTreeMap<NodeId, [f64; 2]> {
    let mut layout = BTreeMap::new();
    let Some(fields) = reader.open_map(node, "`layout`") else { return layout };
    for (key, node) in fields.iter() {
        if reader.unreadable.contains(&format!("nodes.{}", key.value)) {
            continue;
        }
        let Some((id, _)) = nodes.get_key_value(key.value.as_str()) else {
            let remedy = problem::did_you_mean(&key.value, nodes.keys().map(NodeId::as_str));
            let problem = Problem::warning(
                "unknown_node",
                &key.place,
                format!("`layout` places `{}`, which is no node", key.value),
            );
            reader.problems.push(problem.remedy_if(remedy));
            continue;
        };
        let numbers: Vec<f64> =
            reader.list(node, "a place").iter().filter_map(|item| item.to_json().as_f64()).collect();
        match numbers[..] {
            [x, y] if x.is_finite() && y.is_finite() => drop(layout.insert(id.clone(), [x, y])),
            _ => reader.error_with("wrong_type", &node.place, "a place is two numbers", "write it as [x, y]"),
        }
    }
    layout
}

fn layout_is_last(reader: &mut Reader, fields: &Fields<'_>) {
    let Some(layout) = fields.key("layout") else { return };
    if fields.iter().last().is_some_and(|(key, _)| key.value != "layout") {
        let problem = Problem::warning("layout_not_last", &layout.place, "`layout` is not the last key");
        reader.problems.push(
            problem.remedy("move it to the end, so that changes of the drawing do not hide changes of the logic"),
        );
    }
}
