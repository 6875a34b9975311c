//! Facts about the attempt. The manifest has to say `run_context = true`; a node type that asks is not pure.
//!
//! Natively they are what `testing::set_context` says.

#[cfg(target_arch = "wasm32")]
use crate::bindings::windflow::node::run_context as source;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::context as source;

/// The run.
#[must_use]
pub fn run_id() -> String {
    source::run_id()
}

/// The node, as the workflow names it.
#[must_use]
pub fn node_id() -> String {
    source::node_id()
}

/// The attempt, from 1.
#[must_use]
pub fn attempt() -> u32 {
    source::attempt()
}

/// The same across retries and recoveries of this node run, another in a re-run. Send it with every effect that must not
/// happen twice.
#[must_use]
pub fn idempotency_key() -> String {
    source::idempotency_key()
}

/// Milliseconds until the host stops the attempt, where there is an end.
#[must_use]
pub fn remaining_ms() -> Option<u64> {
    source::remaining_ms()
}
