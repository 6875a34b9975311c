//! Anthropic's messages. JSON is asked for as the input of a tool that the model has to use.

use windflow_sdk::NodeError;
use windflow_sdk::serde_json::{Value, json};

use super::{Answer, malformed, message, refused, tokens};
use crate::Usage;
use crate::config::{Config, Message};

pub(super) fn question(config: &Config, messages: &[Message], schema: Option<&Value>) -> Value {
    let messages: Vec<Value> = messages.iter().map(message).collect();
    let mut body = json!({ "model": config.model, "max_tokens": config.max_tokens, "messages": messages });
    if let Some(system) = &config.system {
        body["system"] = json!(system);
    }
    if let Some(temperature) = config.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(schema) = schema {
        body["tools"] = json!([{ "name": "answer", "description": "Gives the answer.", "input_schema": schema }]);
        body["tool_choice"] = json!({ "type": "tool", "name": "answer" });
    }
    body
}

pub(super) fn answer(body: &Value, structured: bool) -> Result<Answer, NodeError> {
    let parts = body["content"].as_array().ok_or_else(|| malformed(body))?;
    let stop = body["stop_reason"].as_str().unwrap_or_default();
    if stop == "refusal" {
        return Err(refused("it says so"));
    }
    let of = |kind: &'static str| parts.iter().filter(move |part| part["type"] == kind);
    let used = of("tool_use").next().filter(|_| structured).map(|part| part["input"].to_string());
    let said: Vec<&str> = of("text").filter_map(|part| part["text"].as_str()).collect();
    let text = match used {
        Some(input) => input,
        None if said.is_empty() => return Err(malformed(body)),
        None => said.concat(),
    };
    let finish = if stop == "max_tokens" { "length" } else { "stop" };
    let usage = &body["usage"];
    let cached = tokens(&usage["cache_creation_input_tokens"]) + tokens(&usage["cache_read_input_tokens"]);
    Ok(Answer {
        text,
        model: String::new(),
        finish: finish.to_owned(),
        usage: Usage {
            input_tokens: tokens(&usage["input_tokens"]) + cached,
            output_tokens: tokens(&usage["output_tokens"]),
        },
    })
}
