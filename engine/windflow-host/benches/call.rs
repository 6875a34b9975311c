//! What an attempt costs, from `Host::execute` to its output; and what a start costs until its first output.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::print_stdout, reason = "what it does not measure is told")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run should say so at once")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use support::{Attempt, guest, host_with};
use windflow_host::{HostConfig, PluginHost};

const CONFIG: &str = r#"{"name":"Ada","numbers":[1,2,3]}"#;

fn call(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let host = host_with(HostConfig::default(), "echo");
    let attempt = Attempt::of("echo").config(CONFIG);
    runtime.block_on(attempt.run(&host)).unwrap();
    criterion.bench_function("one pure call", |bencher| {
        bencher.iter(|| runtime.block_on(attempt.run(&host)).unwrap());
    });

    // The time for one call of each of two threads: as above where threads do not hinder each other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    criterion.bench_function("two pure calls on two threads", |bencher| {
        bencher.iter_custom(|calls| {
            let begun = Instant::now();
            let threads = [(); 2].map(|()| {
                let host = host.clone();
                runtime.spawn(async move {
                    let attempt = Attempt::of("echo").config(CONFIG);
                    for _ in 0..calls {
                        attempt.run(&host).await.unwrap();
                    }
                })
            });
            for thread in threads {
                runtime.block_on(thread).unwrap();
            }
            begun.elapsed()
        });
    });
}

fn start(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let config = HostConfig { cache_dir: Some(folder.path().join("code")), ..HostConfig::default() };
    let component = guest("echo", &support::everything());
    criterion.bench_function("start to the first output, code cached", |bencher| {
        bencher.iter(|| {
            let host = PluginHost::new(config.clone()).unwrap();
            host.install(component.clone()).unwrap();
            runtime.block_on(Attempt::of("echo").config(CONFIG).run(&host)).unwrap();
        });
    });
}

/// Built-in plugins as people have them: Rust, serde and the SDK; an engine of JavaScript. They must have been built by
/// `cargo xtask plugins`.
fn plugin(criterion: &mut Criterion) {
    let mut condition = Attempt::of("condition").config(r#"{"if":true,"input":{"name":"Ada","numbers":[1,2,3]}}"#);
    condition.ports = vec!["true".parse().unwrap(), "false".parse().unwrap()];
    let code = "const even = input.numbers.filter(n => n % 2 === 0);\nreturn { name: input.name, even: even.length };";
    let config = serde_json::json!({ "code": code, "input": { "name": "Ada", "numbers": [1, 2, 3] }, "values": {} });
    let script = Attempt::of("script").config(&config.to_string());
    for (name, attempt) in [("condition", condition), ("script", script)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/plugins/{name}.wasm"));
        let component = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", path.display()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let host = PluginHost::new(HostConfig::default()).unwrap();
        host.install(component).unwrap();
        runtime.block_on(attempt.run(&host)).unwrap();
        criterion.bench_function(&format!("one call of the plugin {name}"), |bencher| {
            bencher.iter(|| runtime.block_on(attempt.run(&host)).unwrap());
        });
    }
}

/// The same node type in other languages, where `sdk/examples/words/test.sh` has built it.
fn language(criterion: &mut Criterion) {
    for name in ["rust", "javascript", "python"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/examples/words/{name}.wasm"));
        let Ok(component) = std::fs::read(&path) else {
            println!("one call of the plugin words ({name}): not measured, sdk/examples/words/test.sh builds it");
            continue;
        };
        let words = Attempt::of("words").config(r#"{"text":"one two three"}"#);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let host = PluginHost::new(HostConfig::default()).unwrap();
        host.install(component).unwrap();
        runtime.block_on(words.run(&host)).unwrap();
        criterion.bench_function(&format!("one call of the plugin words ({name})"), |bencher| {
            bencher.iter(|| runtime.block_on(words.run(&host)).unwrap());
        });
    }
}

criterion_group!(benches, call, plugin, language, start);
criterion_main!(benches);
