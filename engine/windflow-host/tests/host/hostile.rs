//! Guests that misbehave: each fails with the right kind, in bounded time, and nobody else notices.

use std::time::{Duration, Instant};

use windflow_core::failure::FailureKind::{self, InvalidOutput, LimitExceeded, OutOfMemory, Timeout, Trap};
use windflow_host::{HostConfig, Limits};

use crate::support::{Attempt, everything, guest, host, host_with};

/// Runs a guest, while another node goes on undisturbed on the same single thread.
async fn check(name: &str, config: &str, kind: FailureKind, says: &str) {
    let host = host_with(HostConfig::default(), name);
    host.install(guest("echo", &everything())).unwrap();
    Attempt::of("echo").gives(&host, "{}").await;
    let neighbour = {
        let host = host.clone();
        tokio::spawn(async move {
            let mut slowest = Duration::ZERO;
            for _ in 0..50 {
                let begun = Instant::now();
                Attempt::of("echo").gives(&host, "{}").await;
                slowest = slowest.max(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            slowest
        })
    };
    Attempt::of(name).config(config).timeout(500).fails(&host, kind, says).await;
    let slowest = neighbour.await.unwrap();
    assert!(slowest < Duration::from_millis(300), "the neighbour waited {slowest:?}");
}

#[tokio::test]
async fn loops() {
    check("loop", "{}", Timeout, "longer than 500ms").await;
    check("loop_at_start", "{}", Timeout, "longer than 500ms").await;
}

#[tokio::test]
async fn allocates() {
    check("allocate", "{}", OutOfMemory, "64 MiB").await;
    check("allocate_and_panic", "{}", OutOfMemory, "64 MiB").await;
    check("allocate_at_start", "{}", OutOfMemory, "64 MiB").await;
    check("table", "{}", OutOfMemory, "").await;
}

#[tokio::test]
async fn recurses() {
    check("recurse", "{}", LimitExceeded, "too deep").await;
}

#[tokio::test]
async fn floods() {
    check("output_flood", "{}", LimitExceeded, "16777216 bytes").await;
    check("log_long_line", "{}", LimitExceeded, "16777216 bytes").await;
}

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

#[tokio::test]
async fn long_lines_are_cut_and_made_printable() {
    let host = host_with(HostConfig::default(), "log_long_line");
    let attempt = Attempt::of("log_long_line");
    attempt.fails(&host, LimitExceeded, "").await;
    let lines = attempt.heard.lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].1.chars().all(|c| c == '\u{fffd}') && lines[0].1.chars().count() == 8 << 10);
}

/// More loops at once than sandboxes: those that wait get their turn, and all end.
#[tokio::test]
async fn many_loops_at_once() {
    let limits = Limits { concurrent_attempts: 4, ..Limits::default() };
    let host = host_with(HostConfig { limits, ..HostConfig::default() }, "loop");
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let host = host.clone();
        attempts.spawn(async move { Attempt::of("loop").timeout(100).run(&host).await.unwrap_err().kind });
    }
    assert!(attempts.join_all().await.iter().all(|kind| *kind == Timeout));
}

/// Dropping the future ends the attempt: its sandbox is free again.
#[tokio::test]
async fn a_dropped_attempt_is_gone() {
    let limits = Limits { concurrent_attempts: 1, ..Limits::default() };
    let host = host_with(HostConfig { limits, ..HostConfig::default() }, "loop");
    host.install(guest("echo", &everything())).unwrap();
    for _ in 0..3 {
        let looping = Attempt::of("loop");
        let dropped = tokio::time::timeout(Duration::from_millis(50), looping.run(&host)).await;
        assert!(dropped.is_err());
    }
    Attempt::of("echo").gives(&host, "{}").await;
}

#[tokio::test]
async fn the_operator_bounds_the_time_of_all() {
    let limits = Limits { wall_time: Duration::from_millis(100), ..Limits::default() };
    let host = host_with(HostConfig { limits, ..HostConfig::default() }, "loop");
    Attempt::of("loop").fails(&host, Timeout, "100ms").await;
}

/// Many hosts in one process, as tests and embedders have them.
#[test]
fn hosts_stop_their_threads() {
    for _ in 0..20 {
        drop(host());
    }
}
