//! The time that guests see, behind `wasi:clocks`: the machine's where every key agrees, else the run's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};
use windflow_core::capability::Capability;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::ports::host::Call;

use crate::imports::World;
use crate::plugin::Plugin;

/// How far a virtual clock moves each time it is read, so that a guest that waits for it to move does not wait for ever.
const STEP: Duration = Duration::from_micros(1);

/// Whether every key agrees. WASI's clocks cannot refuse, so that a guest that asks for the time and is not granted it is
/// refused before it begins: it would take a clock that stands still for the time.
pub(crate) fn check(call: &Call, plugin: &Plugin) -> Result<(), Failure> {
    if !plugin.uses(Capability::Clock) || call.grants.clock {
        return Ok(());
    }
    let why = "the time of the machine was denied: the workflow does not grant it. Add to the workflow: permissions: { clock: true }";
    Err(Failure::new(FailureKind::Denied, why))
}

#[derive(Clone)]
pub(crate) enum Clock {
    /// Moves only by being read.
    Virtual { start: Duration, reads: Arc<AtomicU64> },
    /// Begins with the run, and moves as time does: what guests with `wasi:http` see, since their libraries need it for their
    /// timeouts, and they are not deterministic anyway.
    Moving { start: Duration, since: Instant },
    /// The machine's.
    Machine { since: Instant },
}

impl Clock {
    pub(crate) fn of(call: &Call, plugin: &Plugin) -> Self {
        if plugin.uses(Capability::Clock) && call.grants.clock {
            return match call.pretended {
                Some(now) => Self::Virtual { start: Duration::from_millis(now.0), reads: Arc::default() },
                None => Self::Machine { since: Instant::now() },
            };
        }
        // The run's id tells when it started.
        let start = call.run.0.get_timestamp().map_or(Duration::ZERO, |timestamp| {
            let (seconds, nanoseconds) = timestamp.to_unix();
            Duration::new(seconds, nanoseconds)
        });
        if plugin.imports.world < World::Http {
            Self::Virtual { start, reads: Arc::default() }
        } else {
            Self::Moving { start, since: Instant::now() }
        }
    }

    /// Since the attempt began, by this clock.
    fn elapsed(&self) -> Duration {
        match self {
            Self::Virtual { reads, .. } => {
                STEP.saturating_mul(u32::try_from(reads.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX))
            }
            Self::Moving { since, .. } | Self::Machine { since } => since.elapsed(),
        }
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        STEP
    }

    fn now(&self) -> Duration {
        match self {
            Self::Virtual { start, .. } | Self::Moving { start, .. } => *start + self.elapsed(),
            // Asked anew each time: whoever sets the machine's clock is followed.
            Self::Machine { .. } => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
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
