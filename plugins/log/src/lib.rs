//! `log`: writes a line into the run's log and hands its input on.

use windflow_sdk::log::Level;
use windflow_sdk::{Json, NodeError, config, log as sdk_log, node};

/// What is written.
#[config]
pub struct Config {
    /// The line. What is no text is written as JSON.
    message: Json,
    /// How much it matters.
    #[serde(default)]
    level: Severity,
    /// What is handed on; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
}

/// How much a line matters.
#[config]
#[derive(Default, Clone, Copy)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only of interest when looking for a mistake.
    Debug,
    /// What happened.
    #[default]
    Info,
    /// Somebody should look.
    Warn,
    /// Something went wrong.
    Error,
}

/// Writes the message and hands the input on.
#[node]
pub fn log(config: Config) -> Result<Json, NodeError> {
    let level = match config.level {
        Severity::Debug => Level::Debug,
        Severity::Info => Level::Info,
        Severity::Warn => Level::Warn,
        Severity::Error => Level::Error,
    };
    let text = if config.message.as_str().starts_with('"') { config.message.parse()? } else { None::<String> };
    sdk_log::log(level, text.as_deref().unwrap_or(config.message.as_str()));
    Ok(config.input)
}

windflow_sdk::plugin!(log);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::log::Level;
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::log;

    #[track_caller]
    fn check(config: Value, level: Level, line: &str) {
        let emitted = testing::run(log::NODE, config).unwrap();
        assert_eq!((emitted.port.as_str(), emitted.value), ("out", json!({ "kept": true })));
        assert_eq!(testing::take_logs(), [(level, line.to_owned())]);
    }

    #[test]
    fn writes_a_line_and_hands_the_input_on() {
        let input = json!({ "kept": true });
        check(json!({ "message": "two\nlines é", "input": input }), Level::Info, "two\nlines é");
        check(json!({ "message": "careful", "level": "warn", "input": input }), Level::Warn, "careful");
        check(json!({ "message": { "n": [1] }, "level": "debug", "input": input }), Level::Debug, r#"{"n":[1]}"#);
        check(json!({ "message": 12, "level": "error", "input": input }), Level::Error, "12");
    }

    #[test]
    fn names_the_levels_that_there_are() {
        let error = testing::run(log::NODE, json!({ "message": "x", "level": "loud" })).unwrap_err();
        assert!(error.message.contains("`debug`, `info`, `warn`, `error`"), "{}", error.message);
    }
}
