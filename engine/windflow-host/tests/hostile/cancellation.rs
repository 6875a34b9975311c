//! Cancellation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use windflow_core::failure::FailureKind::{Cancelled, Timeout};
use windflow_host::{HostConfig, Limits};

use crate::support::{Attempt, host_with};

async fn check(name: &str, at_least: u64, at_most: u64, says: &str) {
    let limits = Limits { cancel_grace: Duration::from_millis(300), ..Limits::default() };
    let host = host_with(HostConfig { limits, ..HostConfig::default() }, name);
    let attempt = Attempt::of(name);
    attempt.cancel.give();
    attempt.fails(&host, Cancelled, "before the attempt began").await;
    // The code is compiled first, so that the times below are the guest's.
    let compiled = async || {
        let attempt = Attempt::of(name);
        let (_, ended) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                attempt.cancel.give();
            },
            attempt.run(&host)
        );
        ended.map_or_else(|failure| !failure.message.contains("before the attempt began"), |_| true)
    };
    while !compiled().await {}

    let attempt = Attempt::of(name);
    let cancel = Arc::clone(&attempt.cancel);
    let begun = Instant::now();
    let (_, failure) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.give();
        },
        attempt.fails(&host, Cancelled, says)
    );
    let taken = begun.elapsed();
    assert!(taken >= Duration::from_millis(100 + at_least), "{taken:?} {failure}");
    assert!(taken < Duration::from_millis(100 + at_most), "{taken:?} {failure}");
}

#[tokio::test]
async fn a_guest_that_asks_ends_by_itself() {
    check("cancel_politely", 0, 250, "stopped").await;
}

#[tokio::test]
async fn a_guest_that_asks_but_goes_on_is_stopped_after_a_grace() {
    check("cancel_ignored", 300, 800, "was stopped").await;
}

#[tokio::test]
async fn a_guest_that_cannot_ask_is_stopped_at_once() {
    check("loop", 0, 250, "was stopped").await;
}

/// An attempt that waits for a sandbox, or for its code, hears it as well.
#[tokio::test]
async fn an_attempt_that_waits_ends_at_once() {
    let limits = Limits { concurrent_attempts: 1, ..Limits::default() };
    let host = host_with(HostConfig { limits, ..HostConfig::default() }, "loop");
    let (first, second) = (Attempt::of("loop").timeout(1_000), Attempt::of("loop"));
    let begun = Instant::now();
    let (_, (), waited) = tokio::join!(
        first.fails(&host, Timeout, ""),
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            second.cancel.give();
        },
        async {
            second.fails(&host, Cancelled, "before the attempt began").await;
            begun.elapsed()
        }
    );
    assert!(waited < Duration::from_millis(600), "{waited:?}");
}
