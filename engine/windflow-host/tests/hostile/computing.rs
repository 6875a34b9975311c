//! Guests that take all the time, memory or stack that there is.

use std::time::{Duration, Instant};

use windflow_core::failure::FailureKind::{self, LimitExceeded, OutOfMemory, Timeout};
use windflow_host::{HostConfig, Limits};

use crate::support::{Attempt, CONTRACTS, Contract, everything, guest, host, host_with};

/// Runs a guest, while another node goes on undisturbed on the same single thread.
pub(crate) async fn check(name: &str, config: &str, kind: FailureKind, says: &str) {
    for contract in CONTRACTS {
        check_built_against(*contract, name, config, kind, says).await;
    }
}

async fn check_built_against(contract: Contract, name: &str, config: &str, kind: FailureKind, says: &str) {
    let host = contract.host_with(HostConfig::default(), name);
    host.install(contract.guest("echo", &everything())).unwrap();
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
    // In the host as well: each of its calls is short, and there is no end of them.
    check("cancel_ignored", "{}", Timeout, "longer than 500ms").await;
    check("log_for_ever", "{}", Timeout, "longer than 500ms").await;
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
