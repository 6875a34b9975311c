//! `state` and `seen`: what a workflow remembers from run to run.

mod novelty;

use windflow_sdk::serde_json::{Number, Value};
use windflow_sdk::state::{Entry, Error, Expected, delete, get, set};
use windflow_sdk::{Json, NodeError, config, node, output};

pub use crate::novelty::{Config as SeenConfig, seen};

/// How often a number is read again because others add to it as well.
const ROUNDS: usize = 20;

/// What is remembered, and how.
#[config]
pub struct Config {
    /// Under which key; each workflow has its own.
    key: String,
    /// What is done.
    #[serde(default)]
    action: Action,
}

/// What is done.
#[config]
#[derive(Default)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Reads the value.
    #[default]
    Get,
    /// Sets it.
    Set(Json),
    /// Sets it where there is none.
    SetIfAbsent(Json),
    /// Sets it where it still has this version.
    SetIf(SetIf),
    /// Adds to a number, which begins at 0.
    Add(Number),
    /// Takes it away.
    Delete,
}

/// A value that depends on what is there.
#[config]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
pub struct SetIf {
    /// The version that was read.
    version: u64,
    /// The new value.
    value: Json,
}

/// What is there now.
#[output]
pub struct Output {
    /// The value; null where there is none.
    value: Json,
    /// Its version; null where there is none.
    version: Option<u64>,
    /// Whether this changed it.
    changed: bool,
}

/// Does it.
#[node]
pub fn state(config: Config) -> Result<Output, NodeError> {
    let key = &config.key;
    let put = |value: Json, expected| {
        let version = set(key, &value, expected)?;
        Ok(Output { value, version: Some(version), changed: true })
    };
    match config.action {
        Action::Get => found(get(key)?),
        Action::Set(value) => put(value, Expected::Any),
        Action::SetIf(SetIf { version, value }) => put(value, Expected::Version(version)),
        Action::SetIfAbsent(value) => match set(key, &value, Expected::Absent) {
            Ok(version) => Ok(Output { value, version: Some(version), changed: true }),
            Err(Error::Conflict) => found(get(key)?),
            Err(error) => Err(error.into()),
        },
        Action::Add(by) => add(key, &by),
        Action::Delete => {
            let changed = get(key)?.is_some();
            delete(key, Expected::Any)?;
            Ok(Output { value: Json::default(), version: None, changed })
        }
    }
}

fn found(entry: Option<Entry>) -> Result<Output, NodeError> {
    Ok(match entry {
        Some(Entry { value, version }) => Output { value, version: Some(version), changed: false },
        None => Output { value: Json::default(), version: None, changed: false },
    })
}

/// Reads, adds, and begins anew where somebody else was quicker.
fn add(key: &str, by: &Number) -> Result<Output, NodeError> {
    for _ in 0..ROUNDS {
        let entry = get(key)?;
        let (before, expected) = match &entry {
            Some(entry) => (entry.value.parse::<Value>()?, Expected::Version(entry.version)),
            None => (Value::from(0), Expected::Absent),
        };
        let sum = sum(&before, by).ok_or_else(|| {
            NodeError::new("not_a_number", format!("the value under `{key}` is no number that {by} can be added to"))
        })?;
        let value = Json::of(&sum)?;
        match set(key, &value, expected) {
            Ok(version) => {
                // No newer than what was read: an earlier attempt of this very node run has added already.
                let added = entry.filter(|entry| version <= entry.version);
                let (value, version) = added.map_or((value, version), |entry| (entry.value, entry.version));
                return Ok(Output { value, version: Some(version), changed: true });
            }
            Err(Error::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Conflict.into())
}

fn sum(before: &Value, by: &Number) -> Option<Number> {
    match (before.as_i64(), by.as_i64()) {
        (Some(before), Some(by)) => before.checked_add(by).map(Number::from),
        _ => Number::from_f64(before.as_f64()? + by.as_f64()?),
    }
}

windflow_sdk::plugin!(state, seen);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    fn run(action: Value) -> Result<Value, NodeError> {
        testing::run(state::NODE, json!({ "key": "k", "action": action })).map(|emitted| emitted.value)
    }

    #[track_caller]
    fn check(action: Value, value: Value, changed: bool) -> Value {
        let output = run(action).unwrap();
        assert_eq!((&output["value"], &output["changed"]), (&value, &json!(changed)));
        output["version"].clone()
    }

    #[test]
    fn values_are_set_compared_counted_and_taken_away() {
        check(json!("get"), json!(null), false);
        check(json!({ "add": 2 }), json!(2), true);
        check(json!({ "add": -5 }), json!(-3), true);
        check(json!({ "add": 0.5 }), json!(-2.5), true);
        let version = check(json!({ "set": { "a": 1 } }), json!({ "a": 1 }), true);
        check(json!({ "set_if_absent": 1 }), json!({ "a": 1 }), false);
        check(json!({ "set_if": { "version": version, "value": 2 } }), json!(2), true);
        assert_eq!(run(json!({ "set_if": { "version": version, "value": 3 } })).unwrap_err().code, "state_conflict");
        check(json!("delete"), json!(null), true);
        check(json!("delete"), json!(null), false);
        check(json!({ "set_if_absent": "x" }), json!("x"), true);
        assert_eq!(run(json!({ "add": 1 })).unwrap_err().code, "not_a_number");
        check(json!({ "set": i64::MAX }), json!(i64::MAX), true);
        assert_eq!(run(json!({ "add": 1 })).unwrap_err().code, "not_a_number");
    }
}
