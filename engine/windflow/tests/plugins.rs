//! Plugins as their authors and those who install them meet them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;
#[allow(dead_code, reason = "each test uses its part")]
#[path = "serve/serving.rs"]
mod serving;
mod plugins {
    mod clock;
    mod installing;
    mod locking;
    mod served;
    mod served_refusals;
    mod support;
    mod tutorial;
    mod writing;
}
