//! `ntfy`: notifies phones and desktops.

use windflow_sdk::http::{Request, Url, ask};
use windflow_sdk::serde_json::json;
use windflow_sdk::{NodeError, config, node, output, serde};

/// Answers repeat the message.
const ANSWER_BYTES: usize = 1 << 20;

/// What is shown, and to whom.
#[config]
pub struct Config {
    /// What devices follow.
    topic: String,
    /// What is shown.
    message: String,
    /// The line above it.
    #[serde(default)]
    title: Option<String>,
    /// From 1, silent, to 5, insistent.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(range(min = 1, max = 5)))]
    priority: Option<u8>,
    /// Words, or names of emojis such as `warning`.
    #[serde(default)]
    tags: Vec<String>,
    /// The address that a touch opens.
    #[serde(default)]
    click: Option<String>,
    /// The address of the server.
    #[serde(default = "server")]
    server: String,
    /// For a protected topic: a token (bind: bearer), or a name with a password (bind: basic).
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
}

fn server() -> String {
    "https://ntfy.sh".to_owned()
}

/// The notification.
#[output]
#[derive(serde::Deserialize)]
pub struct Output {
    /// What the server knows it by.
    id: String,
    /// When the server took it, in seconds since 1970.
    time: u64,
}

/// Sends the notification.
#[node]
pub fn ntfy(config: Config) -> Result<Output, NodeError> {
    let wrong = |message: String| NodeError::new("invalid_config", message);
    let topic = &config.topic;
    if topic.is_empty() || !topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(wrong(format!("`topic`: `{topic}` is none; use letters, digits, - and _")));
    }
    if config.priority.is_some_and(|priority| !(1..=5).contains(&priority)) {
        return Err(wrong("`priority` is from 1 to 5".to_owned()));
    }
    let url = Url::parse(&config.server).map_err(|problem| wrong(format!("`server`: {problem}")))?;
    let mut message = json!({ "topic": topic, "message": config.message, "tags": config.tags });
    for (name, value) in [("title", &config.title), ("click", &config.click)] {
        if let Some(value) = value {
            message[name] = json!(value);
        }
    }
    if let Some(priority) = config.priority {
        message["priority"] = json!(priority);
    }
    ask(&Request::json("POST", url, &message)?, ANSWER_BYTES)?.json()
}

windflow_sdk::plugin!(ntfy);

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::{Value, from_slice};
    use windflow_sdk::testing;
    use windflow_sdk::testing::http::{Answer, set_transport};

    use super::*;

    #[test]
    fn publishes_to_the_root_of_the_server() {
        set_transport(|request: &Request| {
            assert_eq!(request.url.to_string(), "https://push.example.org/");
            let body: Value = from_slice(request.body.as_deref().unwrap()).unwrap();
            assert_eq!(
                body,
                json!({ "topic": "t-1", "message": "Down", "title": "Alarm", "priority": 5, "tags": ["warning"] })
            );
            Ok(Answer::new(200)
                .body(r#"{"id":"xE73","time":1735941285,"expires":1735984485,"event":"message","topic":"t-1"}"#))
        });
        let config = json!({
            "server": "https://push.example.org", "topic": "t-1", "message": "Down", "title": "Alarm", "priority": 5, "tags": ["warning"],
        });
        assert_eq!(testing::run(ntfy::NODE, config).unwrap().value, json!({ "id": "xE73", "time": 1_735_941_285_u64 }));
    }

    #[test]
    fn refuses_what_the_server_would() {
        for (field, value) in [("topic", json!("a/b")), ("priority", json!(6)), ("server", json!("ntfy.sh"))] {
            let mut config = json!({ "topic": "t", "message": "m" });
            config[field] = value;
            let error = testing::run(ntfy::NODE, config).unwrap_err();
            assert!(error.message.contains(field), "{error}");
        }
    }
}
