//! A store with a million runs: how long it takes to open, to list, and to become smaller.
//!
//! `cargo bench -p windflow-store --bench million`; `WINDFLOW_RUNS` says how many runs. Ends with an error where a goal is
//! not reached.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark: it prints figures, and may panic"
)]

use std::time::{Duration, Instant};

use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::json::Json;
use windflow_core::ports::retention::{Keep, prune};
use windflow_core::ports::store::{Blobs, Journal, ReadModel, Retention, RunQuery, RunStatus};
use windflow_core::run::{EndStatus, Timestamp};
use windflow_store::suite::sample::{Random, finished, run_key, started_with, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

const FIRST: u64 = 1_790_000_000_000;
const EVERY: u64 = 10_000;
const WORKFLOWS: u64 = 200;

/// One in a hundred has not ended.
fn append(store: &SledStore, number: u64, runs: u64) {
    let at = FIRST + number * EVERY;
    let run = run_key(at, number);
    let name = format!("workflow-{}", number % WORKFLOWS);
    let document = format!("windflow: 1\nname: {name}\n{}", "# what it does\n".repeat(100));
    let document = store.put_blob(&run.organisation, document.as_bytes()).unwrap();
    store.append(&run, 0, &[started_with(at, &name, document)]).unwrap();
    let output = |step: u64| {
        Json::from(serde_json::json!({
            "status": 200,
            "headers": { "content-type": "application/json" },
            "body": { "id": number * 7919 + step, "name": format!("item {}", number ^ step), "ok": true },
        }))
    };
    let mut records: Vec<_> = (0..4).map(|step| succeeded(at + step, output(step))).collect();
    if number % (runs / 10_000).max(2) != 1 {
        let status = if number.is_multiple_of(50) { EndStatus::Failed } else { EndStatus::Succeeded };
        records.push(finished(at + 1000, status));
    }
    store.append(&run, 1, &records).unwrap();
}

fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1000
}

struct Goals(Vec<String>);

impl Goals {
    fn time(&mut self, what: &str, took: Duration, goal: Duration) {
        println!("{what}: {took:?} (goal {goal:?})");
        if took > goal {
            self.0.push(format!("{what}: {took:?}"));
        }
    }
}

fn report(store: &SledStore, what: &str) {
    let stats = store.stats().unwrap();
    println!(
        "{what}: {} runs, {} unfinished, holds {} MB, on disk {} MB ({:.2}), memory {} MB",
        stats.runs,
        stats.unfinished,
        stats.live_bytes / 1_000_000,
        stats.disk_bytes / 1_000_000,
        stats.disk_bytes as f64 / stats.live_bytes as f64,
        memory()
    );
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

/// Pages of 50 with every kind of filter, anywhere in the history.
fn lists(store: &SledStore, runs: u64, goals: &mut Goals) {
    let mut random = Random::new(2026);
    let mut times = Vec::new();
    for round in 0..2000 {
        let at = |number: u64| Timestamp(FIRST + number * EVERY);
        let workflow = (round % 2 == 0).then(|| format!("workflow-{}", random.below(WORKFLOWS)).parse().unwrap());
        let status =
            [None, Some(RunStatus::Succeeded), Some(RunStatus::Failed), Some(RunStatus::Running)][round / 2 % 4];
        let since = (round / 8 % 2 == 0).then(|| at(random.below(runs)));
        let until = (round / 16 % 2 == 0).then(|| at(random.below(runs)));
        let query = RunQuery { workflow, status, since, until, limit: 50, ..RunQuery::default() };
        let begun = Instant::now();
        let page = store.runs(&OrganisationId::local(), &query).unwrap();
        times.push(begun.elapsed());
        if let Some(next) = page.next {
            let begun = Instant::now();
            store.runs(&OrganisationId::local(), &RunQuery { after: Some(next), ..query }).unwrap();
            times.push(begun.elapsed());
        }
    }
    println!("list, p50: {:?}", percentile(&mut times, 50));
    goals.time("list, p95", percentile(&mut times, 95), Duration::from_millis(50));
    println!("list, slowest: {:?}", percentile(&mut times, 100).max(times.last().copied().unwrap_or_default()));
}

fn open(dir: &std::path::Path) -> SledStore {
    SledStore::open(dir, Options { compact_above_bytes: u64::MAX, ..Options::default() }).unwrap()
}

/// In a process of its own, whose memory says what a store costs that was only opened and listed.
fn only_open(dir: &std::path::Path) {
    let begun = Instant::now();
    let store = open(dir);
    println!("opened by another process in {:?}, memory {} MB", begun.elapsed(), memory());
    store.runs(&OrganisationId::local(), &RunQuery { limit: 50, ..RunQuery::default() }).unwrap();
    report(&store, "listed by it");
}

fn main() {
    if let Some(dir) = std::env::var_os("WINDFLOW_OPEN") {
        return only_open(dir.as_ref());
    }
    // Without cargo bench, as a test, a few are enough to see that it works.
    let default = if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 20_000 };
    let runs: u64 = std::env::var("WINDFLOW_RUNS").ok().map_or(default, |runs| runs.parse().unwrap());
    let mut goals = Goals(Vec::new());
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let begun = Instant::now();
    for number in 0..runs {
        append(&store, number, runs);
    }
    let last = store.append(&run_key(1, 1), 0, &[]).unwrap();
    wait(store.durable(last)).unwrap();
    println!("{runs} runs with 6 events each were appended in {:?}", begun.elapsed());
    report(&store, "built");
    drop(store);

    let begun = Instant::now();
    let store = open(dir.path());
    goals.time("open, as after a crash at the end", begun.elapsed(), Duration::from_secs(3));
    report(&store, "opened");
    lists(&store, runs, &mut goals);
    let begun = Instant::now();
    let unfinished = store.unfinished().unwrap().len();
    goals.time(&format!("{unfinished} unfinished"), begun.elapsed(), Duration::from_millis(200));
    let mut random = Random::new(1);
    let mut times: Vec<_> = (0..2000)
        .map(|_| {
            let number = random.below(runs);
            let begun = Instant::now();
            assert!(store.read(&run_key(FIRST + number * EVERY, number), 0, 100).unwrap().len() >= 5);
            begun.elapsed()
        })
        .collect();
    goals.time("read a run, p95", percentile(&mut times, 95), Duration::from_millis(50));
    drop(store);
    let other = std::process::Command::new(std::env::current_exe().unwrap()).env("WINDFLOW_OPEN", dir.path()).status();
    assert!(other.unwrap().success());
    let begun = Instant::now();
    let store = open(dir.path());
    goals.time("open again", begun.elapsed(), Duration::from_secs(3));

    let begun = Instant::now();
    let keep = Keep { ended_since: Some(Timestamp(FIRST + EVERY * runs / 2)), ..Keep::default() };
    let mut deleted = 0;
    loop {
        let pruned = prune(&store, &OrganisationId::local(), &keep, 1000).unwrap();
        deleted += pruned.deleted;
        if !pruned.more {
            break;
        }
    }
    let each = begun.elapsed() / u32::try_from(deleted.max(1)).unwrap();
    println!("{deleted} runs of the older half were deleted in {:?}, {each:?} each", begun.elapsed());
    report(&store, "deleted");

    // What others feel of a compaction.
    let begun = Instant::now();
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let compaction = scope.spawn(|| store.compact().unwrap());
        let mut number = runs;
        while !compaction.is_finished() {
            let run = RunKey { ..run_key(FIRST + number * EVERY, number) };
            let begun = Instant::now();
            let position = store.append(&run, 0, &[started_with(FIRST, "late", windflow_core::id::Digest([0; 32]))]);
            wait(store.durable(position.unwrap())).unwrap();
            times.push(begun.elapsed());
            number += 1;
        }
    });
    println!("compacted in {:?}; {} durable appends meanwhile", begun.elapsed(), times.len());
    println!("a durable append meanwhile, p50: {:?}", percentile(&mut times, 50));
    goals.time("a durable append meanwhile, p99", percentile(&mut times, 99), Duration::from_millis(100));
    println!("a durable append meanwhile, slowest: {:?}", times.last());
    report(&store, "compacted");
    drop(store);
    for what in ["open after a compaction", "open again after a compaction"] {
        let begun = Instant::now();
        let store = open(dir.path());
        goals.time(what, begun.elapsed(), Duration::from_secs(3));
        drop(store);
    }
    let store = open(dir.path());
    lists(&store, runs, &mut goals);
    let begun = Instant::now();
    let checked = store.check().unwrap();
    println!("{} runs were checked in {:?}: {:?}", checked.runs, begun.elapsed(), checked.problems);
    assert!(checked.problems.is_empty());
    store.delete(&run_key(FIRST + EVERY * (runs - 2), runs - 2)).unwrap();
    assert!(goals.0.is_empty(), "not reached: {:?}", goals.0);
}
