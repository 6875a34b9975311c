//! Events are published where every key agrees, and nowhere else.

use std::sync::{Arc, Mutex};

use serde_json::json;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::events::{Events, Publication};
use windflow_core::ports::host::LogLevel;
use windflow_core::ports::store::BoxFuture;
use windflow_host::PluginHost;

use crate::support::{Attempt, guest, host};

/// Writes down what is published.
#[derive(Default)]
struct Heard(Mutex<Vec<Publication>>);

impl Events for Heard {
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<Json, Failure>> {
        self.0.lock().unwrap().push(publication);
        Box::pin(async { Ok(Json::from(json!("heard"))) })
    }
}

fn publishing() -> PluginHost {
    let host = host();
    host.install(guest("publish", &json!({ "events": true }))).unwrap();
    host
}

fn attempt(heard: &Arc<Heard>, granted: &[&str]) -> Attempt {
    let mut attempt = Attempt::of("publish").config("\"order.placed\"");
    attempt.grants.events = granted.iter().map(|name| name.parse().unwrap()).collect();
    attempt.events = Some(Arc::clone(heard) as Arc<dyn Events>);
    attempt
}

#[tokio::test]
async fn a_granted_event_is_told_with_the_attempts_key() {
    let (host, heard) = (publishing(), Arc::new(Heard::default()));
    attempt(&heard, &["order.*"]).gives(&host, "\"heard\"").await;
    attempt(&heard, &["order.placed"]).gives(&host, "\"heard\"").await;
    let published = heard.0.lock().unwrap();
    for publication in &*published {
        assert_eq!((publication.name.as_str(), publication.data.text()), ("order.placed", "7"));
        assert_eq!((publication.organisation.as_str(), publication.key.as_str()), ("local", "run/node/0"));
    }
    assert_eq!(published.len(), 2);
}

#[tokio::test]
async fn what_the_workflow_does_not_grant_is_denied_with_the_line_to_add() {
    let (host, heard) = (publishing(), Arc::new(Heard::default()));
    for granted in [&[][..], &["order.place"], &["orders.*"], &["order.placed.*"]] {
        let line = "permissions: { events: [order.placed] }";
        let failure = attempt(&heard, granted).fails(&host, FailureKind::Denied, line).await;
        assert_eq!(failure.retry, RetryHint::Never);
    }
    assert!(heard.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn where_nobody_listens_the_log_says_so() {
    let mut attempt = attempt(&Arc::default(), &["order.placed"]);
    attempt.events = None;
    attempt.gives(&publishing(), r#"{"started":[]}"#).await;
    let lines = attempt.heard.lines.lock().unwrap();
    assert!(matches!(&lines[..], [(LogLevel::Warn, line)] if line.contains("nobody listens")), "{lines:?}");
}

#[test]
fn whoever_does_not_ask_for_it_is_not_installed() {
    let error = host().install(guest("publish", &json!({}))).unwrap_err().to_string();
    assert!(error.contains("events = true"), "{error}");
}
