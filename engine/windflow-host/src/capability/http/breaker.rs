//! Leaves a server alone that does not answer: after some failures in a row nothing is sent to it for a while, then one request
//! tries. It spares the server, and runs fail at once that would each wait for it in vain.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use windflow_core::capability::Origin;

/// Servers that are remembered. Only those that failed lately are.
const MOST: usize = 4096;

/// When a server is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSettings {
    /// After so many failures in a row; 0: never.
    pub failures: u32,
    /// For so long; then one request tries.
    pub rest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, rest: Duration::from_secs(30) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Circuit {
    failures: u32,
    /// When the last of them was, or when somebody set out to try.
    since: Instant,
    trying: bool,
}

/// What is known of servers that failed.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    circuits: Mutex<HashMap<Origin, Circuit>>,
}

/// How a request went, as far as its server is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    /// It answered, whatever it said: a status is for the node to judge.
    Well,
    /// No connection came about.
    Badly,
    /// It says nothing about the server.
    Unknown,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, circuits: Mutex::default() }
    }

    fn circuits(&self) -> MutexGuard<'_, HashMap<Origin, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may go out; else how much longer its server is left alone.
    pub(super) fn enter(&self, origin: &Origin, now: Instant) -> Result<(), Duration> {
        let Breaker { settings, .. } = self;
        let mut circuits = self.circuits();
        let Some(circuit) = circuits.get_mut(origin) else { return Ok(()) };
        if settings.failures == 0 || circuit.failures < settings.failures {
            return Ok(());
        }
        let rested = now.saturating_duration_since(circuit.since);
        if rested < settings.rest {
            return Err(settings.rest - rested);
        }
        // One tries. Should it never come back, another one may after as long again.
        (circuit.trying, circuit.since) = (true, now);
        Ok(())
    }

    /// Tells how a request went. True: from now on the server is left alone.
    pub(super) fn went(&self, origin: &Origin, went: Went, now: Instant) -> bool {
        let mut circuits = self.circuits();
        match went {
            Went::Unknown => false,
            Went::Well => {
                circuits.remove(origin);
                false
            }
            Went::Badly => {
                if circuits.len() >= MOST && !circuits.contains_key(origin) {
                    // What failed long ago tells nothing of today.
                    let rest = self.settings.rest;
                    circuits.retain(|_, circuit| now.saturating_duration_since(circuit.since) < rest);
                    if circuits.len() >= MOST {
                        return false;
                    }
                }
                let fresh = Circuit { failures: 0, since: now, trying: false };
                let circuit = circuits.entry(origin.clone()).or_insert(fresh);
                let tried = std::mem::take(&mut circuit.trying);
                circuit.failures = circuit.failures.saturating_add(1);
                circuit.since = now;
                self.settings.failures > 0 && (circuit.failures == self.settings.failures || tried)
            }
        }
    }

    pub(super) fn rest(&self) -> Duration {
        self.settings.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::from_authority(windflow_core::capability::Scheme::Http, text).unwrap()
    }

    #[test]
    fn a_server_that_fails_is_left_alone_and_then_tried_by_one() {
        let breaker = Breaker::new(BreakerSettings { failures: 3, rest: Duration::from_secs(30) });
        let (bad, good) = (origin("bad.test"), origin("good.test"));
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        for failure in 1..=3 {
            assert_eq!(breaker.enter(&bad, at(0)), Ok(()));
            assert_eq!(breaker.went(&bad, Went::Badly, at(0)), failure == 3);
        }
        assert_eq!(breaker.enter(&bad, at(10)), Err(Duration::from_secs(20)));
        assert_eq!(breaker.enter(&good, at(10)), Ok(()));
        // One tries, and the others wait for what it finds.
        assert_eq!(breaker.enter(&bad, at(30)), Ok(()));
        assert!(breaker.enter(&bad, at(31)).is_err());
        assert!(breaker.went(&bad, Went::Badly, at(32)));
        assert_eq!(breaker.enter(&bad, at(40)), Err(Duration::from_secs(22)));
        assert_eq!(breaker.enter(&bad, at(62)), Ok(()));
        assert!(!breaker.went(&bad, Went::Well, at(63)));
        assert_eq!(breaker.enter(&bad, at(63)), Ok(()));
    }

    #[test]
    fn an_answer_ends_the_count_and_what_the_guest_did_does_not_count() {
        let breaker = Breaker::new(BreakerSettings { failures: 2, rest: Duration::from_secs(30) });
        let (server, now) = (origin("a.test"), Instant::now());
        for went in [Went::Badly, Went::Well, Went::Badly, Went::Unknown, Went::Unknown] {
            assert!(!breaker.went(&server, went, now));
        }
        assert_eq!(breaker.enter(&server, now), Ok(()));
        let never = Breaker::new(BreakerSettings { failures: 0, ..BreakerSettings::default() });
        assert!((0..100).all(|_| !never.went(&server, Went::Badly, now)));
        assert_eq!(never.enter(&server, now), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let breaker = Breaker::new(BreakerSettings::default());
        let now = Instant::now();
        for number in 0..2 * MOST {
            breaker.went(&origin(&format!("h{number}.test")), Went::Badly, now);
        }
        assert_eq!(breaker.circuits().len(), MOST);
        breaker.went(&origin("late.test"), Went::Badly, now + Duration::from_secs(31));
        assert_eq!(breaker.circuits().len(), 1);
    }
}
