//! What a field with expressions would be, on the data of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use windflow_core::expression::{Incoming, Lookup, Template};
use windflow_core::id::NodeId;
use windflow_core::json::Json;
use windflow_core::place::Place;
use windflow_core::problem::Problem;
use windflow_core::yaml;

use crate::text::Utf16;

/// What expressions read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Scope {
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

/// `{"value"}`, or `{"error"}` with its place in the text of the template, where that is one text.
pub(crate) fn preview(template: &Value, scope: &Scope) -> Value {
    let rendered = parse(template).and_then(|parsed| {
        parsed
            .render(scope)
            .map_err(|error| Problem::error("no_value", &error.place, error.message).remedy_if(error.remedy))
    });
    match rendered {
        Ok(value) => json!({ "value": value }),
        Err(problem) => {
            let text = template.as_str().unwrap_or_default();
            let offsets = Utf16::new(text);
            json!({ "error": {
                "code": problem.code,
                "message": problem.message,
                "help": problem.remedy,
                "from": offsets.of(problem.place.bytes.start.min(text.len())),
                "to": offsets.of(problem.place.bytes.end.min(text.len())),
            } })
        }
    }
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
