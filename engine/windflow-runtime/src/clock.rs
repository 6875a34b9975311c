//! Time and chance, injected, so that tests and simulations decide both.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use windflow_core::id::RunId;
use windflow_core::ports::store::BoxFuture;
use windflow_core::run::Timestamp;

/// Where the runtime gets time and chance from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns at that instant or after it.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
    /// A number from 0 up to 1.
    fn chance(&self) -> f64;
    /// The id of a new run; ids sort by their making.
    fn new_run_id(&self) -> RunId;
    /// What nodes are to take for the time of the machine, and whether chance is to repeat itself. Only simulated time says so.
    fn pretended(&self) -> Option<Timestamp> {
        None
    }
    /// A run begins to do something other than waiting for time. Only simulated time wants to know.
    fn works(&self) {}
    /// It waits for nothing but time, or has ended.
    fn rests(&self) {}
}

/// Sleeps until a clock says so that somebody may set meanwhile: it is asked again, at the latest after a minute.
pub async fn sleep_by(now: impl Fn() -> Timestamp, at: Timestamp) {
    loop {
        let left = Duration::from_millis(at.0.saturating_sub(now().0));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(Duration::from_secs(60))).await;
    }
}

/// The clock and the random source of the machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let clock = *self;
        Box::pin(sleep_by(move || clock.now(), at))
    }

    fn chance(&self) -> f64 {
        rand::random()
    }

    fn new_run_id(&self) -> RunId {
        RunId(uuid::Uuid::now_v7())
    }
}
