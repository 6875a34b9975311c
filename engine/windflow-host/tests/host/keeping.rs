//! What a workflow keeps is changed where every key agrees, in its own name, and nowhere else.

use std::sync::{Arc, Mutex};

use serde_json::json;
use windflow_core::failure::{FailureKind, RetryHint};
use windflow_core::ports::state::{Expected, StateChange, StateEntry, StateError, StateScope, StateStore};
use windflow_core::ports::store::BoxFuture;
use windflow_host::PluginHost;

use crate::support::{Attempt, guest, host};

/// Writes down what is asked of it.
#[derive(Default)]
struct Book(Mutex<Vec<(StateScope, StateChange)>>);

impl StateStore for Book {
    fn get(&self, _scope: &StateScope, _key: &str) -> Result<Option<StateEntry>, StateError> {
        Ok(None)
    }

    fn change(&self, scope: StateScope, change: StateChange) -> BoxFuture<'_, Result<u64, StateError>> {
        let mut asked = self.0.lock().unwrap();
        asked.push((scope, change));
        let version = asked.len() as u64;
        Box::pin(async move { Ok(version) })
    }
}

fn keeping() -> PluginHost {
    let host = host();
    host.install(guest("keep", &json!({ "state": true }))).unwrap();
    host
}

fn attempt(book: &Arc<Book>, granted: bool) -> Attempt {
    let mut attempt = Attempt::of("keep").config("\"seen\"");
    attempt.grants.state = granted;
    attempt.state = Some(Arc::clone(book) as Arc<dyn StateStore>);
    attempt
}

#[tokio::test]
async fn changes_are_those_of_the_workflow_and_known_again_in_the_next_attempt() {
    let (host, book) = (keeping(), Arc::new(Book::default()));
    attempt(&book, true).gives(&host, "\"seen\"").await;
    attempt(&book, true).gives(&host, "\"seen\"").await;
    let asked = book.0.lock().unwrap();
    let change = |by: &str| StateChange {
        key: "seen".into(),
        expected: Expected::Any,
        value: Some(b"1".to_vec()),
        by: by.into(),
    };
    let made: Vec<StateChange> = asked.iter().map(|(_, change)| change.clone()).collect();
    let once = [change("run/node/0"), change("run/node/1")];
    assert_eq!(made, [&once[..], &once[..]].concat());
    assert!(asked.iter().all(|(scope, _)| scope.organisation.as_str() == "local" && scope.workflow == "test"));
}

#[tokio::test]
async fn what_the_workflow_does_not_grant_is_denied_with_the_line_to_add() {
    let (host, book) = (keeping(), Arc::new(Book::default()));
    let failure = attempt(&book, false).fails(&host, FailureKind::Denied, "permissions: { state: true }").await;
    assert_eq!(failure.retry, RetryHint::Never);
    assert!(book.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn where_nothing_can_be_kept_the_node_hears_so() {
    let mut attempt = attempt(&Arc::default(), true);
    attempt.state = None;
    attempt.fails(&keeping(), FailureKind::Node, "nothing is kept here").await;
}

#[test]
fn whoever_does_not_ask_for_it_is_not_installed() {
    let error = host().install(guest("keep", &json!({}))).unwrap_err().to_string();
    assert!(error.contains("state = true"), "{error}");
}
