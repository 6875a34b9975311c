//! What well-behaved guests may rely on.

use serde_json::json;
use windflow_core::failure::{FailureKind, RetryHint};
use windflow_core::ports::host::Registry;
use windflow_host::HostConfig;

use crate::support::{Attempt, everything, guest, host, host_with};

#[tokio::test]
async fn configuration_goes_in_and_output_comes_out() {
    let host = host_with(HostConfig::default(), "echo");
    for config in ["{}", "{ \"a\": [1, 2.50, \"é\"] }", "null", "\"text\""] {
        Attempt::of("echo").config(config).gives(&host, config).await;
    }
    let long = format!("\"{}\"", "x".repeat(3 << 20));
    Attempt::of("echo").config(&long).gives(&host, &long).await;
}

#[tokio::test]
async fn every_attempt_has_a_fresh_instance() {
    let host = host_with(HostConfig::default(), "counter");
    for _ in 0..20 {
        Attempt::of("counter").gives(&host, "1").await;
    }
}

#[tokio::test]
async fn an_orderly_failure_keeps_its_code_and_its_hint() {
    let host = host_with(HostConfig::default(), "fail");
    let failure = Attempt::of("fail").fails(&host, FailureKind::Node, "nothing matches").await;
    assert_eq!((failure.code.as_str(), failure.retry), ("no_match", RetryHint::After(1500)));
}

#[tokio::test]
async fn facts_about_the_attempt_are_told_to_who_asks() {
    let host = host_with(HostConfig::default(), "context");
    Attempt::of("context").gives(&host, "\"run/node\"").await;
}

#[tokio::test]
async fn purity_is_read_from_the_component() {
    let host = host();
    for (name, asks, pure) in [
        ("echo", everything(), true),
        ("log_flood", json!({}), true),
        ("progress_flood", json!({}), true),
        ("context", everything(), false),
        ("cancel_politely", everything(), false),
        ("http", everything(), false),
    ] {
        let installed = host.install(guest(name, &asks)).unwrap();
        assert_eq!(installed[0].1.pure, pure, "{name}");
        assert_eq!(host.get(&installed[0].0).unwrap().pure, pure);
    }
    assert_eq!(host.list().len(), 6);
}

#[tokio::test]
async fn a_nan_has_the_same_bits_everywhere() {
    Attempt::of("nan").gives(&host_with(HostConfig::default(), "nan"), "\"7ff8000000000000\"").await;
}
