//! Walking known paths in the JSON where it lies.

use serde_json::Value;

use super::budget::{Budget, Fault};
use super::code::{Path, Step};
use super::lookup::{Incoming, Lookup};
use super::path::missing_key;
use super::reference::Target;
use super::value::V;

/// What a path leads to.
pub(super) enum Found<'a> {
    Borrowed(&'a Value),
    Built(V<'a>),
}

impl<'a> Found<'a> {
    pub(super) fn value(self) -> V<'a> {
        match self {
            Self::Borrowed(value) => V::borrowed(value),
            Self::Built(value) => value,
        }
    }

    /// As JSON. What is borrowed is handed on as it is, numbers beyond 64 bits included.
    pub(super) fn into_json(self, budget: &mut Budget) -> Result<Value, Fault> {
        match self {
            Self::Borrowed(value) => {
                budget.copy(value)?;
                Ok(value.clone())
            }
            Self::Built(value) => value.into_json(budget, 0),
        }
    }
}

/// Walks a path.
pub(super) fn walk<'a>(path: &Path, scope: &'a dyn Lookup) -> Result<Found<'a>, Fault> {
    let root = match &path.target {
        Target::Inputs(_) => Some(scope.inputs()),
        Target::Input => match scope.input() {
            Incoming::Nothing => None,
            Incoming::One(json) => Some(json.value()),
            Incoming::Several(outputs) => {
                let Some((Step::Field(node), rest)) = path.steps.split_first() else {
                    let fields = outputs.iter().map(|(node, json)| (node.as_str().into(), V::borrowed(json.value())));
                    let all = V::Map(std::rc::Rc::new(fields.collect()));
                    return if path.steps.is_empty() {
                        Ok(Found::Built(all))
                    } else {
                        steps(all, path, 0).map(Found::Built)
                    };
                };
                let Some((_, json)) = outputs.iter().find(|(id, _)| id.as_str() == &**node) else {
                    return Err(no_key(path, 0, node, outputs.iter().map(|(id, _)| id.as_str())));
                };
                return borrowed(json.value(), path, path.steps.len() - rest.len());
            }
        },
        Target::Item => scope.item().map(|(item, _)| item),
        Target::ItemIndex => return built(scope.item().map(|(_, index)| V::Int(i64::from(index))), path),
        Target::Output(node) => scope.node_output(node).map(crate::json::Json::value),
        Target::Trigger => scope.trigger(),
        Target::Error(node) => return built(scope.node_error(node).map(V::owned), path),
        Target::Status(node) => return built(scope.node_status(node).map(V::Text), path),
        Target::Callback(node) => return built(scope.callback(node).map(|at| V::Built(at.into())), path),
        Target::RunId => return built(scope.run_id().map(|id| V::Built(id.into())), path),
    };
    match root {
        Some(root) => borrowed(root, path, 0),
        None => built(None, path),
    }
}

fn built<'a>(root: Option<V<'a>>, path: &Path) -> Result<Found<'a>, Fault> {
    steps(root.unwrap_or(V::Null), path, 0).map(Found::Built)
}

/// Walks from `at` on without making a value of what lies between.
fn borrowed<'a>(mut value: &'a Value, path: &Path, at: usize) -> Result<Found<'a>, Fault> {
    for (at, step) in path.steps.iter().enumerate().skip(at) {
        let next = match (step, value) {
            (Step::Field(key), Value::Object(fields)) => match fields.get(&**key) {
                Some(next) => next,
                None => return Err(no_key(path, at, key, fields.keys().map(String::as_str))),
            },
            (Step::Index(index), Value::Array(items)) => {
                match usize::try_from(*index).ok().and_then(|index| items.get(index)) {
                    Some(next) => next,
                    None => return Err(no_index(*index, items.len())),
                }
            }
            _ => return Err(no_step(path, at, &V::borrowed(value))),
        };
        value = next;
    }
    Ok(Found::Borrowed(value))
}

fn steps<'a>(mut value: V<'a>, path: &Path, from: usize) -> Result<V<'a>, Fault> {
    for (at, step) in path.steps.iter().enumerate().skip(from) {
        value = match step {
            Step::Field(key) => match value.field(key) {
                Ok(Some(next)) => next,
                Ok(None) => return Err(no_key(path, at, key, keys(&value))),
                Err(()) => return Err(no_step(path, at, &value)),
            },
            Step::Index(index) => match value.items() {
                Some(items) => match usize::try_from(*index).ok().and_then(|index| items.get(index)) {
                    Some(next) => next,
                    None => return Err(no_index(*index, items.len())),
                },
                None => return Err(no_step(path, at, &value)),
            },
        };
    }
    Ok(value)
}

/// The keys of a map.
pub(super) fn keys<'b>(value: &'b V<'_>) -> Vec<&'b str> {
    match value {
        V::Json(Value::Object(fields)) => fields.keys().map(String::as_str).collect(),
        V::Map(fields) => fields.keys().map(|key| &**key).collect(),
        _ => Vec::new(),
    }
}

fn no_key<'a>(path: &Path, at: usize, key: &str, present: impl IntoIterator<Item = &'a str>) -> Fault {
    Fault::new(format!("no such key: `{}` has no `{key}`", name(path, at))).remedy_if(missing_key(key, present))
}

pub(super) fn no_index(index: i64, length: usize) -> Fault {
    Fault::new(format!("index {index} is outside the list, which has {length} items"))
}

fn no_step(path: &Path, at: usize, value: &V<'_>) -> Fault {
    let fault = Fault::new(format!("`{}` is {}: there is nothing within it", name(path, at), value.kind()));
    match (&path.target, value, at) {
        (Target::Output(node), V::Null, 0) => fault.remedy(format!(
            "where `{node}` did not run or failed its output is null: ask `nodes.{node}.status == \"succeeded\"` first"
        )),
        (Target::Error(node), V::Null, 0) => fault.remedy(format!(
            "where `{node}` did not fail its error is null: ask `nodes.{node}.status == \"failed\"` first"
        )),
        _ => fault,
    }
}

/// The path up to a step, as text.
fn name(path: &Path, until: usize) -> String {
    use std::fmt::Write as _;
    let mut text = path.target.to_string();
    for step in &path.steps[..until] {
        let _ = match step {
            Step::Field(key) => write!(text, ".{key}"),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}
