//! JSON values that are handed on as text and parsed only where somebody asks.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value, cheap to clone. Most outputs of nodes are stored and passed on without anybody looking inside, so the
/// text is kept and parsed at most once.
#[derive(Clone)]
pub struct Json(Arc<Inner>);

struct Inner {
    text: Box<RawValue>,
    value: OnceLock<Value>,
}

impl Json {
    /// JSON `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::from(Value::Null)
    }

    /// Checks that `bytes` are one JSON text (UTF-8, nesting at most serde_json's 128 levels) and keeps them.
    ///
    /// # Errors
    /// When they are not.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, serde_json::Error> {
        // `RawValue::from_string` checks syntax but not depth, so that a value nested a million levels deep would only be
        // found by whoever parses it later, for the second time. Parsing skips nothing here: it bounds the depth.
        serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)?;
        let text = String::from_utf8(bytes).map_err(<serde_json::Error as serde::de::Error>::custom)?;
        Ok(Self::from_raw(RawValue::from_string(text)?))
    }

    /// A list of values.
    #[must_use]
    pub fn list<'a>(items: impl Iterator<Item = &'a Self>) -> Self {
        let mut text = String::from("[");
        for item in items {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(item.text());
        }
        text.push(']');
        // A list of JSON texts is a JSON text.
        Self::from_raw(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    fn from_raw(text: Box<RawValue>) -> Self {
        Self(Arc::new(Inner { text, value: OnceLock::new() }))
    }

    /// The value as JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text.get()
    }

    /// The value, parsed at the first call.
    #[must_use]
    pub fn value(&self) -> &Value {
        // The text was checked when it came in, so that parsing fails only beyond the depth limit; such a value is unreadable.
        self.0.value.get_or_init(|| serde_json::from_str(self.text()).unwrap_or(Value::Null))
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        let text = serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let json = Self::from_raw(text);
        let _ = json.0.value.set(value);
        json
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() || self.value() == other.value()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.text.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(d).map(Self::from_raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_passes_through_unchanged() {
        let json = Json::parse(b"{ \"b\": 1.0, \"a\": [] }".to_vec()).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), "{ \"b\": 1.0, \"a\": [] }");
        assert_eq!(json.value()["b"], 1.0);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in [&b""[..], b"{", b"NaN", b"1 2", b"\xff", b"\"\xff\"", "[".repeat(100_000).as_bytes()] {
            assert!(Json::parse(bad.to_vec()).is_err());
        }
    }
}
