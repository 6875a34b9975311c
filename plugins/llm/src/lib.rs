//! `llm`: asks a language model.

mod config;
mod provider;
mod schema;
mod stream;

use windflow_sdk::http::{Request, Url, ask};
use windflow_sdk::serde_json::Value;
use windflow_sdk::{Json, NodeError, context, node, output, progress};

pub use crate::config::{Config, Message, Price, Provider, Role};
use crate::provider::Answer;
use crate::schema::Checker;

/// The longest answer, with everything that providers put around it.
const ANSWER_BYTES: usize = 8 << 20;

/// What the model answered.
#[output]
pub struct Output {
    /// The text.
    text: String,
    /// With a schema, the text as JSON that fits it; else null.
    json: Json,
    /// The model that answered, as the provider says.
    model: String,
    /// Why it ended: `stop`, or `length` where `max_tokens` was reached.
    finish: String,
    /// What was read and written, repair included.
    usage: Usage,
    /// In the currency of `price`; null without.
    cost: Option<f64>,
    /// Whether the first answer did not fit the schema, and the model mended it.
    repaired: bool,
}

/// Tokens.
#[output]
#[derive(Default, Clone, Copy)]
pub struct Usage {
    /// Read by the model.
    pub(crate) input_tokens: u64,
    /// Written by it.
    pub(crate) output_tokens: u64,
}

/// Asks.
#[node]
pub fn llm(config: Config) -> Result<Output, NodeError> {
    let schema = config.schema.as_ref().map(Json::parse::<Value>).transpose()?;
    let checker = schema.as_ref().map(Checker::new).transpose()?;
    let mut messages = config.conversation()?;
    let first = exchange(&config, &messages, schema.as_ref(), "")?;
    let Some(checker) = checker else { return Ok(output(&config, first.usage, first, None, false)) };
    let problems = match checker.read(&first.text) {
        Ok(json) => return Ok(output(&config, first.usage, first, Some(json), false)),
        // More of the same would be cut off again.
        Err(_) if first.finish == "length" => return Err(cut_off(&config, &first)),
        Err(problems) => problems,
    };

    let asked = format!(
        "This does not fit: {}. Answer again, with nothing but JSON that fits the schema.",
        problems.join("; ")
    );
    messages.push(Message { role: Role::Assistant, content: first.text });
    messages.push(Message { role: Role::User, content: asked });
    let second = exchange(&config, &messages, schema.as_ref(), "-repair")?;
    let usage = Usage {
        input_tokens: first.usage.input_tokens + second.usage.input_tokens,
        output_tokens: first.usage.output_tokens + second.usage.output_tokens,
    };
    match checker.read(&second.text) {
        Ok(json) => Ok(output(&config, usage, second, Some(json), true)),
        Err(_) if second.finish == "length" => Err(cut_off(&config, &second)),
        Err(problems) => {
            let message = format!(
                "the model's answer does not fit the schema, and neither did its correction: {}",
                problems.join("; ")
            );
            Err(NodeError::new("does_not_fit", message).with_details(&second.text))
        }
    }
}

fn cut_off(config: &Config, answer: &Answer) -> NodeError {
    let message = format!("the answer was cut off after {} tokens; raise `max_tokens`", config.max_tokens);
    NodeError::new("cut_off", message).with_details(&answer.text)
}

/// One question and its answer. The key differs for a second question, or a provider might repeat its first answer.
fn exchange(config: &Config, messages: &[Message], schema: Option<&Value>, key: &str) -> Result<Answer, NodeError> {
    progress::report(None, &format!("asking {}", config.model));
    let base = config.base_url.as_deref().unwrap_or_else(|| config.provider.address()).trim_end_matches('/');
    let url = Url::parse(&format!("{base}{}", config.provider.path()))
        .map_err(|problem| NodeError::new("invalid_config", format!("`base_url`: {problem}")))?;
    let request = |streamed: bool, key: &str| {
        let mut body = config.provider.question(config, messages, schema);
        if streamed {
            config.provider.streamed(&mut body);
        }
        let mut request = Request::json("POST", url.clone(), &body)?;
        request.headers.retain(|(name, _)| name != "Idempotency-Key");
        let request = request.with_header("Idempotency-Key", format!("{}{key}", context::idempotency_key()));
        Ok::<_, NodeError>(match config.provider {
            Provider::Anthropic => request.with_header("anthropic-version", "2023-06-01"),
            _ => request,
        })
    };
    let streamed = if config.stream { stream::ask(config, &request(true, key)?)? } else { None };
    let body = match streamed {
        Some(body) => body,
        // Under another key, or the refusal of the stream might be repeated.
        None => {
            let key = if config.stream { [key, "-whole"].concat() } else { key.to_owned() };
            ask(&request(false, &key)?, ANSWER_BYTES)?.json()?
        }
    };
    config.provider.answer(&body, &config.model, schema.is_some())
}

fn output(config: &Config, usage: Usage, answer: Answer, json: Option<Json>, repaired: bool) -> Output {
    #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
    let cost = config.price.as_ref().map(|price| {
        (usage.input_tokens as f64 * price.input + usage.output_tokens as f64 * price.output) / 1_000_000.0
    });
    let Answer { text, model, finish, .. } = answer;
    Output { text, json: json.unwrap_or_default(), model, finish, usage, cost, repaired }
}

windflow_sdk::plugin!(llm);

#[cfg(test)]
mod tests;
