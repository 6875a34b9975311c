//! What a node gives the workflow that it runs, held against the inputs that this one declares.

use serde_json::Value;

use super::super::{Input, Node, Workflow, config};
use crate::expression::{Field, Kind, Shapes};
use crate::place::Spanned;
use crate::problem::{Problem, did_you_mean, list};

/// Every input that is unknown, missing, or of the wrong type, as far as that is plainly written or follows from what is declared.
pub(super) fn check(node: &Node, child: &Workflow, shapes: &Shapes<'_>, problems: &mut Vec<Problem>) {
    let inputs = node.with.get("inputs");
    let none = indexmap::IndexMap::new();
    let given = match inputs.map(|inputs| &inputs.kind) {
        Some(Kind::Map(fields)) => fields,
        None => &none,
        // An expression decides when the node runs; anything else is no map, which its configuration says.
        Some(_) => return,
    };
    let name = &child.name.value;
    for (key, field) in given {
        match child.inputs.get(key.as_str()) {
            Some(input) => fits(key, field, input, child, shapes, problems),
            None => {
                let known = child.inputs.keys().map(String::as_str);
                let message = format!("the workflow `{name}` has no input `{key}`");
                let remedy = did_you_mean(key, known.clone()).unwrap_or_else(|| match child.inputs.len() {
                    0 => "it takes none".to_owned(),
                    _ => format!("its inputs are {}", list(known)),
                });
                problems.push(Problem::error("unknown_child_input", &field.key, message).remedy(remedy));
            }
        }
    }
    let required = child.inputs.iter().filter(|(_, input)| input.value.default.is_none());
    for (input, _) in required.filter(|(input, _)| !given.contains_key(input.as_str())) {
        let place = inputs.map_or(&node.uses.place, |inputs| &inputs.place);
        let message = format!("the workflow `{name}` needs the input `{input}`");
        problems.push(
            Problem::error("missing_child_input", place, message).remedy(format!("add `{input}: …` to `inputs`")),
        );
    }
}

fn fits(
    key: &str,
    field: &Field,
    input: &Spanned<Input>,
    child: &Workflow,
    shapes: &Shapes<'_>,
    problems: &mut Vec<Problem>,
) {
    let (schema, name) = (&input.value.schema, &child.name.value);
    for misfit in config::misfits(&field.value, &input.value.checker) {
        let message =
            format!("the workflow `{name}` does not take this as its input `{key}`{}: {}", misfit.at(), misfit.message);
        problems.push(Problem::error("invalid_child_input", misfit.place, message).remedy(misfit.remedy(schema)));
    }
    let Some(shape) = field.value.shape(shapes) else { return };
    let (takes, gives) = (config::types(schema), config::types(&shape));
    if takes.is_empty() || gives.is_empty() || gives.iter().any(|kind| takes.iter().any(|takes| is_like(kind, takes))) {
        return;
    }
    let message = format!(
        "the workflow `{name}` does not take this as its input `{key}`: it takes {}, and this gives {}",
        list(takes.clone()),
        list(gives)
    );
    let remedy = converted(&takes).unwrap_or_else(|| "give it a value of that type".to_owned());
    problems.push(Problem::error("invalid_child_input", &field.value.place, message).remedy(remedy));
}

/// Whether some values are of both types.
fn is_like(one: &str, other: &str) -> bool {
    let is_number = |kind: &str| matches!(kind, "integer" | "number");
    one == other || (is_number(one) && is_number(other))
}

/// The function that makes a value of a type.
fn converted(takes: &[&str]) -> Option<String> {
    let function = match *takes.first()? {
        "string" => "string",
        "integer" => "int",
        "number" => "double",
        "boolean" => "bool",
        _ => return None,
    };
    Some(format!("write ${{{{ {function}(…) }}}} where the value can be one"))
}

/// What the schema says of a run's inputs.
pub(super) fn inputs(workflow: &Workflow) -> Value {
    let properties = workflow.inputs.iter().map(|(name, input)| (name.clone(), input.value.schema.clone()));
    serde_json::json!({ "type": "object", "properties": properties.collect::<serde_json::Map<_, _>>() })
}
