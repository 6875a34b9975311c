//! Guests that say too much.

use windflow_core::failure::FailureKind::LimitExceeded;
use windflow_core::ports::host::LogLevel;
use windflow_host::HostConfig;

use crate::computing::check;
use crate::support::{Attempt, CONTRACTS};

#[tokio::test]
async fn floods() {
    check("output_flood", "{}", LimitExceeded, "16777216 bytes").await;
    check("log_long_line", "{}", LimitExceeded, "16777216 bytes").await;
}

#[tokio::test]
async fn long_lines_are_cut_and_made_printable() {
    for contract in CONTRACTS {
        let host = contract.host_with(HostConfig::default(), "log_long_line");
        let attempt = Attempt::of("log_long_line");
        attempt.fails(&host, LimitExceeded, "").await;
        let lines = attempt.heard.lines.lock().unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].1.chars().all(|c| c == '\u{fffd}') && lines[0].1.chars().count() == 8 << 10);
    }
}

#[tokio::test]
async fn a_flood_of_lines_is_bounded_and_said() {
    for contract in CONTRACTS {
        let host = contract.host_with(HostConfig::default(), "log_flood");
        let attempt = Attempt::of("log_flood");
        attempt.gives(&host, "{}").await;
        let lines = attempt.heard.lines.lock().unwrap();
        assert_eq!(lines.len(), 2_001);
        assert_eq!(lines[0], (LogLevel::Info, "the same line again and again".to_owned()));
        assert!(lines[2_000].1.starts_with("98000 more lines were dropped"), "{}", lines[2_000].1);
    }
}

#[tokio::test]
async fn a_flood_of_progress_is_thinned_out_and_the_last_is_told() {
    for contract in CONTRACTS {
        let host = contract.host_with(HostConfig::default(), "progress_flood");
        let attempt = Attempt::of("progress_flood");
        attempt.gives(&host, "{}").await;
        let told = attempt.heard.progress.lock().unwrap();
        assert!((2..1_000).contains(&told.len()), "{}", told.len());
        assert_eq!(told.last(), Some(&(Some(1.0), "busy".to_owned())));
    }
}
