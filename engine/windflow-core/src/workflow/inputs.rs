//! The inputs of a run.

use serde_json::{Map, Value};

use super::Workflow;
use crate::problem::{Problem, did_you_mean, list};

/// What was given, defaults filled in, held against the schemas.
pub(super) fn resolve(workflow: &Workflow, mut given: Map<String, Value>) -> Result<Value, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut resolved = Map::new();
    for (name, input) in &workflow.inputs {
        let value = match (given.remove(name), &input.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let message = format!("input `{name}` is required and was not given");
                let description = input.schema.get("description").and_then(Value::as_str);
                let remedy = format!(
                    "give it, for example with -i {name}=…{}",
                    description.map(|text| format!(" ({text})")).unwrap_or_default()
                );
                problems.push(Problem::error("missing_input", &input.place, message).remedy(remedy));
                continue;
            }
        };
        problems.extend(input.checker.check(&value).err().into_iter().flatten().map(|error| {
            Problem::error("invalid_input", &input.place, format!("input `{name}` does not fit its schema: {error}"))
        }));
        resolved.insert(name.clone(), value);
    }
    for name in given.keys() {
        let known = workflow.inputs.keys().map(String::as_str);
        let remedy = did_you_mean(name, known.clone()).unwrap_or_else(|| match workflow.inputs.len() {
            0 => "it has no inputs".to_owned(),
            _ => format!("its inputs are {}", list(known)),
        });
        problems.push(Problem::document("unknown_input", format!("the workflow has no input `{name}`")).remedy(remedy));
    }
    if problems.is_empty() { Ok(Value::Object(resolved)) } else { Err(problems) }
}

/// The value that a text means: itself where the schema wants text, else the JSON that it is.
pub(super) fn from_text(workflow: &Workflow, name: &str, text: &str) -> Value {
    let kind = workflow.inputs.get(name).and_then(|input| input.schema.get("type"));
    let wants_text = match kind {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    if wants_text {
        return Value::String(text.to_owned());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
