//! The system is really asked to make the data durable, before anybody is told that it is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

#[path = "common/child.rs"]
mod child;

use std::collections::HashSet;
use std::process::Command;

use windflow_core::ports::store::Journal;
use windflow_store::suite::sample::{run_key, started, step};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

const APPENDS: u64 = 10;

#[test]
fn child_appends_and_says_so() {
    let Some(dir) = child::folder() else { return };
    let store = SledStore::open(dir, Options::default()).unwrap();
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    for number in 1..=APPENDS {
        println!("begin {number}");
        wait(store.durable(store.append(&run, number, &[step(1000, number)]).unwrap())).unwrap();
        println!("durable {number}");
    }
}

#[test]
fn the_log_is_synced_before_durable_returns() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "100", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o"]).arg(&trace);
    child::behind(&mut strace, "child_appends_and_says_so", &dir.path().join("data"));
    let output = match strace.output() {
        Ok(output) => output,
        Err(error) => panic!("this test needs strace (Debian package `strace`): {error}"),
    };
    assert!(output.status.success(), "strace ended with {output:?}");
    check(&std::fs::read_to_string(trace).unwrap());
}

/// Between "begin" and "durable" the log must be written, and then synced with success.
fn check(trace: &str) {
    let (mut written, mut synced, mut answered) = (false, false, 0);
    let mut syncing = HashSet::new();
    for line in trace.lines() {
        let (process, call) = line.trim_start().split_once(' ').unwrap_or_default();
        let call = call.trim_start();
        let sync = call.starts_with("fdatasync(") || call.starts_with("fsync(");
        let log = call.contains("/data/sled/write-ahead>");
        if call.contains("begin ") && call.starts_with("write(1") {
            (written, synced) = (false, false);
        } else if call.starts_with("write(") && log {
            (written, synced) = (true, false);
        } else if sync && log && call.ends_with("= 0") {
            synced = true;
        } else if sync && log {
            assert!(call.contains("unfinished"), "a sync failed: {line}");
            syncing.insert(process);
        } else if call.contains("sync resumed>") && syncing.remove(process) {
            assert!(call.ends_with("= 0"), "a sync failed: {line}");
            synced = true;
        } else if call.contains("durable ") && call.starts_with("write(1") {
            assert!(written, "nothing was written before {line}");
            assert!(synced, "the log was not synced before {line}");
            answered += 1;
        }
    }
    assert_eq!(answered, APPENDS, "the trace does not show what the child did");
}
