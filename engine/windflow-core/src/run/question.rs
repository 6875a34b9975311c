//! What runs ask, and what answers it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::Timestamp;
use crate::json::Json;

/// What somebody is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Whether a person decides, or a system reports back.
    pub of: Asked,
    /// Whoever knows it may answer without being signed in.
    pub token: String,
    /// What is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// JSON Schema of the answer's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Json>,
    /// When it is too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The event that answers as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<AwaitedEvent>,
}

/// An event that answers a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AwaitedEvent {
    /// Its name.
    pub name: String,
    /// What it must bring; whatever it brings where nothing is said.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub brings: Option<Json>,
    /// Since when it is waited for: an event that is told again answers nothing that was not asked when it happened.
    pub since: Timestamp,
}

impl AwaitedEvent {
    /// Whether an event of the name answers by what it brings.
    #[must_use]
    pub fn fits(&self, data: &Value) -> bool {
        self.brings.as_ref().is_none_or(|wanted| holds(data, wanted.value()))
    }
}

/// Whether all fields of `wanted`, at any depth, are the same in `found`, which may have more.
fn holds(found: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Object(fields) => {
            fields.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| holds(found, wanted)))
        }
        _ => found == wanted,
    }
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A person, who approves or rejects.
    Person,
    /// A system, which reports back.
    System,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_brings_at_least_what_is_waited_for() {
        let awaited = |brings: Option<Value>| AwaitedEvent {
            name: "order.paid".into(),
            brings: brings.map(Json::from),
            since: Timestamp(0),
        };
        let data = json!({ "order": 17, "by": { "card": true, "bank": "x" }, "tags": [1, 2] });
        for (brings, fits) in [
            (json!({}), true),
            (json!({ "order": 17, "by": { "card": true } }), true),
            (json!({ "tags": [1, 2] }), true),
            (json!({ "tags": [1] }), false),
            (json!({ "order": "17" }), false),
            (json!({ "order": null }), false),
            (json!({ "missing": null }), false),
            (json!({ "order": { "id": 17 } }), false),
        ] {
            assert_eq!(awaited(Some(brings.clone())).fits(&data), fits, "{brings}");
        }
        assert!(awaited(None).fits(&Value::Null) && !awaited(Some(json!({ "order": 17 }))).fits(&Value::Null));
    }
}
