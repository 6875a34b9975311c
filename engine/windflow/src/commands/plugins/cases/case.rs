//! A case of a plugin: what goes in, what is granted, and what is expected.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};
use windflow_core::credential::Credential;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::problem::Problem;
use windflow_core::yaml;
use windflow_runtime::NodeReport;

use super::servers::{Answer, Sent, fits};
use crate::commands::document;
use crate::exit::invalid;

/// A case file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it is about.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    /// The node type, where the plugin has several.
    #[serde(default)]
    pub(super) node: Option<String>,
    /// Its configuration, as a workflow writes it.
    #[serde(default)]
    pub(super) with: Map<String, Value>,
    /// What comes in over the edge.
    #[serde(default)]
    pub(super) input: Value,
    /// What is granted.
    #[serde(default)]
    pub(super) permissions: Map<String, Value>,
    /// Credentials that the case grants, with values that are none.
    #[serde(default)]
    pub(super) credentials: BTreeMap<String, Arc<Credential>>,
    /// What servers answer. A request that fits none is a difference.
    #[serde(default)]
    pub(super) answers: Vec<Answer>,
    expect: Expect,
}

/// What is expected; what is not written is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// The port that it emits on.
    #[serde(default)]
    port: Option<String>,
    /// Exactly what it emits.
    #[serde(default, deserialize_with = "some")]
    output: Option<Value>,
    /// How it fails instead.
    #[serde(default)]
    error: Option<ExpectedError>,
    /// The origin that it is kept from sending a request to, or another part of what is said of a denial.
    #[serde(default)]
    denied: Option<String>,
    /// Parts of lines that it logs, in their order.
    #[serde(default)]
    log: Vec<String>,
    /// The requests that it sends, in their order, as they would leave: exactly so many.
    #[serde(default)]
    requests: Option<Vec<ExpectedRequest>>,
}

/// A request; what is not written is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedRequest {
    /// Method and address; without a query, with any query.
    request: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The fields that are written, of a body that is JSON.
    #[serde(default)]
    json: Option<Value>,
    /// A part of the body.
    #[serde(default)]
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    #[serde(default)]
    code: Option<String>,
    /// A part of the message.
    #[serde(default)]
    message: Option<String>,
    /// Whether trying again may help.
    #[serde(default)]
    retry: Option<bool>,
}

/// `output: null` expects null, and is not the same as nothing.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// Where it cannot be read, or is no case; the message says where.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let (shown, text) = (path.display().to_string(), document::read(path)?);
        let (node, problems) = yaml::parse(&text, yaml::Limits::default());
        let Some(node) = node.filter(|_| problems.is_empty()) else {
            return Err(invalid(windflow_core::problem::render(&shown, &text, &problems).trim_end().to_owned()));
        };
        let case: Self =
            serde_json::from_value(node.to_json()).map_err(|error| invalid(format!("{shown}: {error}")))?;
        let Expect { port, output, error, denied, log, requests } = &case.expect;
        let nothing = port.is_none() && output.is_none() && error.is_none() && denied.is_none();
        if nothing && log.is_empty() && requests.is_none() {
            return Err(invalid(format!(
                "{shown} expects nothing: write `output`, `port`, `error`, `denied`, `log` or `requests`"
            )));
        }
        if let Some(problem) = case.answers.iter().find_map(Answer::problem) {
            return Err(invalid(format!("{shown}: {problem}")));
        }
        if (error.is_some() || denied.is_some()) && (port.is_some() || output.is_some()) {
            return Err(invalid(format!("{shown} expects that it emits and that it fails: it does one of the two")));
        }
        Ok(case)
    }

    /// What is not as it is expected.
    pub(super) fn differences(&self, node: Option<&NodeReport>, log: &[String], sent: &[Sent]) -> Vec<String> {
        let Some(node) = node else { return vec!["the node did not run".into()] };
        let mut found = Vec::new();
        match (&node.error, &*node.status) {
            (Some(failure), _) => self.failed(failure, &mut found),
            (None, "succeeded") => self.emitted(node, &mut found),
            (None, status) => found.push(format!("the node is {status} after a minute")),
        }
        let mut lines = log.iter();
        for part in &self.expect.log {
            if !lines.any(|line| line.contains(part)) {
                found.push(format!("log: no line contains {part:?}, or not in this order; it logged {log:?}"));
            }
        }
        found.extend(sent.iter().filter_map(Sent::unanswered));
        if let Some(expected) = &self.expect.requests {
            found.extend(unsent(expected, sent));
        }
        found
    }

    /// What is not as it is expected where it does not come to a run: what nobody grants may be refused that early.
    pub(super) fn refused(&self, problems: &[Problem]) -> Vec<String> {
        let tells = |problem: &Problem, what: &str| {
            problem.message.contains(what) || problem.remedy.as_ref().is_some_and(|remedy| remedy.contains(what))
        };
        if self.expect.denied.as_ref().is_some_and(|what| problems.iter().any(|problem| tells(problem, what))) {
            return Vec::new();
        }
        problems.iter().map(|problem| format!("the case: {}", problem.message)).collect()
    }

    fn emitted(&self, node: &NodeReport, found: &mut Vec<String>) {
        let actual = node.output.as_ref().map(|output| output.value().clone()).unwrap_or_default();
        if self.expect.error.is_some() || self.expect.denied.is_some() {
            found.push(format!("it was to fail, and emitted {actual}"));
            return;
        }
        let port = node.port.as_deref().unwrap_or(windflow_core::manifest::DEFAULT_PORT);
        if let Some(expected) = self.expect.port.as_ref().filter(|expected| *expected != port) {
            found.push(format!("port: expected {expected}, emitted on {port}"));
        }
        if let Some(expected) = self.expect.output.as_ref().filter(|expected| **expected != actual) {
            found.push(format!("output (- expected, + emitted):\n{}", difference(expected, &actual)));
        }
    }

    fn failed(&self, failure: &Failure, found: &mut Vec<String>) {
        let denied = failure.kind == FailureKind::Denied;
        match (&self.expect.denied, denied) {
            (Some(what), true) if failure.message.contains(what) => {}
            (Some(what), true) => found.push(format!("denied: expected {what}, but {}", failure.message)),
            (Some(what), false) => found.push(format!("denied: {what} was to be denied, and it failed with {failure}")),
            (None, _) if self.expect.error.is_none() => found.push(format!("it failed with {failure}")),
            (None, _) => {}
        }
        let Some(expected) = &self.expect.error else { return };
        if let Some(code) = expected.code.as_ref().filter(|code| **code != failure.code) {
            found.push(format!("error.code: expected {code}, found {} ({})", failure.code, failure.message));
        }
        if let Some(part) = expected.message.as_ref().filter(|part| !failure.message.contains(*part)) {
            found.push(format!("error.message does not contain {part:?}: {}", failure.message));
        }
        let retry = failure.retry != RetryHint::Never;
        if let Some(expected) = expected.retry.filter(|expected| *expected != retry) {
            found.push(format!("error.retry: expected {expected}, found {retry}"));
        }
    }
}

/// What was not sent as it is expected.
fn unsent(expected: &[ExpectedRequest], sent: &[Sent]) -> Vec<String> {
    if expected.len() != sent.len() {
        let all: Vec<&str> = sent.iter().map(|sent| &*sent.request).collect();
        return vec![format!("requests: expected {}, sent {}: {all:?}", expected.len(), all.len())];
    }
    expected
        .iter()
        .zip(sent)
        .enumerate()
        .flat_map(|(index, (expected, sent))| expected.differences(index, sent))
        .collect()
}

impl ExpectedRequest {
    fn differences(&self, index: usize, sent: &Sent) -> Vec<String> {
        let at = format!("requests[{index}]");
        let mut found = Vec::new();
        if !fits(&self.request, &sent.request) {
            found.push(format!("{at}: expected {}, sent {}", self.request, sent.request));
        }
        for (name, value) in &self.headers {
            let there = sent.headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            if there != Some(value) {
                let there = there.map_or("none".to_owned(), |there| format!("{there:?}"));
                found.push(format!("{at}: header {name}: expected {value:?}, sent {there}"));
            }
        }
        let body = String::from_utf8_lossy(&sent.body);
        if let Some(json) = &self.json {
            let actual: Value = serde_json::from_str(&body).unwrap_or_else(|_| Value::String(body.to_string()));
            if !includes(json, &actual) {
                found.push(format!("{at}: body (- expected, + sent):\n{}", difference(json, &actual)));
            }
        }
        if let Some(part) = self.body.as_ref().filter(|part| !body.contains(*part)) {
            found.push(format!("{at}: the body does not contain {part:?}: {body}"));
        }
        found
    }
}

/// Whether a value has everything that is written of it.
fn includes(written: &Value, actual: &Value) -> bool {
    match (written, actual) {
        (Value::Object(written), Value::Object(actual)) => {
            written.iter().all(|(name, written)| actual.get(name).is_some_and(|actual| includes(written, actual)))
        }
        _ => written == actual,
    }
}

/// Two values line by line, with what is around the lines that differ.
fn difference(expected: &Value, actual: &Value) -> String {
    let text = |value: &Value| serde_json::to_string_pretty(&sorted(value)).unwrap_or_default() + "\n";
    let (expected, actual) = (text(expected), text(actual));
    let diff = TextDiff::from_lines(&expected, &actual);
    let mut shown = String::new();
    for group in diff.grouped_ops(2) {
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            shown.push(sign);
            shown.push(' ');
            shown.push_str(change.value());
        }
    }
    shown.trim_end().to_owned()
}

/// The order of fields means nothing, and must not look as if it did.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_shown_line_by_line() {
        let shown = difference(&json!({ "a": 1, "text": "Hello Zoé!" }), &json!({ "text": "Hello Zoe!", "a": 1 }));
        assert_eq!(shown, "  {\n    \"a\": 1,\n-   \"text\": \"Hello Zoé!\"\n+   \"text\": \"Hello Zoe!\"\n  }");
    }
}
