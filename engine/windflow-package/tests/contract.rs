//! The plugin contract: it only grows, and its reference is written from it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test helpers; a failure is the test's")]

mod contract {
    mod reference;
    mod signature;
    mod versions;
}
