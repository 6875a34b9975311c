//! A document as JSON, and where each part of it stands.

use std::collections::BTreeMap;

use serde_json::Value;
use windflow_core::place::Place;
use windflow_core::problem::{self, Problem};
use windflow_core::yaml::{Kind, Node};

use super::interpolate::{Fault, interpolate};

pub(crate) struct Document<'a> {
    pub(crate) json: Value,
    node: &'a Node,
}

impl<'a> Document<'a> {
    pub(crate) fn new(node: &'a Node) -> Self {
        Self { json: node.to_json(), node }
    }

    /// Where the part at a path stands; what is not there stands where it is missing.
    pub(crate) fn place(&self, path: &[&str]) -> Place {
        self.find(path, false)
    }

    /// Where the key of a path stands.
    pub(crate) fn key(&self, path: &[&str]) -> Place {
        self.find(path, true)
    }

    fn find(&self, path: &[&str], key: bool) -> Place {
        let mut node = self.node;
        let mut place = &node.place;
        for (at, part) in path.iter().enumerate() {
            let next = match &node.kind {
                Kind::Map(entries) => entries.iter().find(|(name, _)| name.value == **part).map(|(name, value)| {
                    let wants_key = key && at + 1 == path.len();
                    (if wants_key { &name.place } else { &value.place }, value)
                }),
                Kind::List(items) => {
                    part.parse::<usize>().ok().and_then(|at| items.get(at)).map(|value| (&value.place, value))
                }
                Kind::Scalar(_) => None,
            };
            let Some((found, value)) = next else { break };
            (place, node) = (found, value);
        }
        place.clone()
    }
}

/// Fills variables in, in every value. Keys, and what is ours alone (`x-…`), are left as they are.
pub(crate) fn fill_in(node: &mut Node, values: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let lookup = |name: &str| values.get(name).cloned();
    fill(node, values, &lookup, problems);
}

fn fill(
    node: &mut Node,
    values: &BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) {
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| fill(item, values, lookup, problems)),
        Kind::Map(entries) => {
            let entries = entries.iter_mut().filter(|(key, _)| !key.value.starts_with("x-"));
            entries.for_each(|(_, value)| fill(value, values, lookup, problems));
        }
        Kind::Scalar(scalar) => {
            let Value::String(text) = &scalar.value else { return };
            if !text.contains('$') {
                return;
            }
            match interpolate(text, lookup) {
                Ok(text) => scalar.value = Value::String(text),
                Err(fault) => problems.push(told(&fault, &node.place, values)),
            }
        }
    }
}

fn told(fault: &Fault, place: &Place, values: &BTreeMap<String, String>) -> Problem {
    match fault {
        Fault::Syntax(why) => Problem::error("invalid_variable", place, why.clone()),
        Fault::TooLong => Problem::error("too_long", place, "what comes of this value is longer than 1 MiB"),
        Fault::Unset(name) => {
            let near = problem::did_you_mean(name, values.keys().map(String::as_str));
            let remedy = format!("give it a value (`--var {name}=…`), or a default: `${{{name}:-…}}`");
            let problem = Problem::error("unset_variable", place, format!("the variable {name} has no value"));
            problem.remedy(near.map_or(remedy.clone(), |near| format!("{near} Otherwise {remedy}")))
        }
        Fault::Required(name, why) => {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            let problem = Problem::error("unset_variable", place, format!("the variable {name} needs a value{why}"));
            problem.remedy(format!("give it one: `--var {name}=…`"))
        }
    }
}
