//! Journals of the first release, kept for ever: they must be read, and written, as they were.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::BTreeSet;

use windflow_core::run::{Asked, Event, Wait};
use windflow_store::{decode, encode};

const JOURNAL: &str = include_str!("fixtures/journal-v1.jsonl");
const JOURNAL_2: &str = include_str!("fixtures/journal-v2.jsonl");

fn kind(event: &Event) -> &'static str {
    // No `_`: a new kind of event belongs into the fixture.
    match event {
        Event::RunStarted(_) => "run_started",
        Event::RunTimedOut { .. } => "run_timed_out",
        Event::ItemsListed { .. } => "items_listed",
        Event::AttemptStarted { .. } => "attempt_started",
        Event::AttemptSucceeded { .. } => "attempt_succeeded",
        Event::AttemptFailed { .. } => "attempt_failed",
        Event::NodeReused { .. } => "node_reused",
        Event::NodeSkipped { .. } => "node_skipped",
        Event::CancelRequested { .. } => "cancel_requested",
        Event::AttemptCancelled { .. } => "attempt_cancelled",
        Event::RunFinished { .. } => "run_finished",
    }
}

#[test]
fn every_line_is_written_as_it_was_read() {
    for line in JOURNAL.lines().chain(JOURNAL_2.lines()) {
        let record = decode(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(String::from_utf8(encode(&record).unwrap()).unwrap(), line);
    }
}

#[test]
fn every_kind_of_event_is_in_it() {
    let lines = JOURNAL.lines().chain(JOURNAL_2.lines());
    let kinds: BTreeSet<_> = lines.map(|line| kind(&decode(line.as_bytes()).unwrap().event)).collect();
    let expect = "attempt_cancelled attempt_failed attempt_started attempt_succeeded cancel_requested items_listed node_reused node_skipped run_finished run_started run_timed_out";
    assert_eq!(kinds.into_iter().collect::<Vec<_>>().join(" "), expect);
}

#[test]
fn they_mean_what_they_meant() {
    let records: Vec<_> = JOURNAL.lines().map(|line| decode(line.as_bytes()).unwrap()).collect();
    assert!(records.iter().all(|record| record.v == 1));
    let Event::RunStarted(started) = &records[0].event else { panic!("the first is no start") };
    assert_eq!(records[0].at.0, 1_790_000_000_000);
    assert_eq!(started.workflow.as_str(), "site-check");
    assert_eq!(started.grants.http.len(), 2);
    assert_eq!(started.inputs.text(), r#"{ "url": "https://example.org" }"#);
    let Event::AttemptFailed { failure, retry_at, took_us, .. } = &records[2].event else { panic!("no failure") };
    assert_eq!(
        (failure.code.as_str(), retry_at.map(|at| at.0), *took_us),
        ("timeout", Some(1_790_000_000_600), 500_000)
    );
}

#[test]
fn what_the_second_version_brought_means_what_it_meant() {
    let records: Vec<_> = JOURNAL_2.lines().map(|line| decode(line.as_bytes()).unwrap()).collect();
    assert!(records.iter().all(|record| record.v == 2));
    let Event::ItemsListed { items, .. } = &records[0].event else { panic!("no items") };
    assert_eq!(items.text(), r#"["a","b"]"#);
    let Event::AttemptStarted { item: None, wait: Some(Wait::Until { at }), .. } = &records[2].event else {
        panic!("no wait")
    };
    assert_eq!(at.0, 1_790_000_060_000);
    let Event::AttemptStarted { wait: Some(Wait::Answer(question)), .. } = &records[3].event else {
        panic!("no question")
    };
    assert_eq!((question.of, question.message.as_deref()), (Asked::Person, Some("Deploy?")));
    let Event::RunFinished { uncompensated, .. } = &records[5].event else { panic!("no end") };
    assert_eq!(uncompensated[0].as_str(), "charge");
}
