//! The host's promises, kept for guests that behave; those that do not are in `tests/hostile`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod credentials;
mod http;
mod keeping;
mod load;
mod oauth;
mod orderly;
mod publishing;
mod released;
mod scarce;
mod scratch;
#[path = "../support/mod.rs"]
mod support;
mod targets;
