//! OpenAI's chat completions, and every server that speaks like them.

use windflow_sdk::NodeError;
use windflow_sdk::serde_json::{Value, json};

use super::{Answer, malformed, refused, tokens, with_system};
use crate::Usage;
use crate::config::{Config, Message};

pub(super) fn question(config: &Config, messages: &[Message], schema: Option<&Value>) -> Value {
    let mut body = json!({ "model": config.model, "messages": with_system(config, messages) });
    // OpenAI's newer models know only the new name; other servers only the old one.
    let limit = if config.base_url.is_none() { "max_completion_tokens" } else { "max_tokens" };
    body[limit] = json!(config.max_tokens);
    if let Some(temperature) = config.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(schema) = schema {
        body["response_format"] =
            json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } });
    }
    body
}

pub(super) fn answer(body: &Value) -> Result<Answer, NodeError> {
    let choice = &body["choices"][0];
    if let Some(refusal) = choice["message"]["refusal"].as_str() {
        return Err(refused(refusal));
    }
    let finish = choice["finish_reason"].as_str().unwrap_or("stop");
    if finish == "content_filter" {
        return Err(refused("the provider's filter stopped it"));
    }
    let text = choice["message"]["content"].as_str().ok_or_else(|| malformed(body))?;
    let usage = &body["usage"];
    Ok(Answer {
        text: text.to_owned(),
        model: String::new(),
        finish: finish.to_owned(),
        usage: Usage {
            input_tokens: tokens(&usage["prompt_tokens"]),
            output_tokens: tokens(&usage["completion_tokens"]),
        },
    })
}
