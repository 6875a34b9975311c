//! The time that guests see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};
use windflow_core::id::RunId;

/// How far a virtual clock moves each time it is read, so that a guest that waits for it to move does not wait for ever.
const STEP: Duration = Duration::from_micros(1);

/// Starts when the run started, which the run's id tells. A virtual one moves only by being read; that of a guest with
/// `wasi:http` moves as time does, since its libraries need it for their timeouts and it is not deterministic anyway.
#[derive(Clone)]
pub(super) struct Clock {
    start: Duration,
    elapsed: Elapsed,
}

#[derive(Clone)]
enum Elapsed {
    Virtual(Arc<AtomicU64>),
    Real(Instant),
}

impl Clock {
    pub(super) fn new(run: RunId, is_virtual: bool) -> Self {
        let start = run.0.get_timestamp().map_or(Duration::ZERO, |timestamp| {
            let (seconds, nanoseconds) = timestamp.to_unix();
            Duration::new(seconds, nanoseconds)
        });
        let elapsed = if is_virtual { Elapsed::Virtual(Arc::default()) } else { Elapsed::Real(Instant::now()) };
        Self { start, elapsed }
    }

    fn elapsed(&self) -> Duration {
        match &self.elapsed {
            Elapsed::Virtual(reads) => {
                STEP.saturating_mul(u32::try_from(reads.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX))
            }
            Elapsed::Real(start) => start.elapsed(),
        }
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        STEP
    }

    fn now(&self) -> Duration {
        self.start + self.elapsed()
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
