//! `slack`: writes a message to a channel.

use windflow_sdk::http::{CREDENTIAL_URL, Request, Url, ask};
use windflow_sdk::serde_json::json;
use windflow_sdk::{Json, NodeError, Retry, config, node, output, serde};

/// The API's address for messages.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// Answers are a few hundred bytes.
const ANSWER_BYTES: usize = 1 << 20;

/// What is written, and where.
#[config]
pub struct Config {
    /// An incoming webhook (bind: url), or a bot's token (bind: bearer) where a channel is written.
    #[allow(dead_code, reason = "read by the engine")]
    credential: String,
    /// What is written, with Slack's markup. Where there are blocks, what notifications show.
    text: String,
    /// The blocks of a formatted message (Block Kit).
    #[serde(default)]
    blocks: Option<Json>,
    /// The channel, by name or id. The message then goes by the API, with a bot's token.
    #[serde(default)]
    channel: Option<String>,
    /// The `ts` of the message that this one answers; only with a channel.
    #[serde(default)]
    thread: Option<String>,
}

/// Where the message is.
#[output]
pub struct Output {
    /// The channel's id; null for an incoming webhook.
    channel: Option<String>,
    /// What the message is known by in its channel; null for an incoming webhook.
    ts: Option<String>,
}

/// What the API answers.
#[derive(serde::Deserialize)]
#[serde(crate = "windflow_sdk::serde")]
struct Answer {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

/// Writes the message.
#[node]
pub fn slack(config: Config) -> Result<Output, NodeError> {
    if config.thread.is_some() && config.channel.is_none() {
        return Err(NodeError::new("invalid_config", "`thread` needs a `channel`: an incoming webhook has no threads"));
    }
    let address = if config.channel.is_some() { POST_MESSAGE } else { CREDENTIAL_URL };
    let url = Url::parse(address).map_err(|problem| NodeError::new("invalid_config", problem))?;
    let mut message = json!({ "text": config.text });
    for (name, value) in [("channel", &config.channel), ("thread_ts", &config.thread)] {
        if let Some(value) = value {
            message[name] = json!(value);
        }
    }
    if let Some(blocks) = &config.blocks {
        message["blocks"] = blocks.parse()?;
    }
    let reply = ask(&Request::json("POST", url, &message)?, ANSWER_BYTES)?;
    if config.channel.is_none() {
        return Ok(Output { channel: None, ts: None });
    }
    let answer: Answer = reply.json()?;
    match answer {
        Answer { ok: true, channel, ts, .. } => Ok(Output { channel, ts }),
        Answer { error, .. } => {
            let error = error.unwrap_or_else(|| "no reason".to_owned());
            let retry = if error == "ratelimited" { Retry::MayHelp } else { Retry::Never };
            Err(NodeError::new("slack_error", format!("Slack refuses the message: {error}"))
                .with_retry(retry)
                .with_details(&json!({ "error": error })))
        }
    }
}

windflow_sdk::plugin!(slack);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, from_slice};
    use windflow_sdk::testing;
    use windflow_sdk::testing::http::{Answer, set_transport};

    use super::*;

    /// What is sent for a configuration, and what comes of the answer.
    fn run(config: Value, answer: Answer) -> (String, Value, Result<Value, NodeError>) {
        let sent = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let seen = sent.clone();
        set_transport(move |request: &Request| {
            let body = from_slice::<Value>(request.body.as_deref().unwrap()).unwrap();
            assert_eq!(request.header("idempotency-key"), Some("key"));
            seen.borrow_mut().push((request.url.to_string(), body));
            Ok(answer.clone())
        });
        let result = testing::run(slack::NODE, config).map(|emitted| emitted.value);
        let (url, body) = sent.borrow_mut().pop().unwrap_or_default();
        (url, body, result)
    }

    #[test]
    fn a_webhook_gets_the_text_and_nothing_of_the_credential() {
        let (url, body, result) = run(json!({ "credential": "chat", "text": "Hi" }), Answer::new(200).body("ok"));
        assert_eq!((url.as_str(), body), (CREDENTIAL_URL, json!({ "text": "Hi" })));
        assert_eq!(result.unwrap(), json!({ "channel": null, "ts": null }));
        let refused = run(json!({ "credential": "chat", "text": "Hi" }), Answer::new(404).body("no_service")).2;
        let error = refused.unwrap_err();
        assert_eq!((&*error.code, error.retry), ("http_status", Retry::Never));
        assert!(error.message.ends_with("the credential's address answered with status 404: no_service"), "{error}");
    }

    #[test]
    fn a_channel_goes_by_the_api() {
        let config = json!({ "credential": "bot", "text": "Hi", "channel": "#ops", "thread": "1.2", "blocks": [{ "type": "divider" }] });
        let answer = Answer::new(200).body(r#"{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{}}"#);
        let (url, body, result) = run(config.clone(), answer);
        assert_eq!(url, POST_MESSAGE);
        assert_eq!(
            body,
            json!({ "text": "Hi", "channel": "#ops", "thread_ts": "1.2", "blocks": [{ "type": "divider" }] })
        );
        assert_eq!(result.unwrap(), json!({ "channel": "C1", "ts": "1503435956.000247" }));
        let refused = run(config, Answer::new(200).body(r#"{"ok":false,"error":"channel_not_found"}"#)).2.unwrap_err();
        assert_eq!(
            (&*refused.code, refused.message.as_str()),
            ("slack_error", "Slack refuses the message: channel_not_found")
        );
    }

    #[test]
    fn threads_need_a_channel() {
        let error = run(json!({ "credential": "c", "text": "Hi", "thread": "1" }), Answer::new(200)).2.unwrap_err();
        assert_eq!(error.code, "invalid_config");
    }
}
