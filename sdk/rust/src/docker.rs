//! Deploys to targets that the workflow grants. The manifest has to say `docker = true`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::NodeError;

/// Asks something of a target and waits until it is done. What can be asked is in docs/deploy.md.
///
/// # Errors
///
/// As the target says, and with code `invalid_answer` where the answer is not what was expected.
pub fn perform<Q: Serialize + ?Sized, A: DeserializeOwned>(target: &str, request: &Q) -> Result<A, NodeError> {
    let request = serde_json::to_vec(request).map_err(|error| NodeError::new("invalid_request", error.to_string()))?;
    let answer = ask(target, &request)?;
    serde_json::from_slice(&answer).map_err(|error| NodeError::new("invalid_answer", error.to_string()))
}

#[cfg(target_arch = "wasm32")]
fn ask(target: &str, request: &[u8]) -> Result<Vec<u8>, NodeError> {
    crate::bindings::windflow::node::docker::perform(target, request).map_err(crate::error::from_host)
}

#[cfg(not(target_arch = "wasm32"))]
fn ask(target: &str, request: &[u8]) -> Result<Vec<u8>, NodeError> {
    crate::testing::docker::answer(target, request)
}
