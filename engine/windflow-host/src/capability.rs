//! What guests may do, one module for each capability. Every version of the contract comes through here, so that a check
//! made here holds for all of them.
//!
//! Which capabilities a component may import at all is decided when it is installed (see [`crate::load`]): an import that
//! its manifest does not ask for is refused there, and nothing beyond its imports is linked.

pub(crate) mod cancellation;
pub(crate) mod clock;
pub(crate) mod credentials;
pub(crate) mod docker;
pub(crate) mod email;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod operator;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod run_context;
pub(crate) mod state;
mod text;

pub(crate) use text::{clean, cut};
