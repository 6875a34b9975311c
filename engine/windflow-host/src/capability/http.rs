//! Outgoing requests by `wasi:http`, through a sender of our own: every request is held against the manifest, the run's
//! grants and the operator's policy, every address that its name resolves to as well, before anything leaves the machine.

mod authorised;
mod body;
mod breaker;
mod check;
mod connect;
mod errors;
mod fetch;
mod headers;
mod hooks;
mod own;
mod policy;
mod pool;
mod resolve;
mod sender;
mod tls;

pub use breaker::BreakerSettings;
pub use connect::Dial;
pub use fetch::GuardedFetch;
pub use policy::{AllowAll, HttpPolicy, PublicHosts};
pub use resolve::{Resolver, SystemResolver};
pub use tls::TlsRoots;

pub(crate) use hooks::Hooks;
pub(crate) use own::{OwnAnswer, Unanswered};
pub(crate) use sender::{Sender, Undialable};

use wasmtime::component::Linker;

use crate::attempt::State;

/// Gives guests `wasi:http`.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}
