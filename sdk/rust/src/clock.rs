//! The time of the machine, with the feature `clock`. The manifest has to say `clock = true` and the workflow to grant it; a node
//! type that asks is not pure, and gives something else each time that it runs.
//!
//! In cases (`windflow plugins test`, `windflow test`) it is the time of the case, which begins at 2026-01-01T00:00:00Z.

use std::time::Duration;

/// The time since 1970-01-01T00:00:00Z. Somebody may set the machine's clock meanwhile: what took how long is told by
/// [`elapsed`].
#[must_use]
pub fn now() -> Duration {
    source::now()
}

/// The time since some instant before the first call; it never goes back.
#[must_use]
pub fn elapsed() -> Duration {
    source::elapsed()
}

#[cfg(target_arch = "wasm32")]
mod source {
    use std::time::Duration;

    use wasip2::clocks::{monotonic_clock, wall_clock};

    pub(super) fn now() -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    pub(super) fn elapsed() -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod source {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    pub(super) fn now() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    pub(super) fn elapsed() -> Duration {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        BEGAN.get_or_init(Instant::now).elapsed()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_passes() {
        let (now, elapsed) = (super::now(), super::elapsed());
        assert!(now.as_secs() > 1_700_000_000, "{now:?}");
        assert!(super::elapsed() >= elapsed);
    }
}
