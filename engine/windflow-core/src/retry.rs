//! When a failed attempt is tried again.

use std::time::Duration;

use crate::failure::{Failure, RetryHint};
use crate::workflow::{Backoff, Retry};

/// How long to wait before the next attempt; nothing where there is none. `chance` lies between 0 and 1 and comes from
/// outside, as everything random does; the instant that follows from it is recorded.
#[must_use]
pub fn wait(retry: Option<&Retry>, attempt: u32, failure: &Failure, chance: f64) -> Option<Duration> {
    let retry = retry?;
    if attempt >= retry.attempts || failure.retry == RetryHint::Never {
        return None;
    }
    let grown = match retry.backoff {
        Backoff::Fixed => retry.initial,
        Backoff::Linear => retry.initial.saturating_mul(attempt),
        Backoff::Exponential => retry.initial.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX)),
    };
    let capped = grown.min(retry.max);
    // Jitter only shortens, so that `max` stays what it says.
    let factor = 1.0 - retry.jitter.clamp(0.0, 1.0) * chance.clamp(0.0, 1.0);
    Some(capped.mul_f64(factor).max(failure.retry.at_least()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    fn check(backoff: Backoff, attempt: u32, hint: RetryHint, chance: f64, expect_ms: Option<u64>) {
        let retry = Retry {
            attempts: 5,
            backoff,
            initial: Duration::from_millis(100),
            max: Duration::from_millis(500),
            jitter: 0.5,
        };
        let failure = Failure { retry: hint, ..Failure::new(FailureKind::Node, "no") };
        assert_eq!(wait(Some(&retry), attempt, &failure, chance), expect_ms.map(Duration::from_millis));
    }

    #[test]
    fn waits_grow_are_capped_and_jittered() {
        check(Backoff::Fixed, 3, RetryHint::MayHelp, 0.0, Some(100));
        check(Backoff::Linear, 3, RetryHint::MayHelp, 0.0, Some(300));
        check(Backoff::Exponential, 3, RetryHint::MayHelp, 0.0, Some(400));
        check(Backoff::Exponential, 4, RetryHint::MayHelp, 0.0, Some(500));
        check(Backoff::Exponential, 1, RetryHint::MayHelp, 1.0, Some(50));
        check(Backoff::Exponential, 1, RetryHint::After(700), 1.0, Some(700));
        check(Backoff::Exponential, 5, RetryHint::MayHelp, 0.0, None);
        check(Backoff::Exponential, 1, RetryHint::Never, 0.0, None);
    }

    #[test]
    fn without_a_policy_nothing_is_tried_again() {
        assert_eq!(wait(None, 1, &Failure::new(FailureKind::Timeout, "late"), 0.0), None);
    }
}
