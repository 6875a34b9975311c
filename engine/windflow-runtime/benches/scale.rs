//! What many runs, and runs of many items, take: time, memory and threads. Everything included, with the store on disk.
//!
//! `cargo bench -p windflow-runtime --bench scale`; each part is a process of its own, so that its memory is its own. Ends with an
//! error where a goal is not reached. Needs the built-in plugins and the guest `fib`, as `runs` does.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark: it prints figures, and may panic"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::store::ReadModel;
use windflow_host::{HostConfig, PluginHost};
use windflow_runtime::{Config, Runtime, Start, SystemClock};
use windflow_store::{Options, SledStore};

const ITEMS: &str = "windflow: 1\nname: items\ninputs:\n  list: { type: array }\nnodes:\n  \
    each: { uses: condition@1, for_each: \"${{ inputs.list }}\", concurrency: 64, with: { if: true, input: \"${{ item }}\" } }\n";
const WAITING: &str = "windflow: 1\nname: waiting\nnodes:\n  \
    first: { uses: condition@1, with: { if: true } }\n  \
    pause: { uses: wait@1, needs: [first], with: { for: 1h } }\n";

fn target() -> PathBuf {
    let path = std::env::current_exe().expect("a path");
    path.ancestors().find(|folder| folder.join("plugins").is_dir()).expect("run `cargo xtask plugins` first").to_owned()
}

struct Bench {
    runtime: Runtime,
    store: Arc<SledStore>,
    guests: tokio::runtime::Runtime,
}

impl Bench {
    fn new(folder: &Path, threads: usize) -> Self {
        let guests = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        let host = PluginHost::new(HostConfig::default()).unwrap();
        for component in ["plugins/condition.wasm", "guests/fib.wasm"] {
            host.install(std::fs::read(target().join(component)).expect("it is built")).unwrap();
        }
        let store = Arc::new(SledStore::open(folder, Options::default()).unwrap());
        let config = Config::new(guests.handle().clone());
        let runtime = Runtime::new(store.clone(), Arc::new(host), Arc::new(SystemClock), config);
        Self { runtime, store, guests }
    }

    fn start(&self, document: &str, inputs: Map<String, Value>) -> RunKey {
        let start = Start {
            organisation: OrganisationId::local(),
            document: document.to_owned(),
            inputs,
            extra_grants: windflow_core::capability::Grants::default(),
            started_by: "bench".into(),
            children: Default::default(),
            pinned: BTreeMap::new(),
            trace: None,
        };
        let started = self.runtime.start(start).expect("a valid workflow");
        RunKey { organisation: OrganisationId::local(), run: started.run }
    }

    fn ends(&self, runs: &[RunKey]) {
        for key in runs {
            let report = self.guests.block_on(self.runtime.wait(key)).expect("a run");
            assert_eq!(report.status, "succeeded", "{:?}", report.error);
        }
    }

    /// Until every run does nothing but wait.
    fn rests(&self) {
        while !self.runtime.working_runs().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Of this process, in MB: `VmRSS`, what it has; `VmHWM`, the most that it had.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1000
}

fn items(folder: &Path, count: u64) -> Value {
    let bench = Bench::new(folder, 2);
    bench.ends(&[bench.start(ITEMS, Map::from_iter([("list".into(), json!([1, 2, 3]))]))]);
    let before = memory("VmHWM");
    let begun = Instant::now();
    let list: Vec<u64> = (0..count).collect();
    bench.ends(&[bench.start(ITEMS, Map::from_iter([("list".into(), json!(list))]))]);
    json!({ "ms": begun.elapsed().as_millis() as u64, "before_mb": before, "peak_mb": memory("VmHWM") })
}

fn flight(folder: &Path, count: u64) -> Value {
    let bench = Bench::new(folder, 2);
    let before = memory("VmRSS");
    for _ in 0..count {
        bench.start(WAITING, Map::new());
    }
    bench.rests();
    json!({ "before_mb": before, "mb": memory("VmRSS"), "peak_mb": memory("VmHWM") })
}

/// As after a crash: the store is opened, and every run of it goes on.
fn recover(folder: &Path) -> Value {
    let begun = Instant::now();
    let bench = Bench::new(folder, 2);
    let host = begun.elapsed();
    let unfinished = bench.store.unfinished().unwrap();
    let guard = bench.guests.enter();
    for key in &unfinished {
        bench.runtime.resume(key).expect("it goes on");
    }
    drop(guard);
    bench.rests();
    json!({ "runs": unfinished.len(), "ms": begun.elapsed().as_millis() as u64, "opened_ms": host.as_millis() as u64, "mb": memory("VmRSS") })
}

/// Sixty-four runs at once of ten nodes each, whose guests compute.
fn threads(folder: &Path, count: usize) -> Value {
    let bench = Bench::new(folder, count);
    let mut text = "windflow: 1\nname: fib\nnodes:\n  n0: { uses: fib@1, with: { n: 22 } }\n".to_owned();
    for node in 1..10 {
        text += &format!("  n{node}: {{ uses: fib@1, needs: [n{}], with: {{ n: 22 }} }}\n", node - 1);
    }
    let mut best = u64::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let runs: Vec<_> = (0..64).map(|_| bench.start(&text, Map::new())).collect();
        bench.ends(&runs);
        best = best.min(begun.elapsed().as_micros() as u64);
    }
    json!({ "us": best })
}

/// One part, in a process of its own that ends without cleaning up.
fn part(name: &str, folder: &Path, count: u64) -> Value {
    let output = Command::new(std::env::current_exe().unwrap())
        .env("WINDFLOW_SCALE", name)
        .env("WINDFLOW_SCALE_FOLDER", folder)
        .env("WINDFLOW_SCALE_COUNT", count.to_string())
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn main() {
    if let Ok(name) = std::env::var("WINDFLOW_SCALE") {
        let folder = PathBuf::from(std::env::var_os("WINDFLOW_SCALE_FOLDER").unwrap());
        let count: u64 = std::env::var("WINDFLOW_SCALE_COUNT").unwrap().parse().unwrap();
        let figures = match &*name {
            "items" => items(&folder, count),
            "flight" => flight(&folder, count),
            "recover" => recover(&folder),
            "threads" => threads(&folder, count as usize),
            _ => panic!("{name}"),
        };
        println!("{figures}");
        std::process::exit(0);
    }
    // Without cargo bench, as a test, a few are enough to see that it works.
    let scale = if std::env::args().any(|argument| argument == "--bench") { 1 } else { 100 };
    let mut missed = Vec::new();
    let mut goal = |what: &str, figure: f64, least: f64, most: f64| {
        println!("{what}: {figure:.1}");
        if scale == 1 && !(least..=most).contains(&figure) {
            missed.push(format!("{what}: {figure:.1}"));
        }
    };
    let fresh = || tempfile::tempdir_in(target()).unwrap();
    let number = |figures: &Value, name: &str| figures[name].as_f64().unwrap();
    for count in [10_000, 100_000] {
        let figures = part("items", fresh().path(), count / scale);
        println!("for_each over {} items: {figures}", count / scale);
    }
    let flight = fresh();
    let figures = part("flight", flight.path(), 1_000 / scale);
    println!("{} runs in flight: {figures}", 1_000 / scale);
    goal("MB with 1,000 runs in flight (goal 200)", number(&figures, "mb"), 0.0, 200.0);
    let many = fresh();
    println!("{} runs in flight: {}", 10_000 / scale, part("flight", many.path(), 10_000 / scale));
    let figures = part("recover", many.path(), 0);
    println!("recovered: {figures}");
    goal("s until 10,000 unfinished runs have gone on (goal 5)", number(&figures, "ms") / 1000.0, 0.0, 5.0);
    let (one, two) = (part("threads", fresh().path(), 1), part("threads", fresh().path(), 2));
    println!("64 runs of 10 nodes that compute: with one thread {one}, with two {two}");
    goal("times as fast with two threads (goal 1.7)", number(&one, "us") / number(&two, "us"), 1.7, f64::MAX);
    assert!(missed.is_empty(), "not reached: {missed:?}");
}
