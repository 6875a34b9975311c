//! The store gives back what was deleted, by itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking, and tell"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::retention::{Keep, prune};
use windflow_core::ports::store::{Journal, ReadModel};
use windflow_core::run::{EndStatus, Record};
use windflow_store::suite::sample::{Random, finished, run_key, started, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore, Stats};

fn open(dir: &std::path::Path, compact_above_bytes: u64) -> SledStore {
    SledStore::open(dir, Options { compact_above_bytes, ..Options::default() }).unwrap()
}

/// A run: a table of some kilobytes, or more of noise that nothing can pack.
fn write(store: &SledStore, number: u64, noise: bool) {
    let run = run_key(number, number);
    let output = |step: u64| -> serde_json::Value {
        if noise {
            let mut random = Random::new(number * 8 + step);
            (0..450).map(|_| format!("{:014x}", random.below(1 << 56))).collect::<String>().into()
        } else {
            let row =
                |row: u64| serde_json::json!({ "id": number * row, "name": format!("item {step}"), "price": row * 3 });
            (0..20).map(row).collect::<Vec<_>>().into()
        }
    };
    store.append(&run, 0, &[started(number, "a")]).unwrap();
    for step in 1..6 {
        store.append(&run, step, &[succeeded(number, output(step).into())]).unwrap();
    }
    let end = store.append(&run, 6, &[finished(number + 1, EndStatus::Succeeded)]).unwrap();
    if number.is_multiple_of(20) {
        wait(store.durable(end)).unwrap();
    }
}

/// The size is looked at every second, so that it may take a moment.
fn settled(store: &SledStore, below_percent: u64) -> Stats {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    let begun = Instant::now();
    loop {
        let stats = store.stats().unwrap();
        if stats.disk_bytes * 100 < stats.live_bytes * below_percent {
            return stats;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it stays too large: {stats:?}");
        // Whether it is too large is looked at when something is committed.
        let run = run_key(1 << 40, TICKS.fetch_add(1, Ordering::Relaxed));
        wait(store.durable(store.append(&run, 0, &[started(1, "tick")]).unwrap())).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn churn(noise: bool) {
    let dir = tempfile::tempdir().unwrap();
    // Below, what sled needs in any case counts for more than what it holds.
    let store = open(dir.path(), if noise { 16 << 20 } else { 2 << 20 });
    let local = OrganisationId::local();
    for wave in 0..3 {
        for number in 0..800 {
            write(&store, wave * 800 + number, noise);
        }
        eprintln!("written: {:?}", settled(&store, 200));
        // All of the wave but the newest go.
        let keep = Keep { newest: Some(300), ..Keep::default() };
        let deleted = prune(&store, &local, &keep, usize::MAX).unwrap().deleted;
        assert!(deleted >= 500, "{deleted}");
        eprintln!("deleted: {:?}", settled(&store, 200));
        assert_eq!(store.check().unwrap().problems, [""; 0]);
    }
    let before = store.stats().unwrap();
    drop(store);
    assert_eq!(open(dir.path(), u64::MAX).stats().unwrap().live_bytes, before.live_bytes);
}

#[test]
fn it_stays_below_twice_what_it_holds() {
    churn(false);
}

#[test]
fn it_stays_below_twice_what_it_holds_even_where_nothing_can_be_packed() {
    churn(true);
}

/// Without this the tests above would show nothing.
#[test]
fn without_compaction_nothing_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), u64::MAX);
    for number in 0..500 {
        write(&store, number, true);
    }
    let before = store.stats().unwrap();
    let keep = Keep { newest: Some(10), ..Keep::default() };
    prune(&store, &OrganisationId::local(), &keep, usize::MAX).unwrap();
    let deleted = store.stats().unwrap();
    assert!(deleted.disk_bytes * 10 > before.disk_bytes * 9, "{before:?} {deleted:?}");
    let compacted = store.compact().unwrap();
    assert!(compacted.after * 4 < compacted.before, "{compacted:?}");
    assert_eq!(store.stats().unwrap().runs, 10);
}

/// A large value that node after node, and run after run, hands on takes the room of one; the last run takes it along.
#[test]
fn a_large_value_that_is_handed_on_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), u64::MAX);
    let mut random = Random::new(3);
    let noise: String = (0..1_000_000).map(|_| char::from(b'!' + 1 + (random.below(90) as u8))).collect();
    let noise = windflow_core::json::Json::from(serde_json::Value::from(noise));
    for number in 0..5 {
        let run = run_key(number, number);
        store.append(&run, 0, &[started(number, "a")]).unwrap();
        for step in 1..6 {
            store.append(&run, step, &[succeeded(number, noise.clone())]).unwrap();
        }
        let end = store.append(&run, 6, &[finished(number + 1, EndStatus::Succeeded)]).unwrap();
        wait(store.durable(end)).unwrap();
    }
    let live = store.stats().unwrap().live_bytes;
    assert!(live > 700_000 && live < 2_000_000, "{live}");
    assert_eq!(store.check().unwrap().problems, [""; 0]);
    prune(&store, &OrganisationId::local(), &Keep { newest: Some(0), ..Keep::default() }, usize::MAX).unwrap();
    let live = store.stats().unwrap().live_bytes;
    assert!(live < 10_000, "{live}");
}

#[test]
fn a_store_of_which_nothing_is_left_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), u64::MAX);
    for number in 0..20 {
        write(&store, number, false);
    }
    prune(&store, &OrganisationId::local(), &Keep { newest: Some(0), ..Keep::default() }, usize::MAX).unwrap();
    store.compact().unwrap();
    drop(store);
    for number in 0..3 {
        let store = open(dir.path(), u64::MAX);
        assert_eq!(store.stats().unwrap().runs, number);
        write(&store, number, false);
        store.compact().unwrap();
    }
}

/// Small records become one entry, large ones are copied apart: none may end up beside the wrong neighbour.
#[test]
fn a_compaction_keeps_journals_with_records_of_every_size() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), u64::MAX);
    let mut random = Random::new(5);
    let mut runs: Vec<Vec<Record>> = (0..12).map(|number| vec![started(number, "a")]).collect();
    for (number, records) in (0..).zip(&runs) {
        store.append(&run_key(number, number), 0, records).unwrap();
    }
    for round in 0..4 {
        for _ in 0..300 {
            let number = random.below(12);
            let size = [2, 2, 2, 20, 60, 100, 300][random.below(7) as usize];
            let noise: String = (0..random.below(size))
                .map(|_| Digest::of(&random.below(u64::MAX).to_be_bytes()).to_string())
                .collect();
            let records = &mut runs[number as usize];
            let record = succeeded(round, serde_json::Value::from(noise).into());
            store.append(&run_key(number, number), records.len() as u64, std::slice::from_ref(&record)).unwrap();
            records.push(record);
            if random.below(2) == 0 {
                // What is read was written, so that the next record is another entry.
                store.run(&run_key(number, number)).unwrap();
                store.read(&run_key(number, number), 0, 1).unwrap();
            }
        }
        store.compact().unwrap();
        assert_eq!(store.check().unwrap().problems, [""; 0], "round {round}");
        for (number, records) in (0..).zip(&runs) {
            let read = store.read(&run_key(number, number), 0, usize::MAX).unwrap();
            assert!(read.iter().map(|(_, record)| record).eq(records), "round {round}, run {number}");
        }
    }
    drop(store);
    let store = open(dir.path(), u64::MAX);
    for (number, records) in (0..).zip(&runs) {
        assert_eq!(store.run(&run_key(number, number)).unwrap().sequence, records.len() as u64);
    }
}

#[test]
fn a_compaction_keeps_up_with_runs_that_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), u64::MAX);
    let done = AtomicBool::new(false);
    let appended: Vec<AtomicU64> = (0..40).map(|_| AtomicU64::new(1)).collect();
    for number in 0..40 {
        store.append(&run_key(number, number), 0, &[started(number, "a")]).unwrap();
    }
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (store, done, appended) = (&store, &done, &appended);
            scope.spawn(move || {
                let mut random = Random::new(thread);
                while !done.load(Ordering::SeqCst) {
                    let number = 2 * random.below(20) + thread;
                    let run = run_key(number, number);
                    let sequence = appended[number as usize].fetch_add(1, Ordering::SeqCst);
                    store
                        .append(&run, sequence, &[succeeded(1, serde_json::json!({ "at": sequence }).into())])
                        .unwrap();
                    store.read(&run, sequence, 1).unwrap();
                }
            });
        }
        let compactions: Vec<_> = (0..15).map(|_| store.compact()).collect();
        done.store(true, Ordering::SeqCst);
        for compaction in compactions {
            compaction.unwrap();
        }
    });
    assert_eq!(store.check().unwrap().problems, [""; 0]);
    for (number, appended) in (0..).zip(&appended) {
        let read = store.read(&run_key(number, number), 0, usize::MAX).unwrap();
        assert_eq!(read.len() as u64, appended.load(Ordering::SeqCst));
    }
}
