//! A clock that stands still while anything is at work, and jumps to the next instant that is waited for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use windflow_core::id::RunId;
use windflow_core::ports::store::BoxFuture;
use windflow_core::run::Timestamp;

use crate::clock::Clock;

/// Time for tests of workflows: a retry after an hour takes no time. Nodes take the time that they take; it does not count.
#[derive(Clone)]
pub struct SimulatedClock(Arc<Mutex<Inner>>);

struct Inner {
    now: u64,
    /// Who waits, by the instant, then by the order in which they came.
    timers: BTreeMap<(u64, u64), oneshot::Sender<()>>,
    came: u64,
    runs: u32,
    /// Runs that do something other than waiting for time.
    working: usize,
    /// Runs that were woken and have not yet said that they work: they are counted as working already.
    woken: usize,
}

impl SimulatedClock {
    /// A clock that begins at an instant.
    #[must_use]
    pub fn new(beginning: Timestamp) -> Self {
        let timers = BTreeMap::new();
        Self(Arc::new(Mutex::new(Inner { now: beginning.0, timers, came: 0, runs: 0, working: 0, woken: 0 })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds the lock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.lock().now)
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut inner = self.lock();
        if at.0 <= inner.now {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        inner.came += 1;
        let came = inner.came;
        inner.timers.insert((at.0, came), wake);
        Box::pin(async move {
            let _ = woken.await;
        })
    }

    /// Waits between attempts are as long as they can be.
    fn chance(&self) -> f64 {
        0.0
    }

    /// As time and chance follow from the id where nothing is granted: the same in each test.
    fn new_run_id(&self) -> RunId {
        let mut inner = self.lock();
        inner.runs += 1;
        let mut count = [0; 10];
        count[6..].copy_from_slice(&inner.runs.to_be_bytes());
        RunId(uuid::Builder::from_unix_timestamp_millis(inner.now, &count).into_uuid())
    }

    fn pretended(&self) -> Option<Timestamp> {
        Some(self.now())
    }

    fn works(&self) {
        let mut inner = self.lock();
        if inner.woken > 0 {
            inner.woken -= 1;
        } else {
            inner.working += 1;
        }
    }

    fn rests(&self) {
        let mut inner = self.lock();
        inner.working = inner.working.saturating_sub(1);
        while inner.working == 0 {
            let Some(((at, _), wake)) = inner.timers.pop_first() else { return };
            // Whoever does not wait any more moves no time.
            if wake.is_closed() {
                continue;
            }
            inner.now = inner.now.max(at);
            if wake.send(()).is_ok() {
                inner.working += 1;
                inner.woken += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_a_test_have_the_ids_that_they_had_before() {
        let ids = || {
            let clock = SimulatedClock::new(Timestamp(1_767_225_600_000));
            [clock.new_run_id(), clock.new_run_id()]
        };
        let [first, second] = ids();
        assert_eq!(ids(), [first, second]);
        assert!(first < second, "{first} {second}");
        let (seconds, _) = first.0.get_timestamp().unwrap().to_unix();
        assert_eq!(seconds, 1_767_225_600);
    }

    #[tokio::test]
    async fn time_passes_only_when_nothing_else_does() {
        let clock = SimulatedClock::new(Timestamp(1000));
        clock.works();
        clock.works();
        let (late, early) = (clock.sleep_until(Timestamp(90_000)), clock.sleep_until(Timestamp(5000)));
        let gone = clock.sleep_until(Timestamp(2000));
        drop(gone);
        clock.rests();
        assert_eq!(clock.now(), Timestamp(1000), "one is still at work");
        clock.rests();
        early.await;
        assert_eq!(clock.now(), Timestamp(5000));
        clock.works();
        clock.rests();
        late.await;
        assert_eq!(clock.now(), Timestamp(90_000));
    }
}
