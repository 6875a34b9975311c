//! What a run costs, everything included: expressions, sandboxed calls, events, and the store on disk.
//!
//! Needs the built-in plugins (`cargo xtask plugins`) and the guest `fib` (`cargo xtask pack bench/guests/fib --out …`);
//! `make bench` builds both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Map;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_host::{HostConfig, PluginHost};
use windflow_runtime::{Config, Runtime, Start, SystemClock};
use windflow_store::{Options, SledStore};

struct Bench {
    runtime: Runtime,
    tokio: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

fn target() -> PathBuf {
    // The benchmark stands in <target>/<profile>/deps.
    let path = std::env::current_exe().expect("a path");
    path.ancestors().find(|folder| folder.join("plugins").is_dir()).expect("run `cargo xtask plugins` first").to_owned()
}

fn components() -> Vec<PathBuf> {
    let wasm = |folder: &Path| -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
        entries.unwrap_or_default().into_iter().filter(|path| path.extension().is_some_and(|is| is == "wasm")).collect()
    };
    [wasm(&target().join("plugins")), wasm(&target().join("guests"))].concat()
}

impl Bench {
    fn new() -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
        let folder = tempfile::tempdir_in(target()).expect("a folder");
        let host = PluginHost::new(HostConfig::default()).expect("a host");
        for path in components() {
            host.install(std::fs::read(path).expect("a component")).expect("a sound component");
        }
        let store = SledStore::open(folder.path(), Options::default()).expect("a store");
        let config = Config::new(tokio.handle().clone());
        let runtime = Runtime::new(Arc::new(store), Arc::new(host), Arc::new(SystemClock), config);
        Self { runtime, tokio, _folder: folder }
    }

    fn run(&self, document: &str) {
        self.tokio.block_on(async {
            let start = Start {
                organisation: OrganisationId::local(),
                document: document.to_owned(),
                inputs: Map::new(),
                extra_grants: windflow_core::capability::Grants::default(),
                started_by: "bench".into(),
                children: Default::default(),
                pinned: std::collections::BTreeMap::new(),
                trace: None,
            };
            let started = self.runtime.start(start).expect("a valid workflow");
            let key = RunKey { organisation: OrganisationId::local(), run: started.run };
            let report = self.runtime.wait(&key).await.expect("a run");
            assert_eq!(report.status, "succeeded", "{:?}", report.error);
        });
    }
}

/// `n` nodes of a type one after another, each with the same configuration.
fn chain(n: usize, uses: &str, with: &str) -> String {
    let mut text = format!("windflow: 1\nname: chain\nnodes:\n  n0: {{ uses: {uses}, with: {with} }}\n");
    for i in 1..n {
        let _ = writeln!(text, "  n{i}: {{ uses: {uses}, needs: [n{}], with: {with} }}", i - 1);
    }
    text
}

/// Node types by how large their guests are.
const CHAINED: [(&str, &str); 3] = [
    ("condition@1", "{ if: true }"),
    ("template@1", "{ template: \"Hello {{ name }}\", values: { name: Ada } }"),
    ("transform@1", "{ input: {}, set: { name: anchor } }"),
];

/// `n` nodes side by side, and one that joins them.
fn fan(n: usize) -> String {
    let mut text = String::from("windflow: 1\nname: fan\nnodes:\n");
    for i in 0..n {
        let _ = writeln!(text, "  n{i}: {{ uses: condition@1, with: {{ if: true }} }}");
    }
    let needs: Vec<String> = (0..n).map(|i| format!("n{i}")).collect();
    let _ = writeln!(
        text,
        "  join: {{ uses: condition@1, needs: [{}], with: {{ if: true, input: null }} }}",
        needs.join(", ")
    );
    text
}

/// Forty times fib(10) in the guest, one after another.
fn fib() -> String {
    let mut text = String::from("windflow: 1\nname: fib\nnodes:\n  n0: { uses: fib@1, with: { n: 10 } }\n");
    for i in 1..40 {
        let _ = writeln!(text, "  n{i}: {{ uses: fib@1, needs: [n{}], with: {{ n: 10 }} }}", i - 1);
    }
    text
}

fn runs(criterion: &mut Criterion) {
    let bench = Bench::new();
    let mut group = criterion.benchmark_group("run");
    for (uses, with) in CHAINED {
        for n in [1, 5, 100] {
            let document = chain(n, uses, with);
            bench.run(&document);
            group.throughput(Throughput::Elements(n as u64));
            let name = BenchmarkId::new(format!("chain of {uses}"), n);
            group.bench_function(name, |timer| timer.iter(|| bench.run(&document)));
        }
    }
    for n in [100, 1000, 10_000] {
        let document = fan(n);
        bench.run(&document);
        group.sample_size(20);
        group.throughput(Throughput::Elements(n as u64 + 1));
        group.bench_function(BenchmarkId::new("fan-out and join", n), |timer| timer.iter(|| bench.run(&document)));
    }
    let document = fib();
    bench.run(&document);
    group.throughput(Throughput::Elements(40));
    group.bench_function("40 sequential fib(10)", |timer| timer.iter(|| bench.run(&document)));
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
