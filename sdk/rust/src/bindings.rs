//! The contract of `sdk/wit/v1` in Rust, generated once for all plugins, and the way from it to the SDK's own types.

#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    rust_2018_idioms,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::semicolon_if_nothing_returned,
    reason = "generated"
)]
mod generated {
    wit_bindgen::generate!({
        path: "../wit/v1",
        world: "node",
        pub_export_macro: true,
        default_bindings_module: "windflow_sdk::bindings",
        runtime_path: "::windflow_sdk::bindings::runtime",
    });
}

pub use generated::*;
pub use wit_bindgen::rt as runtime;

pub use self::generated::windflow::node::types::{Emission, NodeError, RetryHint};
use crate::{Node, Retry, log};

/// Runs one node type of several for the host.
///
/// # Errors
///
/// As the node fails.
pub fn execute(nodes: &[Node], node_type: &str, config: &[u8]) -> Result<Emission, NodeError> {
    std::panic::set_hook(Box::new(log_panic));
    match crate::execute(nodes, node_type, config) {
        Ok(emission) => Ok(Emission { port: emission.port.into_owned(), value: emission.value }),
        Err(error) => Err(NodeError {
            code: error.code.into_owned(),
            message: error.message,
            retry: match error.retry {
                Retry::Never => RetryHint::Never,
                Retry::MayHelp => RetryHint::MayHelp,
                Retry::After(milliseconds) => RetryHint::After(milliseconds),
            },
            details: error.details,
        }),
    }
}

/// A panic ends the attempt with a trap, which has no message: the host tells the last error that was logged instead.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let mut message = String::from("panicked");
    if let Some(place) = panic.location() {
        message.push_str(" at ");
        message.push_str(&place.to_string());
    }
    if let Some(text) = panic.payload_as_str() {
        message.push_str(": ");
        message.push_str(text);
    }
    log::error(&message);
}
