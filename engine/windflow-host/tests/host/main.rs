//! The host's promises, kept against guests of every kind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod cache;
mod cancel;
mod credentials;
mod hostile;
mod http;
mod keeping;
mod load;
mod oauth;
mod orderly;
mod publishing;
mod released;
mod scarce;
mod server;
mod support;
mod targets;
mod wasi;
