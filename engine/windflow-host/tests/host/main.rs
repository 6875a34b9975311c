//! The host's promises, kept against guests of every kind.
#![allow(missing_docs, reason = "tests")]

mod cache;
mod cancel;
mod hostile;
mod http;
mod load;
mod orderly;
mod server;
mod support;
