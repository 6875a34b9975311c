//! The time of the machine and its random numbers, which `wasi:clocks` and `wasi:random` give where every key agrees, and only
//! there. Neither interface can refuse: what a guest asks for and is not given ends its attempt before it begins.
//!
//! That guests without a grant stay deterministic is in `empty_world.rs`.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use windflow_core::capability::{Capability, Grants};
use windflow_core::failure::FailureKind::{Denied, LimitExceeded, Timeout};
use windflow_core::failure::RetryHint;
use windflow_core::run::Timestamp;
use windflow_host::{HostConfig, PluginHost};

use crate::support::{Attempt, guest, host};

/// When the run of all attempts began, as its id tells.
const RUN_BEGAN: u64 = 0x0189_0000_0000;

fn with(name: &str, capabilities: &Value) -> PluginHost {
    let host = host();
    host.install(guest(name, capabilities)).unwrap();
    host
}

fn attempt(name: &str, clock: bool, random: bool) -> Attempt {
    let mut attempt = Attempt::of(name);
    attempt.grants = Grants { clock, random, ..Grants::default() };
    attempt
}

async fn number(host: &PluginHost, attempt: &Attempt) -> u64 {
    attempt.run(host).await.unwrap().output.text().parse().unwrap()
}

#[tokio::test]
async fn the_time_of_the_machine_is_given_where_it_is_asked_for_and_granted() {
    let now = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let asks = with("wasi_time", &json!({ "clock": true }));
    let began = now();
    let told = number(&asks, &attempt("wasi_time", true, false)).await;
    assert!((began..=now()).contains(&told), "{told}");
}

/// A key that is missing leaves the clock of the run, whatever the other says; that of chance is another key.
#[tokio::test]
async fn without_both_keys_the_clock_is_the_runs() {
    let silent = with("wasi_time", &json!({ "random": true }));
    for random in [false, true] {
        assert_eq!(number(&silent, &attempt("wasi_time", true, random)).await, RUN_BEGAN);
    }
}

#[tokio::test]
async fn who_asks_and_is_not_granted_is_told_the_line_to_add() {
    for (name, asked, line) in [
        ("wasi_time", "clock", "permissions: { clock: true }"),
        ("wasi_random", "random", "permissions: { random: true }"),
    ] {
        let host = with(name, &json!({ asked: true }));
        // The other grant is none for this.
        for attempt in [attempt(name, false, false), attempt(name, asked != "clock", asked != "random")] {
            let failure = attempt.fails(&host, Denied, line).await;
            assert_eq!(failure.retry, RetryHint::Never);
        }
    }
}

#[tokio::test]
async fn random_numbers_of_the_machine_are_never_those_of_the_key() {
    let asks = with("wasi_random", &json!({ "random": true }));
    let silent = with("wasi_random", &json!({}));
    let of_the_key = number(&silent, &attempt("wasi_random", false, false)).await;
    let mut seen = HashSet::from([of_the_key]);
    for _ in 0..20 {
        assert!(seen.insert(number(&asks, &attempt("wasi_random", false, true)).await), "drawn twice: {seen:?}");
    }
    // What is not asked for follows from the key, though it is granted.
    assert_eq!(number(&silent, &attempt("wasi_random", true, true)).await, of_the_key);
}

/// Cases of workflows go the same way each time: what is granted is then the test's.
#[tokio::test]
async fn a_test_pretends_both() {
    let both = json!({ "clock": true, "random": true });
    let (time, random) = (with("wasi_time", &both), with("wasi_random", &both));
    let pretended = |name| {
        let mut attempt = attempt(name, true, true);
        attempt.pretended = Some(Timestamp(1_767_225_600_000));
        attempt
    };
    assert_eq!(number(&time, &pretended("wasi_time")).await, 1_767_225_600_000);
    let first = number(&random, &pretended("wasi_random")).await;
    assert_eq!(number(&random, &pretended("wasi_random")).await, first);
    // Pretending grants nothing.
    for (host, name, line) in [(&time, "wasi_time", "{ clock: true }"), (&random, "wasi_random", "{ random: true }")] {
        let mut denied = pretended(name);
        denied.grants = Grants::default();
        denied.fails(host, Denied, line).await;
    }
}

/// Asking for more bytes at once than the bound ends the attempt, granted or not, and takes no memory.
#[tokio::test]
async fn randomness_is_bounded() {
    for asked in [json!({}), json!({ "random": true })] {
        let host = with("wasi_random_flood", &asked);
        attempt("wasi_random_flood", false, true).timeout(5000).fails(&host, LimitExceeded, "random bytes").await;
    }
}

/// A clock that is waited for is no way to stay longer than the attempt may.
#[tokio::test]
async fn the_time_of_the_machine_moves_no_deadline() {
    let host = with("wasi_waits_for_time", &json!({ "clock": true }));
    attempt("wasi_waits_for_time", true, false).timeout(300).fails(&host, Timeout, "300ms").await;
}

/// The operator's key is below all grants.
#[tokio::test]
async fn what_the_operator_denies_no_workflow_has() {
    for (name, asked, capability) in [
        ("wasi_time", json!({ "clock": true }), Capability::Clock),
        ("wasi_random", json!({ "random": true }), Capability::Random),
        ("keep", json!({ "state": true }), Capability::State),
        ("files", json!({ "files": true }), Capability::Files),
        ("publish", json!({ "events": true }), Capability::Events),
        ("deploy", json!({ "docker": true }), Capability::Docker),
        ("http", json!({ "http": ["*"] }), Capability::Http),
    ] {
        let config = HostConfig { denied: [capability].into(), ..HostConfig::default() };
        let host = PluginHost::new(config).unwrap();
        host.install(guest(name, &asked)).unwrap();
        let mut attempt = attempt(name, true, true).config("\"x\"").timeout(5000);
        (attempt.grants.state, attempt.grants.files) = (true, true);
        attempt.grants.http = vec!["*:*".parse().unwrap()];
        attempt.grants.docker = vec!["production".to_owned()];
        attempt.grants.events = vec!["x".parse().unwrap()];
        let failure = attempt.fails(&host, Denied, &format!("--deny {capability}")).await;
        assert_eq!(failure.retry, RetryHint::Never);
        assert!(failure.message.contains("the operator"), "{failure}");
    }
}

/// A guest that only imports a clock, since its runtime does, is denied nothing: what it sees is the run's.
#[tokio::test]
async fn what_nobody_asks_for_is_not_denied() {
    let config = HostConfig { denied: [Capability::Clock].into(), ..HostConfig::default() };
    let host = PluginHost::new(config).unwrap();
    host.install(guest("wasi_time", &json!({}))).unwrap();
    assert_eq!(number(&host, &attempt("wasi_time", true, true)).await, RUN_BEGAN);
}
