//! What a case expects, held against what happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use windflow_core::id::NodeId;
use windflow_core::json::Json;
use windflow_core::problem::Problem;
use windflow_runtime::RunReport;

use super::case::{Case, OneOrMore};
use crate::render::shorten;

/// What is not as it is expected.
pub(super) fn differences(
    case: &Case,
    report: Result<Arc<RunReport>, Vec<Problem>>,
    calls: &[(NodeId, Value)],
) -> Vec<String> {
    let expect = &case.expect;
    let report = match report {
        Ok(report) => report,
        Err(_) if expect.status.as_deref() == Some("invalid") => return Vec::new(),
        Err(problems) => return problems.iter().map(|problem| format!("inputs: {}", problem.message)).collect(),
    };
    let mut found = Vec::new();
    let mut differs = |what: String, expected: &Value, actual: &Value| {
        if expected != actual {
            found.push(format!("{what}: expected {}, found {}", text(expected), text(actual)));
        }
    };
    if let Some(status) = &expect.status {
        differs("status".into(), &status.as_str().into(), &(&*report.status).into());
    }
    if let Some(code) = &expect.code {
        let actual = report.error.as_ref().map(|error| error.failure.code.clone());
        differs("code".into(), &code.as_str().into(), &actual.into());
    }
    for (node, status) in &expect.nodes {
        let actual = report.nodes.get(node.as_str()).map(|node| &*node.status);
        differs(format!("nodes.{node}"), &status.as_str().into(), &actual.into());
    }
    for (node, attempts) in &expect.attempts {
        let actual = report.nodes.get(node.as_str()).map(|node| node.attempts);
        differs(format!("attempts.{node}"), &(*attempts).into(), &actual.into());
    }
    let outputs = report.outputs.as_ref().map_or(&Value::Null, Json::value);
    for (name, value) in &expect.outputs {
        differs(format!("outputs.{name}"), value, outputs.get(name).unwrap_or(&Value::Null));
    }
    if let Some(path) = &expect.path {
        let expected: BTreeSet<&str> = path.iter().map(String::as_str).collect();
        let succeeded = report.nodes.iter().filter(|(_, node)| node.status == "succeeded");
        let actual: BTreeSet<&str> = succeeded.map(|(id, _)| id.as_str()).collect();
        for node in expected.difference(&actual) {
            let status = report.nodes.get(*node).map_or("not in the workflow", |node| &node.status);
            found.push(format!("path: {node} was to succeed, and is {status}"));
        }
        for node in actual.difference(&expected) {
            found.push(format!("path: {node} succeeded, which was not expected"));
        }
    }
    for (name, parts) in &expect.contains {
        let whole = outputs.get(name).and_then(Value::as_str).unwrap_or_default();
        let parts = match parts {
            OneOrMore::One(part) => std::slice::from_ref(part),
            OneOrMore::More(parts) => parts,
        };
        for part in parts.iter().filter(|part| !whole.contains(part.as_str())) {
            found.push(format!("outputs.{name} does not contain {part:?}: {}", shorten(whole, 200)));
        }
    }
    for (node, expected) in &expect.calls {
        let actual: Vec<&Value> =
            calls.iter().filter(|(id, _)| id.as_str() == node).map(|(_, config)| config).collect();
        if actual.len() != expected.len() {
            found.push(format!("calls.{node}: expected {} calls, found {}", expected.len(), actual.len()));
        }
        for (at, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            if !fits(expected, actual) {
                found.push(format!("calls.{node}[{at}]: expected {}, found {}", text(expected), text(actual)));
            }
        }
    }
    if !found.is_empty()
        && let Some(error) = &report.error
    {
        let at = error.node.as_ref().map_or("the outputs", NodeId::as_str);
        found.push(format!("the run ended because of {at}: {}", error.failure));
    }
    found
}

/// Whether all that is expected is there.
fn fits(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().all(|(key, value)| actual.get(key).is_some_and(|actual| fits(value, actual)))
        }
        _ => expected == actual,
    }
}

fn text(value: &Value) -> String {
    shorten(&value.to_string(), 300)
}
