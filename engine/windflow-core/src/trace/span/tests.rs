//! Journals, and the spans that come of them.

use serde_json::json;

use super::*;
use crate::failure::FailureKind;
use crate::id::{OrganisationId, RunId};
use crate::json::Json;
use crate::run::{KeptLog, RunFailure, Timestamp};
use crate::trace::TraceParent;

const OUTSIDE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn key() -> RunKey {
    RunKey { organisation: OrganisationId::local(), run: RunId(uuid::Uuid::from_u128(7)) }
}

fn node(id: &str) -> NodeId {
    id.parse().unwrap()
}

fn started(trace: Option<&str>) -> Event {
    let started = json!({
        "workflow": "site-check", "document": crate::id::Digest::of(b""), "inputs": { "password": "hunter2" },
        "components": {}, "grants": {}, "started_by": "user:ada@example.org", "trace": trace,
    });
    Event::RunStarted(Box::new(serde_json::from_value(started).unwrap()))
}

fn begins(id: &str, item: Option<u32>, attempt: u32) -> Event {
    Event::AttemptStarted { node: node(id), item, attempt, key: "k".to_owned(), wait: None }
}

fn succeeds(id: &str, item: Option<u32>, attempt: u32, took_us: u64) -> Event {
    let (port, output) = ("out".parse().unwrap(), Json::from(json!("hunter2")));
    Event::AttemptSucceeded { node: node(id), item, attempt, port, output, took_us, log: KeptLog::default() }
}

fn fails(id: &str, item: Option<u32>, attempt: u32, code: &str, retry_at: Option<u64>) -> Event {
    let failure = Failure { code: code.to_owned(), ..Failure::new(FailureKind::Node, "hunter2") };
    let retry_at = retry_at.map(Timestamp);
    Event::AttemptFailed { node: node(id), item, attempt, failure, retry_at, took_us: 0, log: KeptLog::default() }
}

fn finishes(status: EndStatus, failure: Option<RunFailure>) -> Event {
    Event::RunFinished { status, outputs: None, failure, uncompensated: Vec::new() }
}

/// The spans by their names, in the order in which they were over. Nodes whose names begin with `each` collect what fails.
fn spans(events: &[(u64, Event)]) -> Vec<Span> {
    let about = |node: &NodeId| {
        let collects = node.as_str().starts_with("each");
        Some(About { uses: "http@1".parse().unwrap(), collects })
    };
    let mut spans = Spans::new(key(), Sampling::ALL, about);
    let mut out = Vec::new();
    for (at, event) in events {
        spans.read(&Record::new(Timestamp(*at), event.clone()), &mut out);
    }
    out
}

fn find<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let (first, second) = (found.next(), found.next());
    assert!(second.is_none(), "several are named {name}");
    first.unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

fn text(span: &Span, attribute: &str) -> Option<String> {
    let value = span.attributes.iter().find(|(name, _)| *name == attribute).map(|(_, value)| value)?;
    Some(match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Number(number) => number.to_string(),
    })
}

#[test]
fn attempts_are_in_their_nodes_and_nodes_in_their_run() {
    let spans = spans(&[
        (1000, started(Some(OUTSIDE))),
        (1010, begins("fetch", None, 1)),
        (1030, fails("fetch", None, 1, "http_503", Some(1100))),
        (1100, begins("fetch", None, 2)),
        (1150, succeeds("fetch", None, 2, 49_000)),
        (1151, succeeds("pure", None, 1, 400)),
        (1151, Event::NodeSkipped { node: node("alert"), reason: crate::run::SkipReason::Needs }),
        (1151, finishes(EndStatus::Succeeded, None)),
    ]);
    let outside: TraceParent = OUTSIDE.parse().unwrap();
    let run = find(&spans, "run site-check");
    assert!(spans.iter().all(|span| span.trace == outside.trace));
    assert_eq!((run.parent, run.parent_is_remote, &run.failed), (Some(outside.span), true, &None));
    assert_eq!((run.began_us, run.ended_us), (1_000_000, 1_151_000));
    let fetch = find(&spans, "node fetch");
    assert_eq!((fetch.parent, fetch.began_us, fetch.ended_us), (Some(run.id), 1_010_000, 1_150_000));
    assert_eq!(
        (text(fetch, "windflow.status"), text(fetch, "windflow.attempts")),
        (Some("succeeded".into()), Some("2".into()))
    );
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "attempt fetch").collect();
    assert!(attempts.iter().all(|attempt| attempt.parent == Some(fetch.id)));
    let said = |span: &Span| (text(span, "windflow.attempt").unwrap(), text(span, "error.type"), span.failed.clone());
    assert_eq!(said(attempts[0]), ("1".into(), Some("http_503".into()), Some("http_503".into())));
    assert_eq!(said(attempts[1]), ("2".into(), None, None));
    assert_eq!(text(attempts[1], "windflow.node_type").as_deref(), Some("http@1"));
    let pure = find(&spans, "attempt pure");
    assert_eq!((pure.began_us, pure.ended_us), (1_150_600, 1_151_000));
    // What did not run has no span.
    assert_eq!(spans.len(), 6);
}

#[test]
fn nothing_of_what_went_in_or_came_out_is_told() {
    let failure = RunFailure { node: Some(node("fetch")), failure: Failure::new(FailureKind::Node, "hunter2") };
    let spans = spans(&[
        (1000, started(None)),
        (1001, succeeds("one", None, 1, 1)),
        // A plugin may call its failures anything.
        (1002, fails("fetch", None, 1, "hunter2 is wrong", None)),
        (1003, finishes(EndStatus::Failed, Some(failure))),
    ]);
    let told = format!("{spans:?}");
    assert!(!told.contains("hunter2") && !told.contains("ada@"), "{told}");
    let run = find(&spans, "run site-check");
    assert_eq!((run.failed.as_deref(), run.parent, run.parent_is_remote), (Some("node_failed"), None, false));
    assert_eq!(text(run, "windflow.trigger").as_deref(), Some("user"));
    assert_eq!(text(run, "windflow.failed_node").as_deref(), Some("fetch"));
    assert_eq!(find(&spans, "node fetch").failed.as_deref(), Some("node_failed"));
}

/// The names of what each event brings.
fn over_with(events: &[(u64, Event)]) -> Vec<Vec<String>> {
    let before = |number: usize| spans(&events[..number]).len();
    let names =
        |number: usize| spans(&events[..=number]).into_iter().skip(before(number)).map(|span| span.name).collect();
    (0..events.len()).map(names).collect()
}

#[test]
fn what_is_over_is_told_while_its_run_goes_on() {
    let listed = |id: &str, items| Event::ItemsListed { node: node(id), items: Json::from(items) };
    let told = over_with(&[
        (1000, started(None)),
        (1010, begins("fetch", None, 1)),
        (1030, fails("fetch", None, 1, "http_503", Some(1100))),
        (1100, begins("fetch", None, 2)),
        (1150, succeeds("fetch", None, 2, 49_000)),
        (1160, listed("none", json!([]))),
        (1170, listed("all", json!([1, 2]))),
        (1171, succeeds("all", Some(1), 1, 1)),
        (1172, fails("all", Some(0), 1, "bad", Some(1180))),
        (1180, succeeds("all", Some(0), 2, 1)),
        (1190, begins("ask", None, 1)),
        (1200, begins("late", None, 1)),
        (1210, fails("late", None, 1, "http_503", Some(9999))),
        (1220, Event::CancelRequested { by: "ada".to_owned() }),
        (1221, Event::AttemptCancelled { node: node("ask"), item: None, attempt: 1 }),
        (1221, finishes(EndStatus::Cancelled, None)),
    ]);
    let none: &[&str] = &[];
    let expected = [
        none,
        none,
        &["attempt fetch"],
        none,
        &["attempt fetch", "node fetch"],
        &["node none"],
        none,
        &["attempt all"],
        &["attempt all"],
        &["attempt all", "node all"],
        none,
        none,
        &["attempt late"],
        none,
        &["attempt ask", "node ask"],
        // It had another attempt before it, which it never made.
        &["node late", "run site-check"],
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_others_said_beside_the_trace_stands_at_each_of_its_spans() {
    let Event::RunStarted(mut started) = started(Some(OUTSIDE)) else { panic!("another event") };
    started.trace_state = Some("a=1,b=2".parse().unwrap());
    let text = serde_json::to_string(&Event::RunStarted(started.clone())).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), Event::RunStarted(started.clone()));
    let spans = spans(&[
        (1000, Event::RunStarted(started.clone())),
        (1001, succeeds("one", None, 1, 1)),
        (1002, finishes(EndStatus::Succeeded, None)),
    ]);
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.state == started.trace_state), "{spans:#?}");
}

#[test]
fn no_attempt_begins_before_its_run_or_ends_after_it() {
    let spans = spans(&[
        (1000, started(None)),
        (1000, succeeds("pure", None, 1, 700)),
        (1000, finishes(EndStatus::Succeeded, None)),
    ]);
    for name in ["attempt pure", "node pure", "run site-check"] {
        let span = find(&spans, name);
        assert_eq!((span.began_us, span.ended_us), (1_000_000, 1_000_700), "{name}");
    }
}

#[test]
fn a_node_fails_with_its_items_unless_it_collects_what_fails() {
    let of = |id: &str| {
        let listed = Event::ItemsListed { node: node(id), items: Json::from(json!([1, 2])) };
        let events = [
            (1000, started(None)),
            (1001, listed),
            (1002, begins(id, Some(0), 1)),
            (1003, begins(id, Some(1), 1)),
            (1004, fails(id, Some(0), 1, "bad", None)),
            (1005, succeeds(id, Some(1), 1, 1)),
            (1006, finishes(EndStatus::Succeeded, None)),
        ];
        let spans = spans(&events);
        let node = find(&spans, &format!("node {id}")).clone();
        assert_eq!((node.began_us, text(&node, "windflow.iterates")), (1_001_000, Some("yes".into())));
        let items = spans.iter().filter_map(|span| text(span, "windflow.item"));
        assert_eq!(items.collect::<Vec<_>>(), ["0", "1"]);
        (text(&node, "windflow.status").unwrap(), node.failed)
    };
    assert_eq!(of("all"), ("failed".to_owned(), Some("bad".to_owned())));
    assert_eq!(of("each"), ("succeeded".to_owned(), None));
}

#[test]
fn what_was_cancelled_is_no_failure() {
    let spans = spans(&[
        (1000, started(None)),
        (1001, begins("fetch", None, 1)),
        (1002, Event::CancelRequested { by: "ada".to_owned() }),
        (1003, Event::AttemptCancelled { node: node("fetch"), item: None, attempt: 1 }),
        (1003, finishes(EndStatus::Cancelled, None)),
    ]);
    for name in ["attempt fetch", "node fetch", "run site-check"] {
        let span = find(&spans, name);
        assert_eq!((text(span, "windflow.status").as_deref(), &span.failed), (Some("cancelled"), &None), "{name}");
    }
}
