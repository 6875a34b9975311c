//! Publishes events that start workflows. The manifest has to say `events = true`.

use serde::de::DeserializeOwned;

use crate::{Json, NodeError};

/// Publishes an event, and tells what it has started: `{ "started": [{ "workflow", "trigger", "run", "error" }] }`.
///
/// The same event of an attempt that is made again starts nothing again, as long as an attempt publishes in the same order.
///
/// # Errors
///
/// As the engine says, and with code `invalid_answer` where the answer is not what was expected.
pub fn publish<A: DeserializeOwned>(name: &str, data: &Json) -> Result<A, NodeError> {
    let answer = hand_over(name, data.as_str().as_bytes())?;
    serde_json::from_slice(&answer).map_err(|error| NodeError::new("invalid_answer", error.to_string()))
}

#[cfg(target_arch = "wasm32")]
fn hand_over(name: &str, data: &[u8]) -> Result<Vec<u8>, NodeError> {
    crate::bindings::windflow::node::events::publish(name, data).map_err(crate::error::from_host)
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::unnecessary_wraps, reason = "the engine may refuse")]
fn hand_over(name: &str, data: &[u8]) -> Result<Vec<u8>, NodeError> {
    Ok(crate::testing::events::take(name, data))
}
