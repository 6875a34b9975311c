//! The plugin host: runs node types that are sandboxed WebAssembly components.
//!
//! [`PluginHost`] implements the core's `Registry` and `Host`. Every attempt gets a fresh instance of its component, sees
//! nothing but what its manifest asks for, its run grants and the operator allows, and ends in bounded time with an
//! emission or a typed failure, whatever the guest does.

#![deny(unsafe_code)]

mod attempt;
mod cache;
mod capability;
mod code;
mod config;
mod contract;
mod engine;
mod host;
mod imports;
mod limits;
mod load;
mod plugin;
mod registry;
mod ticker;
mod wasi;

pub use capability::http::{
    AllowAll, BreakerSettings, Dial, GuardedFetch, HttpPolicy, PublicHosts, Resolver, SystemResolver, TlsRoots,
};
pub use config::HostConfig;
pub use host::{Compiled, HostError, PluginHost};
pub use limits::{HttpLimits, Limits};
pub use load::LoadError;
