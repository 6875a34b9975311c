//! `condition`: goes one way or the other.

use windflow_sdk::{Emission, Json, NodeError, config, node};

/// What decides, and what is handed on.
#[config]
pub struct Config {
    /// Whether to go on at `true` or at `false`.
    #[serde(rename = "if")]
    condition: bool,
    /// What is handed on; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
}

/// Hands the input on, out of the port that the condition says.
#[node]
pub fn condition(config: Config) -> Result<Emission<Json>, NodeError> {
    Ok(Emission::new(if config.condition { "true" } else { "false" }, config.input))
}

windflow_sdk::plugin!(condition);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::condition;

    #[track_caller]
    fn check(config: Value, port: &str, value: Value) {
        let emitted = testing::run(condition::NODE, config).unwrap();
        assert_eq!((emitted.port.as_str(), emitted.value), (port, value));
    }

    #[test]
    fn goes_by_the_condition_and_hands_the_input_on() {
        check(json!({ "if": true, "input": { "a": [1, null] } }), "true", json!({ "a": [1, null] }));
        check(json!({ "if": false, "input": 7 }), "false", json!(7));
        check(json!({ "if": false, "input": null }), "false", json!(null));
    }

    #[test]
    fn refuses_what_is_no_boolean() {
        let error = testing::run(condition::NODE, json!({ "if": "yes", "input": 1 })).unwrap_err();
        assert_eq!(error.code, "invalid_config");
        assert!(error.message.contains("expected a boolean"), "{}", error.message);
    }
}
