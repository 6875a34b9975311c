//! Adding, removing and moving nodes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Draft, EditError, NewNode, map, root};
use crate::expression::reserved;
use crate::id::{NodeId, NodeTypeRef};

impl Draft {
    pub(super) fn add_node(&mut self, node: &NewNode) -> Result<(), EditError> {
        let uses: NodeTypeRef =
            node.uses.parse().map_err(|error| EditError::new("invalid_uses", format!("{error}")))?;
        let mut id = String::new();
        self.change(|document| {
            let fields = root(document)?;
            let nodes = map(fields, "nodes")?;
            id = free_id(nodes, node.id.as_deref().unwrap_or(&uses.name))?;
            nodes.insert(id.clone(), json_of(node));
            match node.at {
                Some(at) => place(document, &BTreeMap::from([(id.clone(), at)])),
                None => Ok(()),
            }
        })?;
        self.added.push(id);
        Ok(())
    }
}

fn json_of(node: &NewNode) -> Value {
    let mut fields = Map::new();
    if let Some(title) = &node.title {
        fields.insert("title".into(), json!(title));
    }
    fields.insert("uses".into(), json!(node.uses));
    if let Some(needs) = &node.needs {
        fields.insert("needs".into(), json!(needs));
    }
    if let Some(with) = node.with.as_ref().filter(|with| with.as_object().is_none_or(|with| !with.is_empty())) {
        fields.insert("with".into(), with.clone());
    }
    Value::Object(fields)
}

/// An id that no node has, as near as can be to the wanted one.
pub(super) fn free_id(nodes: &Map<String, Value>, wanted: &str) -> Result<String, EditError> {
    let mut name: String =
        wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).take(48).collect();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.insert_str(0, "node_");
    }
    let fits = |id: &str| !nodes.contains_key(id) && reserved(id).is_none() && id.parse::<NodeId>().is_ok();
    std::iter::once(name.clone())
        .chain((2..=nodes.len() + 3).map(|number| format!("{name}_{number}")))
        .find(|id| fits(id))
        .ok_or_else(|| EditError::new("invalid_name", format!("`{wanted}` cannot become the id of a node")))
}

pub(super) fn remove(document: &mut Value, ids: &[String]) -> Result<(), EditError> {
    let fields = root(document)?;
    let nodes = map(fields, "nodes")?;
    for id in ids {
        nodes.shift_remove(id).ok_or_else(|| EditError::no_such_node(id))?;
    }
    for node in nodes.values_mut().filter_map(Value::as_object_mut) {
        forget(node, ids);
    }
    let layout = fields.get_mut("layout").and_then(Value::as_object_mut);
    if let Some(layout) = layout {
        layout.retain(|id, _| !ids.contains(id));
        if layout.is_empty() {
            fields.shift_remove("layout");
        }
    }
    Ok(())
}

/// Takes what a node says about others away.
pub(super) fn forget(node: &mut Map<String, Value>, ids: &[String]) {
    let names_one =
        |need: &Value| need.as_str().is_some_and(|need| ids.iter().any(|id| need.split('.').next() == Some(id)));
    if node.get("compensate").is_some_and(names_one) {
        node.shift_remove("compensate");
    }
    let emptied = match node.get_mut("needs") {
        Some(Value::Array(needs)) => {
            let before = needs.len();
            needs.retain(|need| !names_one(need));
            needs.is_empty() && before > 0
        }
        Some(need) => names_one(need),
        None => false,
    };
    if emptied {
        node.shift_remove("needs");
        node.shift_remove("join");
    }
}

pub(super) fn place(document: &mut Value, positions: &BTreeMap<String, [f64; 2]>) -> Result<(), EditError> {
    let fields = root(document)?;
    let known: Vec<String> = map(fields, "nodes")?.keys().cloned().collect();
    let layout = map(fields, "layout")?;
    for (id, at) in positions {
        if !known.contains(id) {
            return Err(EditError::no_such_node(id));
        }
        layout.insert(id.clone(), pixels(*at));
    }
    Ok(())
}

/// A place or a size. Pixels have no fractions.
pub(super) fn pixels(pair: [f64; 2]) -> Value {
    Value::Array(pair.into_iter().map(whole).collect())
}

fn whole(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "bounded to what a canvas can show")]
    let whole = number.clamp(-1e6, 1e6).round() as i64;
    json!(whole)
}
