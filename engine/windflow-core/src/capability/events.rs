//! Names of events, and which of them a workflow may publish.

use std::fmt;
use std::str::FromStr;

/// Longest name of an event, in bytes.
pub const MAX_EVENT_NAME_BYTES: usize = 100;

/// What begins so is told by the engine alone.
pub const ENGINE_EVENTS: &str = "run.";

/// Whether an event can have a name: words of letters, digits, `_` and `-`, with dots between them.
#[must_use]
pub fn is_event_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    name.len() <= MAX_EVENT_NAME_BYTES && name.split('.').all(word)
}

/// Whether anybody but the engine may publish events of that name.
#[must_use]
pub fn is_public_event(name: &str) -> bool {
    is_event_name(name) && !name.starts_with(ENGINE_EVENTS)
}

/// Events that may be published: one by its name, `order.placed`, or all that begin so, `order.*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventPattern(String);

/// What is no pattern of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no event: write words with dots between them, as in order.placed or order.*; `run.` belongs to the engine"
)]
pub struct InvalidEventPattern(String);

impl EventPattern {
    /// Whether an event of that name may be published.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.0,
        }
    }
}

impl FromStr for EventPattern {
    type Err = InvalidEventPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_suffix(".*").unwrap_or(text);
        if is_public_event(name) && name != ENGINE_EVENTS.trim_end_matches('.') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEventPattern(text.to_owned()))
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_names_and_beginnings() {
        let covers = |pattern: &str, name: &str| pattern.parse::<EventPattern>().unwrap().covers(name);
        assert!(covers("order.placed", "order.placed") && !covers("order.placed", "order.placed.twice"));
        assert!(covers("order.*", "order.placed") && covers("order.*", "order.a.b"));
        assert!(!covers("order.*", "orders.placed") && !covers("order.*", "order"));
        for wrong in ["", "*", "a b", "a..b", "order*", "run.failed", "run.*", "run", "${{ inputs.x }}"] {
            assert!(wrong.parse::<EventPattern>().is_err(), "{wrong}");
        }
        assert!(is_public_event("runs.old") && !is_public_event("run.failed") && is_event_name("run.failed"));
    }
}
