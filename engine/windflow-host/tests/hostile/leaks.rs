//! Guests that let go of nothing, and what a host keeps after very many calls.

use std::process::Command;

use windflow_core::failure::FailureKind::LimitExceeded;
use windflow_host::{HostConfig, Limits};

use crate::support::{Attempt, CONTRACTS};

/// What a guest makes in the host's memory is bounded as its own memory is.
#[test]
fn what_a_guest_holds_of_the_host_is_bounded() {
    let limits = Limits::default();
    assert!(limits.handles * limits.http.header_bytes <= limits.memory_bytes);
    in_a_process_of_its_own("leaks::holding");
}

#[tokio::test]
#[ignore = "measures its process, and is run in one of its own by the test above"]
async fn holding() {
    for contract in CONTRACTS {
        let host = contract.host_with(HostConfig::default(), "leak_handles");
        Attempt::of("leak_handles").fails(&host, LimitExceeded, "more than 2048 things of the host").await;

        let host = contract.host_with(HostConfig::default(), "leak_fields");
        let before = resident();
        Attempt::of("leak_fields").fails(&host, LimitExceeded, "more than 2048 things of the host").await;
        let more = peak().saturating_sub(before);
        assert!(more < 200 << 20, "{} MiB more", more >> 20);

        let host = contract.host_with(HostConfig::default(), "http");
        let header = format!("127.0.0.1:1\n/\nx\n{}", "a".repeat(40_000));
        Attempt::of("http").config(&header).fails(&host, LimitExceeded, "more than 32768 bytes").await;
    }
}

#[test]
fn nothing_is_left_of_very_many_calls() {
    in_a_process_of_its_own("leaks::calling");
}

/// Calls in a row; `WINDFLOW_LONG=1` makes a hundred thousand of them.
fn calls() -> usize {
    if std::env::var_os("WINDFLOW_LONG").is_some() { 100_000 } else { 5_000 }
}

#[tokio::test]
#[ignore = "measures its process, and is run in one of its own by the test above"]
async fn calling() {
    for contract in CONTRACTS {
        for name in ["echo", "wasi"] {
            let host = contract.host_with(HostConfig::default(), name);
            let attempt = Attempt::of(name);
            let call = async |times: usize| {
                for _ in 0..times {
                    attempt.run(&host).await.unwrap();
                }
            };
            call(1_000).await;
            let before = resident();
            call(calls()).await;
            let more = resident().saturating_sub(before);
            // A hundred bytes for each call would be seen in the long run, two thousand in the quick one.
            assert!(more < 10 << 20, "{name}: {} KiB more after {} calls", more >> 10, calls());
        }
    }
}

fn in_a_process_of_its_own(test: &str) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    status("VmRSS:")
}

/// The most that it ever had.
fn peak() -> usize {
    status("VmHWM:")
}

fn status(line: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
