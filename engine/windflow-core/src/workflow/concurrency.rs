//! How many runs of a workflow go on at the same time.

use serde_json::Value;

use super::read::Reader;
use crate::expression::{Target, Template};
use crate::problem::Problem;
use crate::yaml::{self, Kind};

/// The most that a limit may be.
const MAX_LIMIT: u64 = 100_000;

/// The longest key, in characters.
const MAX_KEY: usize = 200;

/// How many runs of a workflow go on at the same time.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// So many.
    pub limit: u32,
    /// Runs with different keys do not count together. Reads `inputs` only.
    pub key: Option<Template>,
    /// What becomes of one more.
    pub on_limit: OnLimit,
}

/// What becomes of a run that would be one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLimit {
    /// It begins when another has ended, in the order of starting.
    #[default]
    Queue,
    /// It is not started.
    Skip,
    /// The oldest is cancelled, and it begins when that has ended.
    CancelOldest,
}

const WORDS: [(&str, OnLimit); 3] =
    [("queue", OnLimit::Queue), ("skip", OnLimit::Skip), ("cancel_oldest", OnLimit::CancelOldest)];

/// A number alone is a limit.
pub(super) fn parse(reader: &mut Reader, node: &yaml::Node) -> Option<Concurrency> {
    if !matches!(node.kind, Kind::Map(_)) {
        return Some(Concurrency { limit: limit(reader, node)?, key: None, on_limit: OnLimit::default() });
    }
    let fields = reader.map(node, "`concurrency`", &["limit", "key", "on_limit"])?;
    let limit = reader.required(&fields, "limit").and_then(|node| limit(reader, node));
    let key = fields.get("key").map(|node| reader.template(node));
    let on_limit = fields.get("on_limit").and_then(|node| reader.word(node, "`on_limit`", &WORDS));
    Some(Concurrency { limit: limit?, key, on_limit: on_limit.unwrap_or_default() })
}

fn limit(reader: &mut Reader, node: &yaml::Node) -> Option<u32> {
    match node.to_json().as_u64() {
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => u32::try_from(limit).ok(),
        _ => {
            let message = "`concurrency` needs a limit: how many runs go on at the same time".to_owned();
            let remedy = format!("write a whole number from 1 to {MAX_LIMIT}");
            reader.error_with("invalid_concurrency", &node.place, message, remedy);
            None
        }
    }
}

/// The key knows nothing but the inputs: it is evaluated before the run begins.
pub(super) fn validate(key: &Template, problems: &mut Vec<Problem>) {
    for reference in key.references() {
        if !matches!(reference.target, Target::Inputs(_)) {
            let message =
                format!("the `key` of `concurrency` reads `inputs` only, but this reads `{}`", reference.target);
            problems.push(Problem::error("concurrency_scope", &reference.place, message));
        }
    }
}

impl Concurrency {
    /// The key of a run with these inputs, which are complete; empty where runs have none.
    ///
    /// # Errors
    /// It is neither a short text nor a number nor a boolean.
    pub fn key_of(&self, inputs: &Value) -> Result<String, Problem> {
        let Some(key) = &self.key else { return Ok(String::new()) };
        let value = key.render(inputs).map_err(|error| {
            Problem::error("invalid_expression", &error.place, error.message).remedy_if(error.remedy)
        })?;
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let message = "the `key` of `concurrency` gives no text, number or boolean";
                return Err(Problem::error("concurrency_key", &key.place, message));
            }
        };
        if text.chars().count() > MAX_KEY {
            let message = format!("the `key` of `concurrency` gives more than {MAX_KEY} characters");
            return Err(Problem::error("concurrency_key", &key.place, message));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::workflow::Workflow;

    fn read(concurrency: &str) -> (Option<Concurrency>, Vec<String>) {
        let text = format!("windflow: 1\nname: a\nconcurrency: {concurrency}\nnodes:\n  b: {{ uses: wait@1 }}\n");
        let (workflow, problems) = Workflow::parse(&text);
        let codes = problems.iter().map(|problem| problem.code.to_string()).collect();
        (workflow.and_then(|workflow| workflow.concurrency), codes)
    }

    #[test]
    fn a_number_alone_queues() {
        let (read, problems) = read("3");
        let read = read.unwrap();
        assert_eq!((read.limit, read.on_limit, problems.len()), (3, OnLimit::Queue, 0));
    }

    #[test]
    fn runs_are_told_apart_by_their_inputs() {
        let (read, problems) = read("{ limit: 1, key: \"${{ inputs.shop }}\", on_limit: cancel_oldest }");
        assert_eq!(problems, Vec::<String>::new());
        let read = read.unwrap();
        assert_eq!(read.on_limit, OnLimit::CancelOldest);
        assert_eq!(read.key_of(&json!({ "shop": "north" })).unwrap(), "north");
        assert_eq!(read.key_of(&json!({ "shop": 7 })).unwrap(), "7");
        assert_eq!(read.key_of(&json!({ "shop": [] })).unwrap_err().code, "concurrency_key");
        assert_eq!(read.key_of(&json!({ "shop": "x".repeat(201) })).unwrap_err().code, "concurrency_key");
    }

    #[test]
    fn what_is_wrong_is_told() {
        assert_eq!(read("0").1, ["invalid_concurrency"]);
        assert_eq!(read("{ limit: many }").1, ["invalid_concurrency"]);
        assert_eq!(read("{ key: a }").1, ["missing_key"]);
        assert_eq!(read("{ limit: 1, on_limit: stop }").1, ["unknown_word"]);
        assert_eq!(read("{ limit: 1, keys: a }").1, ["unknown_key"]);
    }
}
