//! Tells people how far a long attempt has come. It is shown, not kept.

/// Reports progress; `fraction` is between 0 and 1 where it is known.
pub fn report(fraction: Option<f64>, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::windflow::node::progress::report(fraction, message);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::record_progress(fraction, message);
}
