//! `webhook`: tells another system something.

use windflow_sdk::http::{CREDENTIAL_URL, Request, Url, ask};
use windflow_sdk::{Fields, Json, NodeError, config, context, node, output};

/// What a receiver has to say is short.
const ANSWER_BYTES: usize = 1 << 20;

/// What is told, and to whom.
#[config]
pub struct Config {
    /// The address; left out where the credential is a whole address.
    #[serde(default)]
    url: Option<String>,
    /// A whole address (bind: url), a key that signs (bind: hmac), or another login.
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
    /// What is told; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    json: Json,
    /// Further headers by name.
    #[serde(default)]
    headers: Fields<String>,
}

/// What the receiver answered.
#[output]
pub struct Output {
    /// The status, such as 200.
    status: u16,
    /// JSON where it is that, else text.
    body: Json,
}

/// Tells it.
#[node]
pub fn webhook(config: Config) -> Result<Output, NodeError> {
    let url = Url::parse(config.url.as_deref().unwrap_or(CREDENTIAL_URL))
        .map_err(|problem| NodeError::new("invalid_config", format!("`url`: {problem}")))?;
    let mut request = Request::json("POST", url, &config.json)?.with_header("Webhook-Id", context::idempotency_key());
    for (name, value) in config.headers {
        // What the author writes comes over what is usual.
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        request.headers.push((name, value));
    }
    let reply = ask(&request, ANSWER_BYTES)?;
    let body = match Json::from_text(reply.text()) {
        Ok(json) => json,
        Err(_) => Json::of(&reply.text())?,
    };
    Ok(Output { status: reply.status, body })
}

windflow_sdk::plugin!(webhook);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;
    use windflow_sdk::testing::http::{Answer, set_transport};

    use super::*;

    #[track_caller]
    fn check(config: Value, sent: &str, answer: &'static str, body: Value) {
        let sent = sent.to_owned();
        set_transport(move |request: &Request| {
            let mut text = format!("{} {}", request.method, request.url);
            for (name, value) in &request.headers {
                text += &format!("\n{name}: {value}");
            }
            assert_eq!(format!("{text}\n\n{}", String::from_utf8_lossy(request.body.as_deref().unwrap())), sent);
            Ok(Answer::new(202).body(answer))
        });
        assert_eq!(testing::run(webhook::NODE, config).unwrap().value, json!({ "status": 202, "body": body }));
    }

    #[test]
    fn tells_json_and_reads_what_comes() {
        check(
            json!({ "credential": "partner", "json": { "a": 1.0 } }),
            "POST https://credential.invalid/\nContent-Type: application/json\nIdempotency-Key: key\nWebhook-Id: key\n\n{\"a\":1.0}",
            "taken",
            json!("taken"),
        );
        check(
            json!({ "url": "https://example.org/a", "json": [], "headers": { "content-type": "application/cloudevents+json" } }),
            "POST https://example.org/a\nIdempotency-Key: key\nWebhook-Id: key\ncontent-type: application/cloudevents+json\n\n[]",
            "{\"ok\": true}",
            json!({ "ok": true }),
        );
    }
}
