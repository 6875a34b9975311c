//! Guests that emit what cannot be, or stop abnormally.

use windflow_core::failure::FailureKind::{InvalidOutput, Trap};

use crate::computing::check;

#[tokio::test]
async fn emits_nonsense() {
    check("echo", "{", InvalidOutput, "no JSON").await;
    check("echo", "\u{1}", InvalidOutput, "no JSON").await;
    check("echo", &"[".repeat(100_000), InvalidOutput, "no JSON").await;
    check("other_port", "{}", InvalidOutput, "\"ghost\", which it does not have; it has: out").await;
    check("output_outside", "{}", Trap, "").await;
}

#[tokio::test]
async fn traps() {
    check("panic", "{}", Trap, "panicked at src/lib.rs:7:5: no such thing").await;
    check("divide", "{}", Trap, "divide by zero").await;
}
