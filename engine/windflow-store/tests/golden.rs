//! Journals of the first release, kept for ever: they must be read, and written, as they were.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::BTreeSet;

use windflow_core::run::Event;
use windflow_store::{decode, encode};

const JOURNAL: &str = include_str!("fixtures/journal-v1.jsonl");

fn kind(event: &Event) -> &'static str {
    // No `_`: a new kind of event belongs into the fixture.
    match event {
        Event::RunStarted(_) => "run_started",
        Event::AttemptStarted { .. } => "attempt_started",
        Event::AttemptSucceeded { .. } => "attempt_succeeded",
        Event::AttemptFailed { .. } => "attempt_failed",
        Event::NodeSkipped { .. } => "node_skipped",
        Event::CancelRequested { .. } => "cancel_requested",
        Event::AttemptCancelled { .. } => "attempt_cancelled",
        Event::RunFinished { .. } => "run_finished",
    }
}

#[test]
fn every_line_is_written_as_it_was_read() {
    for line in JOURNAL.lines() {
        let record = decode(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(String::from_utf8(encode(&record).unwrap()).unwrap(), line);
    }
}

#[test]
fn every_kind_of_event_is_in_it() {
    let kinds: BTreeSet<_> = JOURNAL.lines().map(|line| kind(&decode(line.as_bytes()).unwrap().event)).collect();
    let expect = "attempt_cancelled attempt_failed attempt_started attempt_succeeded cancel_requested node_skipped run_finished run_started";
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
