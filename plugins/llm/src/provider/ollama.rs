//! Ollama's own protocol.

use windflow_sdk::NodeError;
use windflow_sdk::serde_json::{Value, json};

use super::{Answer, malformed, tokens, with_system};
use crate::Usage;
use crate::config::{Config, Message};

pub(super) fn question(config: &Config, messages: &[Message], schema: Option<&Value>) -> Value {
    let mut options = json!({ "num_predict": config.max_tokens });
    if let Some(temperature) = config.temperature {
        options["temperature"] = json!(temperature);
    }
    let messages = with_system(config, messages);
    let mut body = json!({ "model": config.model, "messages": messages, "stream": false, "options": options });
    if let Some(schema) = schema {
        body["format"] = schema.clone();
    }
    body
}

pub(super) fn answer(body: &Value) -> Result<Answer, NodeError> {
    let text = body["message"]["content"].as_str().ok_or_else(|| malformed(body))?;
    Ok(Answer {
        text: text.to_owned(),
        model: String::new(),
        finish: body["done_reason"].as_str().unwrap_or("stop").to_owned(),
        usage: Usage { input_tokens: tokens(&body["prompt_eval_count"]), output_tokens: tokens(&body["eval_count"]) },
    })
}
