//! Memory is bounded, however much is appended by those who never wait.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

#[path = "common/child.rs"]
mod child;

use windflow_core::ports::store::{Journal, ReadModel, RunQuery};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{finished, run_key, started, step};
use windflow_store::{Options, SledStore};

/// 23 MB of JSON, in small runs, as fast as they are taken.
#[test]
fn child_appends_and_never_waits() {
    let Some(dir) = child::folder() else { return };
    let store = SledStore::open(dir, Options::default()).unwrap();
    for number in 0..20_000 {
        let run = run_key(number, number);
        let records = [started(number, "a"), step(number, 1), step(number, 2), finished(number, EndStatus::Succeeded)];
        store.append(&run, 0, &records).unwrap();
    }
    store.runs(&run_key(1, 1).organisation, &RunQuery { limit: 1000, ..RunQuery::default() }).unwrap();
    store.compact().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("\npeak {}", peak.trim().trim_end_matches(" kB"));
}

#[test]
fn appending_without_waiting_takes_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let output = child::command("child_appends_and_never_waits", dir.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let peak: u64 = said.lines().find_map(|line| line.strip_prefix("peak ")).unwrap().parse().unwrap();
    // With all that is pending in one transaction it was 340 MB.
    assert!(peak < 160_000, "{peak} kB at most");
}
