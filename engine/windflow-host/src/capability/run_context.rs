//! Facts about the attempt. They need no grant, but a component that reads them is not pure.

use std::time::Instant;

use windflow_core::ports::host::Call;

pub(crate) fn run_id(call: &Call) -> String {
    call.run.to_string()
}

pub(crate) fn node_id(call: &Call) -> String {
    call.node.as_str().to_owned()
}

pub(crate) fn idempotency_key(call: &Call) -> String {
    call.key.as_ref().to_owned()
}

/// Milliseconds until the host stops the attempt.
pub(crate) fn remaining_ms(deadline: Instant) -> u64 {
    u64::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX)
}
