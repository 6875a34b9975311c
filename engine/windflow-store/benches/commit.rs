//! What durability costs: one commit alone, and many that share.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark: criterion's macros have no documents, and it may panic"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use windflow_core::id::RunKey;
use windflow_core::ports::store::{Journal, Position, ReadModel, RunQuery};
use windflow_store::suite::sample::{run_key, started, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

static NUMBER: AtomicU64 = AtomicU64::new(1);

fn open() -> (tempfile::TempDir, SledStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path(), Options::default()).unwrap();
    (dir, store)
}

fn new_run(store: &SledStore) -> RunKey {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let run = run_key(number, number);
    store.append(&run, 0, &[started(number, "bench")]).unwrap();
    run
}

/// About 300 bytes as JSON.
fn event(store: &SledStore, run: &RunKey, sequence: u64) -> Position {
    let output = serde_json::Value::from("x".repeat(160)).into();
    store.append(run, sequence, &[succeeded(1000, output)]).unwrap()
}

/// Each of so many threads appends to a run of its own and waits for every event.
fn waiting(store: &SledStore, threads: u64, events: u64) -> Duration {
    let runs: Vec<_> = (0..threads).map(|_| new_run(store)).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for run in &runs {
            scope.spawn(move || {
                for sequence in 1..=events.div_ceil(threads) {
                    wait(store.durable(event(store, run, sequence))).unwrap();
                }
            });
        }
    });
    begun.elapsed()
}

fn durable(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("durable event");
    group.sample_size(20).throughput(Throughput::Elements(1));
    for threads in [1, 16, 64] {
        let (_dir, store) = open();
        group.bench_function(format!("{threads} at once"), |bencher| {
            bencher.iter_custom(|events| waiting(&store, threads, events));
        });
    }
    group.finish();
}

fn chain(criterion: &mut Criterion) {
    let (_dir, store) = open();
    let mut group = criterion.benchmark_group("chain");
    group.sample_size(20).throughput(Throughput::Elements(100));
    group.bench_function("100 events, one wait", |bencher| {
        bencher.iter(|| {
            let run = new_run(&store);
            let last = (1..=100).fold(None, |_, sequence| Some(event(&store, &run, sequence)));
            wait(store.durable(last.unwrap())).unwrap();
        });
    });
    group.finish();
}

fn lists(criterion: &mut Criterion) {
    let (_dir, store) = open();
    for _ in 0..20_000 {
        new_run(&store);
    }
    let organisation = windflow_core::id::OrganisationId::local();
    let query = RunQuery { limit: 50, ..RunQuery::default() };
    criterion.bench_function("a page of 50 out of 20,000 runs", |bencher| {
        bencher.iter(|| store.runs(&organisation, &query).unwrap());
    });
}

criterion_group!(benches, durable, chain, lists);
criterion_main!(benches);
