//! Sends mail through servers that the workflow grants. The manifest has to say `email = true`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::NodeError;

/// Sends one message. What it is made of is in plugins/email/README.md.
///
/// # Errors
///
/// As the server says, and with code `invalid_answer` where the answer is not what was expected.
pub fn send<M: Serialize + ?Sized, A: DeserializeOwned>(message: &M) -> Result<A, NodeError> {
    let message = serde_json::to_vec(message).map_err(|error| NodeError::new("invalid_message", error.to_string()))?;
    let answer = hand_over(&message)?;
    serde_json::from_slice(&answer).map_err(|error| NodeError::new("invalid_answer", error.to_string()))
}

#[cfg(target_arch = "wasm32")]
fn hand_over(message: &[u8]) -> Result<Vec<u8>, NodeError> {
    crate::bindings::windflow::node::email::send(message).map_err(crate::error::from_host)
}

#[cfg(not(target_arch = "wasm32"))]
fn hand_over(message: &[u8]) -> Result<Vec<u8>, NodeError> {
    crate::testing::email::take(message)
}
