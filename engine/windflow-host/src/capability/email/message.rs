//! A message as a node describes it, and as it is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use serde::Deserialize;
use windflow_core::id::Digest;

/// Recipients of one message, at most.
const MAX_RECIPIENTS: usize = 100;
/// Attachments of one message, at most.
const MAX_ATTACHMENTS: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    /// Host and port.
    pub(super) server: String,
    #[serde(default)]
    pub(super) security: Security,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    cc: Vec<String>,
    #[serde(default)]
    bcc: Vec<String>,
    reply_to: Option<String>,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    #[serde(default)]
    attachments: Vec<Attached>,
}

/// How the connection is kept from being read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Security {
    /// It begins in plain text and must become TLS before anything is told.
    #[default]
    Starttls,
    /// TLS from the beginning.
    Tls,
    /// Not at all.
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    name: String,
    media_type: Option<String>,
    base64: String,
}

/// A message that is ready to be sent.
pub(super) struct Built {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
    pub(super) id: String,
}

impl Message {
    /// Writes the message. Its Message-ID follows from the attempt's key, so that one that is sent twice after a crash is
    /// recognised as one.
    pub(super) fn build(&self, key: &str) -> Result<Built, String> {
        let recipients = self.to.len() + self.cc.len() + self.bcc.len();
        if recipients == 0 || recipients > MAX_RECIPIENTS {
            return Err(format!("a message goes to 1 to {MAX_RECIPIENTS} recipients, and this one to {recipients}"));
        }
        let digest = Digest::of(key.as_bytes());
        let id = format!("<{:x}@windflow.invalid>", u128::from_be_bytes(first(&digest.0)));
        let mut message = lettre::Message::builder()
            .message_id(Some(id.clone()))
            .from(mailbox("from", &self.from)?)
            .subject(self.subject.as_str());
        for to in &self.to {
            message = message.to(mailbox("to", to)?);
        }
        for cc in &self.cc {
            message = message.cc(mailbox("cc", cc)?);
        }
        // Told to the server, and not to the other recipients.
        for bcc in &self.bcc {
            message = message.bcc(mailbox("bcc", bcc)?);
        }
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(mailbox("reply_to", reply_to)?);
        }
        let text = |text: &str| SinglePart::plain(text.to_owned());
        let html = |html: &str| SinglePart::html(html.to_owned());
        let unfit = |error: lettre::error::Error| format!("this is no message: {error}");
        let whole = if self.attachments.is_empty() {
            match (&self.text, &self.html) {
                (Some(plain), Some(rich)) => {
                    message.multipart(MultiPart::alternative_plain_html(plain.clone(), rich.clone()))
                }
                (None, Some(rich)) => message.singlepart(html(rich)),
                (plain, None) => message.singlepart(text(plain.as_deref().unwrap_or_default())),
            }
        } else {
            let mixed = match (&self.text, &self.html) {
                (Some(plain), Some(rich)) => {
                    MultiPart::mixed().multipart(MultiPart::alternative_plain_html(plain.clone(), rich.clone()))
                }
                (None, Some(rich)) => MultiPart::mixed().singlepart(html(rich)),
                (plain, None) => MultiPart::mixed().singlepart(text(plain.as_deref().unwrap_or_default())),
            };
            message.multipart(self.attach(mixed)?)
        };
        let whole = whole.map_err(unfit)?;
        Ok(Built { envelope: whole.envelope().clone(), bytes: whole.formatted(), id })
    }

    fn attach(&self, mut parts: MultiPart) -> Result<MultiPart, String> {
        if self.attachments.len() > MAX_ATTACHMENTS {
            return Err(format!("a message has {MAX_ATTACHMENTS} attachments at most"));
        }
        for attached in &self.attachments {
            let name = &attached.name;
            let bytes = STANDARD
                .decode(&attached.base64)
                .map_err(|error| format!("the attachment `{name}` is no Base64: {error}"))?;
            let media_type = attached.media_type.as_deref().unwrap_or("application/octet-stream");
            let media_type = ContentType::parse(media_type)
                .map_err(|_| format!("`{media_type}` of the attachment `{name}` is no media type"))?;
            parts = parts.singlepart(Attachment::new(name.clone()).body(bytes, media_type));
        }
        Ok(parts)
    }
}

fn first(digest: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    first
}

fn mailbox(field: &str, text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|error| format!("`{field}: {text}` is no address of mail: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn build(more: &Value) -> Result<String, String> {
        let mut message = json!({ "server": "mail:25", "from": "WindFlow <flow@example.org>", "to": ["ada@example.org"], "subject": "Émile", "text": "Hello" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let message: Message = serde_json::from_value(message).unwrap();
        message.build("run/node").map(|built| String::from_utf8(built.bytes).unwrap())
    }

    #[test]
    fn a_message_is_written_with_one_id_for_all_attempts() {
        let message = build(&json!({ "cc": ["Bob <bob@example.org>"], "bcc": ["secret@example.org"] })).unwrap();
        assert!(message.contains("To: ada@example.org\r\n") && message.contains("bob@example.org"), "{message}");
        assert!(!message.contains("secret@example.org"), "{message}");
        let id = |message: &str| message.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
        assert_eq!(id(&message), id(&build(&json!({})).unwrap()));
    }

    #[test]
    fn headers_cannot_be_smuggled_in() {
        let message = build(&json!({ "subject": "a\r\nBcc: eve@example.org" })).unwrap();
        assert!(!message.lines().any(|line| line.starts_with("Bcc")), "{message}");
        assert!(build(&json!({ "to": ["a@b.c\r\nBcc: eve@example.org"] })).is_err());
        let message = build(&json!({ "attachments": [{ "name": "a\"\r\nX: y", "base64": "aGk=" }] })).unwrap();
        assert!(!message.lines().any(|line| line.starts_with("X:")), "{message}");
    }

    #[test]
    fn what_is_no_message_is_told() {
        assert!(build(&json!({ "to": [] })).unwrap_err().contains("recipients"));
        assert!(build(&json!({ "from": "nobody" })).unwrap_err().contains("from: nobody"));
        assert!(build(&json!({ "attachments": [{ "name": "a", "base64": "?" }] })).unwrap_err().contains("Base64"));
        let both = build(&json!({ "html": "<b>Hi</b>", "attachments": [{ "name": "a.txt", "media_type": "text/plain", "base64": "aGk=" }] })).unwrap();
        for part in ["multipart/mixed", "multipart/alternative", "text/html", "filename=\"a.txt\""] {
            assert!(both.contains(part), "{both}");
        }
    }
}
