//! Being told of cancellation. It needs no grant, but a component that asks is not pure.

use windflow_core::ports::host::Call;

/// True from the moment of the request on; the guest is stopped after a grace time all the same.
pub(crate) fn cancelled(call: &Call) -> bool {
    call.cancel.is_cancelled()
}
