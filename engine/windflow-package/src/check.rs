//! What a manifest must keep beyond its shape.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;
use windflow_core::id::{MAX_NAME_BYTES, PortName};
use windflow_core::manifest::{ERROR_PORT, FieldText, Manifest, NodeType, Text, choices, inner};
use windflow_core::problem::did_you_mean;
use windflow_core::schema::check_bounds;

use crate::error::PackageError;

type Checked = Result<(), PackageError>;

pub(crate) fn wrong(key: impl Into<String>, problem: impl Into<String>) -> PackageError {
    PackageError::Manifest { key: key.into(), problem: problem.into() }
}

/// Checks names, texts, ports and the kind of the schemas.
pub(crate) fn manifest(manifest: &Manifest) -> Checked {
    name("plugin.name", &manifest.plugin.name)?;
    text("plugin.description", &manifest.plugin.description)?;
    let asked = &manifest.capabilities;
    if asked.credentials && asked.http.is_empty() && !asked.email {
        return Err(wrong(
            "capabilities.credentials",
            "is asked for without `http` or `email`: a credential goes into requests and signs in to mail servers, so ask for one of them as well",
        ));
    }
    if !asked.hands_files.is_empty() && !asked.docker {
        return Err(wrong(
            "capabilities.hands_files",
            "is asked for without `docker`: files are handed to targets, so ask for `docker` as well",
        ));
    }
    if asked.hands_files.iter().any(|path| path.split('.').any(str::is_empty)) {
        return Err(wrong(
            "capabilities.hands_files",
            "names no field of a configuration: write it as \"action.build.folder\"",
        ));
    }
    if manifest.nodes.is_empty() {
        return Err(wrong("node", "offers no node type: write at least one table [node.<name>]"));
    }
    for (node_name, node) in &manifest.nodes {
        name("node", node_name)?;
        node_type(&format!("node.{node_name}"), node)?;
    }
    Ok(())
}

fn node_type(key: &str, node: &NodeType) -> Checked {
    text(&format!("{key}.title"), &node.title)?;
    text(&format!("{key}.description"), &node.description)?;
    if node.icon.is_empty() {
        return Err(wrong(format!("{key}.icon"), "is empty: name an icon, such as \"lucide:globe\""));
    }
    schema(&format!("{key}.config"), &node.config)?;
    fields(&format!("{key}.fields"), node)?;
    if let Some(output) = &node.output {
        schema(&format!("{key}.output"), output)?;
    }
    if node.ports_from.as_ref().is_some_and(String::is_empty) {
        return Err(wrong(format!("{key}.ports_from"), "is empty: name a key of the configuration, or leave it out"));
    }
    ports(&format!("{key}.ports"), node)
}

/// Texts of fields that the schema does not have would never be seen.
fn fields(key: &str, node: &NodeType) -> Checked {
    for (name, text) in &node.fields {
        let Some(schema) = node.config["properties"].get(name) else {
            return Err(wrong(key, format!("has texts for `{name}`, which the configuration does not have")));
        };
        field(&format!("{key}.{name}"), name, text, &[schema])?;
    }
    Ok(())
}

/// The schemas are those that the field has, wherever it is in what it belongs to.
fn field(key: &str, name: &str, text: &FieldText, schemas: &[&Value]) -> Checked {
    let known: BTreeSet<String> = schemas.iter().flat_map(|schema| choices(schema).into_keys()).collect();
    for (word, texts) in [("values", &text.values), ("names", &text.names)] {
        if let Some(value) = texts.keys().find(|value| !known.contains(*value)) {
            let near = near(value, known.iter().map(String::as_str));
            let problem = format!("has a text for `{value}`, which `{name}` cannot be{near}");
            return Err(wrong(format!("{key}.{word}"), problem));
        }
    }
    let mut within: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (inner, found) in schemas.iter().flat_map(|schema| inner(schema)) {
        within.entry(inner).or_default().extend(found);
    }
    for (inner, text) in &text.fields {
        let Some(schemas) = within.get(inner.as_str()) else {
            let near = near(inner, within.keys().copied());
            let problem = format!("has texts for `{inner}`, which `{name}` does not have{near}");
            return Err(wrong(format!("{key}.fields"), problem));
        };
        field(&format!("{key}.fields.{inner}"), inner, text, schemas)?;
    }
    Ok(())
}

fn near<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(written, known).map_or_else(String::new, |near| format!("; {near}"))
}

fn ports(key: &str, node: &NodeType) -> Checked {
    let mut seen = HashSet::new();
    for port in &node.ports {
        if let Err(error) = port.name.parse::<PortName>() {
            return Err(wrong(key, format!("holds a bad name: {error}")));
        }
        if port.name == ERROR_PORT {
            return Err(wrong(key, "holds `error`, which every node has of itself: leave it out"));
        }
        if !seen.insert(&port.name) {
            return Err(wrong(key, format!("holds `{}` twice: leave one out", port.name)));
        }
        if !port.description.is_empty() {
            text(&format!("{key}.{}.description", port.name), &port.description)?;
        }
    }
    Ok(())
}

fn schema(key: &str, schema: &Value) -> Checked {
    if !schema.is_object() && !schema.is_boolean() {
        return Err(wrong(key, "is no JSON Schema: one is an object, or `true` for anything"));
    }
    // Configurations are held against it where documents are checked: nothing may be waited for there.
    check_bounds(schema).map_err(|error| wrong(key, format!("cannot be taken: {error}")))
}

fn name(key: &str, name: &str) -> Checked {
    let good = name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if good {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(wrong(
        key,
        format!(
            "is named {shown:?}: begin with a lower-case letter and use only a-z, 0-9 and -, {MAX_NAME_BYTES} at most"
        ),
    ))
}

fn text(key: &str, text: &Text) -> Checked {
    if text.get("en").trim().is_empty() {
        return Err(wrong(key, "has no English text: write it as { en = \"…\" }, other languages beside it"));
    }
    Ok(())
}
