//! The whole of one attempt, from `Host::execute` to its output.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot run should say so at once")]

#[path = "../tests/host/support.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use support::{Attempt, host_with};
use windflow_host::HostConfig;

fn call(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let host = host_with(HostConfig::default(), "echo");
    let attempt = Attempt::of("echo").config(r#"{"name":"Ada","numbers":[1,2,3]}"#);
    runtime.block_on(attempt.run(&host)).unwrap();
    criterion.bench_function("one pure call", |bencher| {
        bencher.iter(|| runtime.block_on(attempt.run(&host)).unwrap());
    });
}

criterion_group!(benches, call);
criterion_main!(benches);
