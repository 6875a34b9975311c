//! A process that is killed in the middle of a deletion or a compaction leaves a store that is whole.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, and tell"
)]

#[path = "common/child.rs"]
mod child;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use windflow_core::id::Digest;
use windflow_core::ports::store::{Blobs, Journal, ReadModel, Retention, StoreError};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{Random, finished, run_key, started_with, step};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

/// Some runs are so long that their deletion takes several transactions.
fn length(number: u64) -> u64 {
    if number % 40 == 10 { 2300 } else { 4 }
}

/// Three runs share a document.
fn document(number: u64) -> Vec<u8> {
    (number / 3).to_be_bytes().repeat(2500)
}

fn write(store: &SledStore, number: u64) {
    let run = run_key(number, number);
    let document = store.put_blob(&run.organisation, &document(number)).unwrap();
    store.append(&run, 0, &[started_with(number, "a", document)]).unwrap();
    let last = length(number) - 1;
    for sequence in 1..last {
        store.append(&run, sequence, &[step(number, sequence)]).unwrap();
        if last > 100 {
            // Applied one by one, each record is a key of its own.
            store.read(&run, sequence, 1).unwrap();
        }
    }
    let end = store.append(&run, last, &[finished(number, EndStatus::Succeeded)]).unwrap();
    wait(store.durable(end)).unwrap();
    println!("written {number} .");
}

/// Writes, deletes and compacts until it is killed, and tells what is durable.
#[test]
fn child_works_until_it_is_killed() {
    let Some(dir) = child::folder() else { return };
    let store = SledStore::open(dir, Options::default()).unwrap();
    let first: u64 = std::env::var("FIRST").unwrap().parse().unwrap();
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                write(&store, next.fetch_add(1, Ordering::SeqCst));
            }
        });
        scope.spawn(|| {
            // Every other run stays.
            for number in (first..).step_by(2) {
                let run = run_key(number, number);
                loop {
                    match store.delete(&run) {
                        Ok(position) => {
                            wait(store.durable(position)).unwrap();
                            println!("deleted {number} .");
                            break;
                        }
                        Err(StoreError::NotFound(_) | StoreError::Invalid(_)) => {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
        scope.spawn(|| {
            loop {
                store.compact().unwrap();
                println!("compacted 0 .");
            }
        });
    });
}

#[test]
fn a_kill_loses_nothing_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(77);
    let (mut written, mut deleted, mut compactions) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut interrupted = 0;
    let rounds = if std::env::var_os("WINDFLOW_LONG").is_some() { 200 } else { 20 };
    for round in 0..rounds {
        let mut child = child::command("child_works_until_it_is_killed", dir.path())
            .env("FIRST", (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        std::thread::sleep(Duration::from_millis(50 + random.below(400)));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reader.join().unwrap().lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["written", number, "."] => drop(written.insert(number.parse::<u64>().unwrap())),
                ["deleted", number, "."] => drop(deleted.insert(number.parse::<u64>().unwrap())),
                ["compacted", _, "."] => compactions += 1,
                _ => {}
            }
        }
        interrupted += u64::from(databases(dir.path()) > 1);
        verify(dir.path(), &written, &deleted, round);
    }
    eprintln!(
        "{} written, {} deleted, {compactions} compactions, {interrupted} interrupted",
        written.len(),
        deleted.len()
    );
    assert!(written.len() > 50 && deleted.len() > 20 && compactions > 3 && interrupted > 3, "the test tests little");
}

fn databases(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.filter(|name| name.starts_with("sled")).count()
}

fn verify(dir: &Path, written: &BTreeSet<u64>, deleted: &BTreeSet<u64>, round: u64) {
    let store = SledStore::open(dir, Options { compact_above_bytes: u64::MAX, ..Options::default() }).unwrap();
    assert_eq!(databases(dir), 1, "round {round}: what was left behind is still there");
    let checked = store.check().unwrap();
    assert_eq!(checked.problems, [""; 0], "round {round}");
    for number in deleted {
        let run = run_key(*number, *number);
        assert!(matches!(store.run(&run), Err(StoreError::NotFound(_))), "round {round}: run {number} is back");
    }
    for number in written.iter().filter(|number| !number.is_multiple_of(2)) {
        let run = run_key(*number, *number);
        let records = store.read(&run, 0, usize::MAX).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(records.len() as u64, length(*number), "round {round}: run {number}");
        let document = document(*number);
        assert_eq!(store.blob(&run.organisation, &Digest::of(&document)).unwrap(), document);
    }
}
