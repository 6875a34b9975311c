//! `email`: sends a message through a mail server. The engine speaks to the server; this says what is sent.

use windflow_sdk::serde_json::{Value, json};
use windflow_sdk::{NodeError, config, node, output, serde};

/// What is sent, from whom, to whom, through which server.
#[config]
pub struct Config {
    /// The mail server with its port, such as smtp.example.org:587.
    server: String,
    /// How the connection is kept from being read: TLS after the beginning, TLS from the beginning, or not at all.
    #[serde(default)]
    security: Security,
    /// User name and password of the server (bind: basic).
    #[serde(default)]
    #[allow(dead_code, reason = "read by the engine")]
    credential: Option<String>,
    /// From whom it comes, such as "WindFlow <flow@example.org>".
    from: String,
    /// To whom it goes; several are a list.
    to: OneOrMore,
    /// Who gets a copy.
    #[serde(default)]
    cc: Vec<String>,
    /// Who gets a copy that the others do not know of.
    #[serde(default)]
    bcc: Vec<String>,
    /// Where answers go.
    #[serde(default)]
    reply_to: Option<String>,
    /// What it is about.
    subject: String,
    /// The message as plain text.
    #[serde(default)]
    text: Option<String>,
    /// The message as HTML; with a text beside it, each mail program shows what it prefers.
    #[serde(default)]
    html: Option<String>,
    /// Files that go with it.
    #[serde(default)]
    attachments: Vec<Attachment>,
}

/// How the connection is kept from being read.
#[config]
#[derive(Default, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS after the beginning, usually on port 587.
    #[default]
    Starttls,
    /// TLS from the beginning, usually on port 465.
    Tls,
    /// Not at all: for servers on the same machine.
    None,
}

/// One address, or several.
#[config]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

/// A file.
#[config]
#[derive(serde::Serialize)]
pub struct Attachment {
    /// Its name.
    name: String,
    /// What it is, such as text/csv.
    #[serde(default)]
    media_type: Option<String>,
    /// Its content in Base64.
    base64: String,
}

/// What became of it.
#[output]
#[derive(serde::Deserialize)]
pub struct Output {
    /// Its Message-ID, the same for all attempts of this node.
    message_id: String,
    /// To how many addresses it went.
    recipients: u32,
    /// What the server said.
    answer: String,
}

/// Sends the message.
#[node]
pub fn email(config: Config) -> Result<Output, NodeError> {
    if config.text.is_none() && config.html.is_none() {
        return Err(NodeError::new("invalid_config", "a message needs `text` or `html`"));
    }
    let to = match config.to {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    };
    let mut message = json!({
        "server": config.server, "security": config.security, "from": config.from, "to": to, "cc": config.cc,
        "bcc": config.bcc, "subject": config.subject, "attachments": config.attachments,
    });
    for (name, value) in [("reply_to", config.reply_to), ("text", config.text), ("html", config.html)] {
        if let Some(value) = value {
            message[name] = Value::String(value);
        }
    }
    windflow_sdk::email::send(&message)
}

windflow_sdk::plugin!(email);

#[cfg(test)]
mod tests {
    use windflow_sdk::testing;
    use windflow_sdk::testing::email::set_server;

    use super::*;

    #[test]
    fn hands_the_message_over_and_tells_what_became_of_it() {
        set_server(|message| {
            assert_eq!(
                message,
                json!({
                    "server": "smtp.example.org:587", "security": "starttls", "from": "flow@example.org",
                    "to": ["ada@example.org"], "cc": [], "bcc": [], "subject": "Done", "text": "All is well",
                    "attachments": [{ "name": "a.csv", "media_type": "text/csv", "base64": "YSxi" }],
                })
            );
            Ok(json!({ "message_id": "<1@windflow.invalid>", "recipients": 1, "answer": "queued" }))
        });
        let config = json!({
            "server": "smtp.example.org:587", "from": "flow@example.org", "to": "ada@example.org", "subject": "Done",
            "text": "All is well", "attachments": [{ "name": "a.csv", "media_type": "text/csv", "base64": "YSxi" }],
        });
        let emitted = testing::run(email::NODE, config).unwrap();
        assert_eq!(emitted.value["message_id"], "<1@windflow.invalid>");
    }

    #[test]
    fn a_message_says_something() {
        let config = json!({ "server": "a:25", "from": "a@b.c", "to": ["a@b.c"], "subject": "" });
        assert!(testing::run(email::NODE, config).unwrap_err().message.contains("`text` or `html`"));
    }
}
