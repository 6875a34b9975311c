//! `teams`: writes a message to a channel or chat.

use windflow_sdk::http::{CREDENTIAL_URL, Request, Url, ask};
use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::{Json, NodeError, config, node};

/// Answers are empty, or a page that says what is wrong.
const ANSWER_BYTES: usize = 1 << 20;

/// What is written.
#[config]
pub struct Config {
    /// The address of the Teams workflow "When a Teams webhook request is received" (bind: url).
    #[allow(dead_code, reason = "read by the engine")]
    credential: String,
    /// What is written, in Markdown.
    #[serde(default)]
    text: String,
    /// A bold line above the text.
    #[serde(default)]
    title: Option<String>,
    /// The address that the button below the text opens.
    #[serde(default)]
    link: Option<String>,
    /// A whole adaptive card, instead of title, text and link.
    #[serde(default)]
    card: Option<Json>,
}

/// Writes the message.
#[node]
pub fn teams(config: Config) -> Result<(), NodeError> {
    let card = match &config.card {
        Some(card) => card.parse()?,
        None => card(&config)?,
    };
    let url = Url::parse(CREDENTIAL_URL).map_err(|problem| NodeError::new("invalid_config", problem))?;
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    let message = json!({ "type": "message", "attachments": [attachment] });
    ask(&Request::json("POST", url, &message)?, ANSWER_BYTES).map(drop)
}

fn card(config: &Config) -> Result<Value, NodeError> {
    if config.text.is_empty() && config.title.is_none() {
        return Err(NodeError::new("invalid_config", "there is nothing to write: give `text`, `title` or `card`"));
    }
    let mut body = Vec::new();
    if let Some(title) = &config.title {
        body.push(json!({ "type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium", "wrap": true }));
    }
    if !config.text.is_empty() {
        body.push(json!({ "type": "TextBlock", "text": config.text, "wrap": true }));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
    });
    if let Some(link) = &config.link {
        let url = Url::parse(link).map_err(|problem| NodeError::new("invalid_config", format!("`link`: {problem}")))?;
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open", "url": url.to_string() }]);
    }
    Ok(card)
}

windflow_sdk::plugin!(teams);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::from_slice;
    use windflow_sdk::testing;
    use windflow_sdk::testing::http::{Answer, set_transport};

    use super::*;

    #[track_caller]
    fn check(config: Value, content: Value) {
        set_transport(move |request: &Request| {
            let body: Value = from_slice(request.body.as_deref().unwrap()).unwrap();
            assert_eq!(body["attachments"][0]["content"], content);
            Ok(Answer::new(202))
        });
        assert_eq!(testing::run(teams::NODE, config).unwrap().value, Value::Null);
    }

    #[test]
    fn makes_a_card_or_takes_one() {
        let text = json!({ "type": "TextBlock", "text": "Out", "wrap": true });
        let title =
            json!({ "type": "TextBlock", "text": "Release", "weight": "Bolder", "size": "Medium", "wrap": true });
        let card = |body: Value| json!({ "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body });
        check(json!({ "credential": "c", "text": "Out" }), card(json!([text])));
        let mut linked = card(json!([title, text]));
        linked["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open", "url": "https://example.org/" }]);
        check(json!({ "credential": "c", "text": "Out", "title": "Release", "link": "https://example.org" }), linked);
        check(json!({ "credential": "c", "card": { "type": "AdaptiveCard" } }), json!({ "type": "AdaptiveCard" }));
    }

    #[test]
    fn says_what_is_missing() {
        for (config, says) in [
            (json!({ "credential": "c" }), "nothing to write"),
            (json!({ "credential": "c", "text": "x", "link": "javascript:alert(1)" }), "`link`"),
        ] {
            let error = testing::run(teams::NODE, config).unwrap_err();
            assert!(error.message.contains(says), "{error}");
        }
    }
}
