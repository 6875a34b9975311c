//! `windflow serve` as operators meet it: started, killed, started again, stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

#[path = "serve/backup.rs"]
mod backup;
#[path = "serve/document.rs"]
mod document;
#[path = "serve/kept.rs"]
mod kept;
#[path = "serve/keys.rs"]
mod keys;
#[path = "serve/killed.rs"]
mod killed;
#[path = "serve/remote.rs"]
mod remote;
#[path = "serve/scratch.rs"]
mod scratch;
#[allow(dead_code, reason = "each test uses its part")]
#[path = "serve/serving.rs"]
mod serving;
#[path = "serve/soak.rs"]
mod soak;
#[path = "serve/starts.rs"]
mod starts;
#[path = "serve/traces.rs"]
mod traces;
