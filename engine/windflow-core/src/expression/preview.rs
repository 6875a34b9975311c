//! What a field with expressions would be, on the data of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Incoming, Lookup, Template};
use crate::id::NodeId;
use crate::json::Json;
use crate::place::Place;
use crate::problem::Problem;
use crate::yaml;

/// What expressions read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Scope {
    inputs: Value,
    nodes: BTreeMap<String, NodeData>,
    #[serde(deserialize_with = "kept")]
    input: Option<Json>,
    item: Option<Value>,
    item_index: u32,
    trigger: Option<Value>,
    run: Option<String>,
}

/// What is known of a node that ran.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeData {
    #[serde(deserialize_with = "kept")]
    output: Option<Json>,
    error: Option<Value>,
    status: Option<String>,
}

/// The request is told apart by its `op`, so that its values are no longer text when they come here.
fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.map(Json::from))
}

impl Scope {
    fn node(&self, id: &NodeId) -> Option<&NodeData> {
        self.nodes.get(id.as_str())
    }
}

impl Lookup for Scope {
    fn inputs(&self) -> &Value {
        &self.inputs
    }

    fn input(&self) -> Incoming<'_> {
        self.input.as_ref().map_or(Incoming::Nothing, Incoming::One)
    }

    fn item(&self) -> Option<(&Value, u32)> {
        self.item.as_ref().map(|item| (item, self.item_index))
    }

    fn node_output(&self, node: &NodeId) -> Option<&Json> {
        self.node(node)?.output.as_ref()
    }

    fn node_error(&self, node: &NodeId) -> Option<Value> {
        self.node(node)?.error.clone()
    }

    fn node_status(&self, node: &NodeId) -> Option<&str> {
        self.node(node)?.status.as_deref()
    }

    fn run_id(&self) -> Option<String> {
        self.run.clone()
    }

    fn trigger(&self) -> Option<&Value> {
        self.trigger.as_ref()
    }
}

/// The value of a template.
///
/// # Errors
/// Why it has none; the place is that in the text of the template, where that is one text.
pub fn preview(template: &Value, scope: &Scope) -> Result<Value, Problem> {
    parse(template)?
        .render(scope)
        .map_err(|error| Problem::error("no_value", &error.place, error.message).remedy_if(error.remedy))
}

fn parse(template: &Value) -> Result<Template, Problem> {
    let place = Place { line: 1, column: 1, bytes: 0..template.as_str().map_or(0, str::len) };
    let mut problems = Vec::new();
    let parsed = match template {
        Value::String(text) => {
            let scalar = yaml::Scalar {
                value: template.clone(),
                text: text.clone(),
                block: false,
                source: Some(text.as_str().into()),
            };
            Some(Template::from_yaml(&yaml::Node { place, kind: yaml::Kind::Scalar(scalar) }, &mut problems))
        }
        _ => Template::from_json(template, &place).map_err(|found| problems.extend(found)).ok(),
    };
    match (parsed, problems.into_iter().next()) {
        (Some(parsed), None) => Ok(parsed),
        (_, Some(problem)) => Err(problem),
        (None, None) => Err(Problem::document("no_value", "this has no value")),
    }
}
