//! The node type `words`, in Rust without the SDK: an ordinary component of `wasm32-wasip2`, which imports the files, the environment and the
//! clock of its standard library although it has no use for them.

wit_bindgen::generate!({ world: "node", path: "wit", generate_all });

use windflow::node::log::{Level, log};
use windflow::node::types::RetryHint;

struct Words;

impl Guest for Words {
    fn execute(_node_type: String, config: Vec<u8>) -> Result<Emission, NodeError> {
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
        let words: Vec<&str> = config["text"].as_str().unwrap_or_default().split_whitespace().collect();
        // The first of the longest, as in the other languages.
        let Some(longest) = words.iter().rev().max_by_key(|word| word.chars().count()) else {
            return Err(NodeError {
                code: "no_text".to_owned(),
                message: "`text` is empty: write what is to be counted".to_owned(),
                retry: RetryHint::Never,
                details: None,
            });
        };
        log(Level::Info, &format!("{} words", words.len()));
        let value = serde_json::json!({ "words": words.len(), "longest": longest });
        Ok(Emission { port: "out".to_owned(), value: value.to_string().into_bytes() })
    }
}

export!(Words);
