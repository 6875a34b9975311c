//! Asks whether somebody wants the attempt to end early. The manifest has to say `cancellation = true`.

/// Whether to stop. A node type that never asks is stopped after a short grace time.
#[must_use]
pub fn cancelled() -> bool {
    #[cfg(target_arch = "wasm32")]
    {
        crate::bindings::windflow::node::cancellation::cancelled()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::testing::is_cancelled()
    }
}
