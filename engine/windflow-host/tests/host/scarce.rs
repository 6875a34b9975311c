//! Machines on which address space is limited.

use std::process::Command;

use windflow_core::failure::FailureKind::OutOfMemory;
use windflow_host::HostConfig;

use crate::support::{Attempt, everything, guest, host_with};

/// Runs [`attempts`] in a process of its own that may use so many KiB of addresses.
fn check(kibibytes: u64) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {kibibytes} && exec \"$0\" --exact scarce::attempts --ignored --nocapture"))
        .arg(program)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "with {kibibytes} KiB: {said}");
}

#[test]
fn a_smaller_pool() {
    check(400 << 20);
}

#[test]
fn memory_on_demand() {
    check(16 << 20);
}

#[test]
fn memory_that_moves_as_it_grows() {
    check(2 << 20);
}

#[tokio::test]
#[ignore = "run by the other tests of this file, in a process with little address space"]
async fn attempts() {
    let host = host_with(HostConfig::default(), "echo");
    host.install(guest("allocate", &everything())).unwrap();
    for _ in 0..10 {
        Attempt::of("echo").gives(&host, "{}").await;
    }
    Attempt::of("allocate").fails(&host, OutOfMemory, "64 MiB").await;
    Attempt::of("echo").gives(&host, "{}").await;
}
