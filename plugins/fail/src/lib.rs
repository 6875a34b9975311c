//! `fail`: fails on purpose.

use windflow_sdk::{Never, NodeError, config, node};

/// How it fails.
#[config]
pub struct Config {
    /// What people read: what is wrong and how to mend it.
    message: String,
    /// What later nodes and tests go by: lower case with underscores.
    #[serde(default = "failed")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(regex(pattern = "^[a-z][a-z0-9_]*$")))]
    code: String,
}

fn failed() -> String {
    String::from("failed")
}

/// Fails with the code and the message.
#[node]
pub fn fail(config: Config) -> Result<Never, NodeError> {
    Err(NodeError::new(config.code, config.message))
}

windflow_sdk::plugin!(fail);

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::{NodeError, testing};

    use super::fail;

    #[track_caller]
    fn check(config: Value, code: &'static str, message: &str) {
        assert_eq!(testing::run(fail::NODE, config).unwrap_err(), NodeError::new(code, message));
    }

    #[test]
    fn fails_for_good_with_code_and_message() {
        check(json!({ "message": "The order is empty" }), "failed", "The order is empty");
        check(json!({ "message": "No stock", "code": "no_stock" }), "no_stock", "No stock");
    }
}
