//! `discord`: writes a message to a channel.

use windflow_sdk::http::{CREDENTIAL_URL, Request, Url, ask};
use windflow_sdk::serde_json::json;
use windflow_sdk::{Json, NodeError, config, node, output, serde};

/// What Discord takes.
const TEXT_CHARACTERS: usize = 2000;

/// Answers repeat the message.
const ANSWER_BYTES: usize = 1 << 20;

/// What is written.
#[config]
pub struct Config {
    /// The channel's webhook (bind: url).
    #[allow(dead_code, reason = "read by the engine")]
    credential: String,
    /// What is written, in Markdown; at most 2000 characters.
    text: String,
    /// Up to ten embeds, as Discord's API describes them.
    #[serde(default)]
    embeds: Option<Json>,
    /// The name that the message shows.
    #[serde(default)]
    username: Option<String>,
    /// Whether `@everyone`, roles and people in the text are notified. Not by default, since texts may come from elsewhere.
    #[serde(default)]
    mentions: bool,
}

/// Where the message is.
#[output]
#[derive(serde::Deserialize)]
pub struct Output {
    /// The message's id.
    id: String,
    /// The channel's id.
    #[serde(rename(deserialize = "channel_id"))]
    channel: String,
}

/// Writes the message.
#[node]
pub fn discord(config: Config) -> Result<Output, NodeError> {
    let length = config.text.chars().count();
    if length > TEXT_CHARACTERS {
        let message =
            format!("`text` has {length} characters; Discord takes {TEXT_CHARACTERS}. Shorten it, or send a part");
        return Err(NodeError::new("invalid_config", message));
    }
    let mut url = Url::parse(CREDENTIAL_URL).map_err(|problem| NodeError::new("invalid_config", problem))?;
    // Without it Discord does not say which message it was.
    url.push_query("wait", "true");
    let mut message = json!({ "content": config.text });
    if let Some(embeds) = &config.embeds {
        message["embeds"] = embeds.parse()?;
    }
    if let Some(username) = &config.username {
        message["username"] = json!(username);
    }
    if !config.mentions {
        message["allowed_mentions"] = json!({ "parse": [] });
    }
    ask(&Request::json("POST", url, &message)?, ANSWER_BYTES)?.json()
}

windflow_sdk::plugin!(discord);

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::{Value, from_slice};
    use windflow_sdk::testing::http::{Answer, set_transport};
    use windflow_sdk::{Retry, testing};

    use super::*;

    #[test]
    fn writes_by_the_webhook_and_notifies_nobody() {
        set_transport(|request: &Request| {
            assert_eq!(request.url.to_string(), "https://credential.invalid/?wait=true");
            let body: Value = from_slice(request.body.as_deref().unwrap()).unwrap();
            assert_eq!(
                body,
                json!({ "content": "Hi @everyone", "username": "Flow", "allowed_mentions": { "parse": [] } })
            );
            Ok(Answer::new(200).body(r#"{"id":"1","channel_id":"2","content":"Hi @everyone","embeds":[]}"#))
        });
        let config = json!({ "credential": "chat", "text": "Hi @everyone", "username": "Flow" });
        assert_eq!(testing::run(discord::NODE, config).unwrap().value, json!({ "id": "1", "channel": "2" }));
    }

    #[test]
    fn waits_as_long_as_discord_says() {
        set_transport(|_: &Request| Ok(Answer::new(429).header("retry-after", "3").body(r#"{"retry_after":2.5}"#)));
        let error =
            testing::run(discord::NODE, json!({ "credential": "chat", "text": "Hi", "mentions": true })).unwrap_err();
        assert_eq!(error.retry, Retry::After(3000));
        let long = testing::run(discord::NODE, json!({ "credential": "chat", "text": "é".repeat(2001) })).unwrap_err();
        assert!(long.message.contains("2001 characters"), "{long}");
    }
}
