//! A process that is killed at any moment loses nothing that it was told is durable.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

#[path = "common/child.rs"]
mod child;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::store::{Blobs, Journal, ReadModel, RunQuery, RunStatus};
use windflow_core::run::{EndStatus, Record};
use windflow_store::suite::sample::{Random, finished, run_key, started_with, step};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

/// Every run has so many records, the first and the last included.
const LENGTH: u64 = 12;

fn record(number: u64, sequence: u64) -> Record {
    match sequence {
        1 => started_with(number, "a", Digest::of(&blob(number))),
        LENGTH => finished(number, EndStatus::Succeeded),
        _ => step(number, sequence),
    }
}

fn blob(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(1500)
}

#[test]
fn child_appends_until_it_is_killed() {
    let Some(dir) = child::folder() else { return };
    let store = SledStore::open(dir, Options::default()).unwrap();
    let next = AtomicU64::new(
        store
            .runs(&OrganisationId::local(), &RunQuery { limit: 1, ..RunQuery::default() })
            .unwrap()
            .items
            .first()
            .map_or(1, |run| run.started_at.0 + 1),
    );
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, next) = (&store, &next);
            scope.spawn(move || {
                let mut random = Random::new(thread);
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let run = run_key(number, number);
                    store.put_blob(&run.organisation, &blob(number)).unwrap();
                    for sequence in 1..=LENGTH {
                        let position = store.append(&run, sequence - 1, &[record(number, sequence)]).unwrap();
                        if random.below(4) == 0 {
                            wait(store.durable(position)).unwrap();
                            println!("ack {number} {sequence} .");
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(2026);
    let mut acknowledged = BTreeMap::new();
    for round in 0..25 {
        let mut child =
            child::command("child_appends_until_it_is_killed", dir.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        std::thread::sleep(Duration::from_millis(20 + random.below(200)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap().lines() {
            if let ["ack", number, sequence, "."] = line.split(' ').collect::<Vec<_>>()[..] {
                let last: &mut u64 = acknowledged.entry(number.parse::<u64>().unwrap()).or_default();
                *last = (*last).max(sequence.parse().unwrap());
            }
        }
        verify(dir.path(), &acknowledged, round);
    }
    assert!(acknowledged.len() > 100, "only {} runs were acknowledged: the test tests little", acknowledged.len());
}

fn verify(dir: &Path, acknowledged: &BTreeMap<u64, u64>, round: u64) {
    let store = SledStore::open(dir, Options::default()).unwrap();
    for (number, sequence) in acknowledged {
        let run = run_key(*number, *number);
        let records =
            store.read(&run, 0, usize::MAX).unwrap_or_else(|error| panic!("round {round}, run {number}: {error}"));
        assert!(records.len() as u64 >= *sequence, "round {round}: run {number} has lost what was acknowledged");
        for ((sequence, kept), expect) in records.iter().zip(1..) {
            assert_eq!((*sequence, kept), (expect, &record(*number, expect)), "round {round}, run {number}");
        }
        let content = blob(*number);
        assert_eq!(store.blob(&run.organisation, &Digest::of(&content)).unwrap(), content);
    }
    // The read model is of the same moment as the journal.
    let mut query = RunQuery { limit: 1000, ..RunQuery::default() };
    let mut unfinished = Vec::new();
    loop {
        let page = store.runs(&OrganisationId::local(), &query).unwrap();
        for summary in page.items {
            let number = summary.started_at.0;
            let run = run_key(number, number);
            assert_eq!(store.read(&run, 0, usize::MAX).unwrap().len() as u64, summary.sequence);
            assert_eq!(summary.status == RunStatus::Succeeded, summary.sequence == LENGTH);
            if summary.status == RunStatus::Running {
                unfinished.push(run);
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    unfinished.reverse();
    assert_eq!(store.unfinished().unwrap(), unfinished);
}
