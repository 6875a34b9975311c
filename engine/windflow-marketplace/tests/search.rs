//! What people wait for while they look for a template.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod thousand;

use std::time::{Duration, Instant};

use windflow_marketplace::shelf::find;

/// The goal is one for a server that was optimised; this is not. The best of ten, for others are at work on the machine, too.
#[test]
fn a_search_over_a_thousand_templates_takes_less_than_20_ms() {
    let shelf = thousand::thousand();
    assert_eq!(shelf.entries().len(), 1000);
    for (how, wanted) in thousand::queries(&shelf) {
        let took = (0..10).map(|_| {
            let begun = Instant::now();
            assert!(!find(&[&shelf], &wanted).0.is_empty() || how.contains("misspelt"), "{how}");
            begun.elapsed()
        });
        let best = took.min().unwrap();
        assert!(best < Duration::from_millis(20), "{how}: {best:?}");
    }
}
