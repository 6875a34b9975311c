//! The pieces of a stream, put together to the body that the answer has where it comes at once.

use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::{NodeError, Retry};

use crate::config::Provider;

/// What has come so far.
pub(crate) struct Pieces {
    provider: Provider,
    body: Value,
    /// Whether the provider said that this was all.
    ended: bool,
}

impl Pieces {
    pub(crate) fn new(provider: Provider) -> Self {
        let body = match provider {
            Provider::OpenAi => json!({ "choices": [{ "message": { "content": null }, "finish_reason": null }] }),
            Provider::Anthropic => json!({ "content": [], "usage": {} }),
            Provider::Ollama => json!({ "message": { "content": "" } }),
        };
        Self { provider, body, ended: false }
    }

    /// Adds a piece, and gives the text that it holds.
    pub(crate) fn take(&mut self, piece: &str) -> Result<String, NodeError> {
        if self.provider == Provider::OpenAi && piece.trim() == "[DONE]" {
            self.ended = true;
            return Ok(String::new());
        }
        let piece: Value = windflow_sdk::serde_json::from_str(piece).map_err(|_| {
            let shown: String = piece.chars().take(2000).collect();
            let message = "a piece of the provider's stream is no JSON; is `provider` right?";
            NodeError::new("invalid_answer", message).with_details(&shown)
        })?;
        if !piece["error"].is_null() {
            return Err(failed(&piece["error"]));
        }
        Ok(match self.provider {
            Provider::OpenAi => self.openai(&piece),
            Provider::Anthropic => self.anthropic(&piece),
            Provider::Ollama => self.ollama(&piece),
        }
        .to_owned())
    }

    fn openai<'a>(&mut self, piece: &'a Value) -> &'a str {
        for field in ["model", "usage"] {
            if !piece[field].is_null() {
                self.body[field] = piece[field].clone();
            }
        }
        let given = &piece["choices"][0];
        let choice = &mut self.body["choices"][0];
        let text = given["delta"]["content"].as_str().unwrap_or_default();
        for field in ["content", "refusal"] {
            if let Some(more) = given["delta"][field].as_str() {
                append(&mut choice["message"][field], more);
            }
        }
        if given["finish_reason"].is_string() {
            choice["finish_reason"] = given["finish_reason"].clone();
            self.ended = true;
        }
        text
    }

    fn anthropic<'a>(&mut self, piece: &'a Value) -> &'a str {
        match piece["type"].as_str().unwrap_or_default() {
            "message_start" => {
                self.body["model"] = piece["message"]["model"].clone();
                self.usage(&piece["message"]["usage"]);
            }
            "content_block_start" => {
                if let Value::Array(parts) = &mut self.body["content"] {
                    let mut part = piece["content_block"].clone();
                    // What comes is text, of which the whole is JSON; the start holds an empty object.
                    if part["type"] == "tool_use" {
                        part["input"] = Value::Null;
                    }
                    parts.push(part);
                }
            }
            "content_block_delta" => {
                let (field, delta) = match piece["delta"]["type"].as_str().unwrap_or_default() {
                    "text_delta" => ("text", &piece["delta"]["text"]),
                    "input_json_delta" => ("input", &piece["delta"]["partial_json"]),
                    _ => return "",
                };
                let text = delta.as_str().unwrap_or_default();
                let parts = self.body["content"].as_array_mut();
                let at = piece["index"].as_u64().and_then(|index| usize::try_from(index).ok());
                if let Some(part) = parts.zip(at).and_then(|(parts, at)| parts.get_mut(at)) {
                    append(&mut part[field], text);
                }
                return text;
            }
            "message_delta" => {
                self.body["stop_reason"] = piece["delta"]["stop_reason"].clone();
                self.usage(&piece["usage"]);
            }
            "message_stop" => self.ended = true,
            _ => {}
        }
        ""
    }

    /// Counts that come later hold for the whole.
    fn usage(&mut self, told: &Value) {
        for (name, count) in told.as_object().into_iter().flatten().filter(|(_, count)| !count.is_null()) {
            self.body["usage"][name.as_str()] = count.clone();
        }
    }

    fn ollama<'a>(&mut self, piece: &'a Value) -> &'a str {
        let text = piece["message"]["content"].as_str().unwrap_or_default();
        append(&mut self.body["message"]["content"], text);
        for field in ["model", "done_reason", "prompt_eval_count", "eval_count"] {
            if !piece[field].is_null() {
                self.body[field] = piece[field].clone();
            }
        }
        self.ended |= piece["done"] == true;
        text
    }

    /// The body, where all of it came.
    pub(crate) fn finish(mut self) -> Result<Value, NodeError> {
        if !self.ended {
            let message = "the provider's stream ended before its answer did";
            return Err(NodeError::new("stream_broken", message).with_retry(Retry::MayHelp));
        }
        for part in self.body["content"].as_array_mut().into_iter().flatten() {
            if let Some(input) = part["input"].as_str().and_then(|text| windflow_sdk::serde_json::from_str(text).ok()) {
                part["input"] = input;
            }
        }
        Ok(self.body)
    }
}

fn append(to: &mut Value, more: &str) {
    match to {
        Value::String(text) => text.push_str(more),
        other => *other = more.into(),
    }
}

/// The provider failed in the middle of its answer.
fn failed(error: &Value) -> NodeError {
    let said = error["message"].as_str().or(error.as_str()).unwrap_or("it does not say why");
    let said: String = said.chars().take(500).collect();
    let kind = [&error["type"], &error["code"]].map(|field| field.as_str().unwrap_or_default());
    // An answer that had begun shows that question and key are right, unless the provider says otherwise.
    let final_ones = ["invalid_request", "authentication", "permission", "not_found", "billing", "insufficient_quota"];
    let is_final = kind.iter().any(|kind| final_ones.iter().any(|word| kind.contains(word)));
    let retry = if is_final { Retry::Never } else { Retry::MayHelp };
    let message = format!("the provider failed in the middle of its answer: {said}");
    NodeError::new("stream_failed", message).with_retry(retry).with_details(error)
}
