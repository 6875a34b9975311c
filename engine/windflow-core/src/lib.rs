//! The pure heart of WindFlow: documents, plans, runs and permissions as plain values.
//!
//! Nothing here reads a clock, a random source, a file or a socket; nothing here is asynchronous. Time and chance come in
//! as data. The crate builds for the browser as well, so that the editor and the engine can never disagree.
#![forbid(unsafe_code)]

pub mod alone;
pub mod capability;
pub mod credential;
pub mod difference;
pub mod edit;
pub mod expression;
pub mod failure;
#[cfg(test)]
mod french;
pub mod id;
pub mod json;
pub mod manifest;
pub mod native;
pub mod place;
pub mod plan;
pub mod ports;
pub mod problem;
pub mod rerun;
pub mod retry;
pub mod run;
pub mod schema;
mod text;
pub mod trace;
pub mod workflow;
pub mod yaml;
