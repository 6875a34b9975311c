//! The empty world that guests of language runtimes see.

use windflow_core::failure::FailureKind::Trap;
use windflow_core::ports::host::LogLevel;
use windflow_host::HostConfig;

use crate::support::server::Server;
use crate::support::{Attempt, host_with};

#[tokio::test]
async fn there_is_no_environment_no_argument_and_no_file() {
    let host = host_with(HostConfig::default(), "wasi_looks_around");
    Attempt::of("wasi_looks_around").gives(&host, "[0,0,0]").await;
}

/// Sockets of WASI are no way around the checks of requests, whatever the run grants.
#[tokio::test]
async fn there_is_no_socket() {
    let server = Server::start().await;
    let host = host_with(HostConfig::default(), "wasi_connects");
    let attempt = Attempt::of("wasi_connects").config(&server.port().to_string()).grant(&["*:*", "127.0.0.1:*"]);
    let emission = attempt.run(&host).await.unwrap();
    assert_eq!(emission.output.text(), "101", "access denied");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_a_guest_prints_is_logged_and_explains_its_trap() {
    let host = host_with(HostConfig::default(), "wasi_prints");
    let attempt = Attempt::of("wasi_prints");
    attempt.fails(&host, Trap, "Traceback:\n  no such key").await;
    let lines = attempt.heard.lines.lock().unwrap();
    let expect = ["Traceback:", "  no such key"].map(|line| (LogLevel::Warn, line.to_owned()));
    assert_eq!(*lines, expect);
}

/// Its clock and its random source differ neither between attempts nor between hosts, only between node runs.
#[tokio::test]
async fn guests_stay_deterministic() {
    let (one, other) = (host_with(HostConfig::default(), "wasi"), host_with(HostConfig::default(), "wasi"));
    let first = Attempt::of("wasi").run(&one).await.unwrap();
    Attempt::of("wasi").gives(&one, first.output.text()).await;
    Attempt::of("wasi").gives(&other, first.output.text()).await;
    let mut elsewhere = Attempt::of("wasi");
    elsewhere.key = "run/other".to_owned();
    assert_ne!(elsewhere.run(&one).await.unwrap().output, first.output);
}
