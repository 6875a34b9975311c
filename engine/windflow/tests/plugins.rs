//! Plugins as their authors and those who install them meet them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;
mod plugins {
    mod installing;
    mod locking;
    mod support;
    mod tutorial;
    mod writing;
}
