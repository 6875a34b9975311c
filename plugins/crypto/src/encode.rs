//! Base64.

use windflow_sdk::{Json, NodeError, base64 as codec, config, node};

use crate::text_of;

/// What is written or read.
#[config]
pub struct Encode {
    /// The text; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    input: Json,
    /// Writing or reading.
    #[serde(default)]
    operation: Operation,
    /// With - and _ instead of + and /, without padding. Both forms are read.
    #[serde(default)]
    url_safe: bool,
}

/// Writing or reading.
#[config]
#[derive(Default)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// From text to Base64.
    #[default]
    Encode,
    /// From Base64 to text.
    Decode,
}

/// Writes or reads.
#[node]
pub fn base64(config: Encode) -> Result<String, NodeError> {
    let input = text_of(&config.input)?;
    match config.operation {
        Operation::Encode => {
            let text = codec::encode(input.as_bytes());
            let url_safe = || text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            Ok(if config.url_safe { url_safe() } else { text })
        }
        Operation::Decode => {
            let bytes = decode(&input)
                .ok_or_else(|| NodeError::new("invalid_base64", "`input` is no Base64: look at where it comes from"))?;
            String::from_utf8(bytes)
                .map_err(|_| NodeError::new("not_text", "`input` is Base64 of bytes that are no text in UTF-8"))
        }
    }
}

/// Reads both alphabets.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    codec::decode(text.replace('-', "+").replace('_', "/").as_bytes())
}

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::base64;

    #[test]
    fn writes_and_reads_both_alphabets() {
        for (text, url_safe, written) in
            [("a?>~ÿ", false, "YT8+fsO/"), ("a?>~ÿ", true, "YT8-fsO_"), ("a", true, "YQ"), ("a", false, "YQ==")]
        {
            let encoded = testing::run(base64::NODE, json!({ "input": text, "url_safe": url_safe })).unwrap().value;
            assert_eq!(encoded, json!(written));
            let decoded = testing::run(base64::NODE, json!({ "input": written, "operation": "decode" })).unwrap().value;
            assert_eq!(decoded, json!(text));
        }
        for (input, code) in [("a b!", "invalid_base64"), ("/w==", "not_text")] {
            let error = testing::run(base64::NODE, json!({ "input": input, "operation": "decode" })).unwrap_err();
            assert_eq!(error.code, code);
        }
    }
}
