//! Slows down those who guess passwords.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use windflow_core::run::Timestamp;

/// Failures that are free, per address and window.
const FREE: u32 = 10;
/// The window, in milliseconds.
const WINDOW: u64 = 5 * 60 * 1000;
/// Addresses that are remembered. Beyond, all are forgotten: whoever tries that many is slowed by the hashing itself.
const MAX_REMEMBERED: usize = 10_000;

/// Counts failures by e-mail address.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<HashMap<String, (u32, Timestamp)>>);

impl Throttle {
    /// Seconds to wait, where there were too many failures.
    pub(super) fn wait(&self, email: &str, now: Timestamp) -> Option<u32> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = failures.get(email)?;
        let left = WINDOW.checked_sub(now.0.saturating_sub(since.0)).filter(|left| *left > 0)?;
        (*count >= FREE).then(|| u32::try_from(left / 1000 + 1).unwrap_or(u32::MAX))
    }

    pub(super) fn failed(&self, email: &str, now: Timestamp) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_REMEMBERED {
            failures.clear();
        }
        let entry = failures.entry(email.to_owned()).or_insert((0, now));
        if now.0.saturating_sub(entry.1.0) >= WINDOW {
            *entry = (0, now);
        }
        entry.0 += 1;
    }

    pub(super) fn succeeded(&self, email: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(email);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_cost_a_wait_that_ends() {
        let throttle = Throttle::default();
        let at = |seconds: u64| Timestamp(1_000_000 + seconds * 1000);
        for _ in 0..FREE {
            assert_eq!(throttle.wait("a", at(0)), None);
            throttle.failed("a", at(0));
        }
        assert_eq!(throttle.wait("a", at(100)), Some(201));
        assert_eq!(throttle.wait("b", at(100)), None);
        assert_eq!(throttle.wait("a", at(300)), None);
        throttle.failed("a", at(301));
        assert_eq!(throttle.wait("a", at(301)), None);
        throttle.succeeded("a");
        assert!(throttle.0.lock().unwrap().is_empty());
    }
}
