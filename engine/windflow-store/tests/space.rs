//! The store gives back what was deleted, by itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking, and tell"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::retention::{Keep, prune};
use windflow_core::ports::store::Journal;
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{finished, run_key, started, succeeded};
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
            let part = |part: u64| Digest::of(&[number, step, part].map(u64::to_be_bytes).concat()).to_string();
            (0..100).map(part).collect::<String>().into()
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
