//! How targets are, as whoever watches them is told, and how often they are asked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use windflow_core::run::Timestamp;

use crate::driver::{DriverError, Facts};

/// How often a target is asked what is used on it. What begins and ends there is told by itself.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(60);

/// The time from the first sample to the second: what is computed is what happens in between.
pub const FIRST_SAMPLES: Duration = Duration::from_secs(5);

/// How often it is asked how much of its disk is used, which engines count anew each time.
pub const DISK_EVERY: Duration = Duration::from_secs(600);

/// The longest pause before a target that is gone is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What containers have used until now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Nanoseconds of computing by container.
    pub computed: BTreeMap<String, u64>,
    /// Bytes of memory, what could be given up at any time apart.
    pub memory: u64,
}

impl Sample {
    /// How many cores were kept busy since an earlier sample. A container that began in between counts with what it has used since;
    /// what one that has ended had used is not known.
    #[must_use]
    pub fn cores_since(&self, before: &Self, elapsed: Duration) -> Option<f64> {
        if elapsed.is_zero() {
            return None;
        }
        let used = self.computed.iter().map(|(container, now)| {
            let then = before.computed.get(container).copied().unwrap_or(0);
            // One that was started again begins at nothing.
            if *now < then { *now } else { now - then }
        });
        #[expect(clippy::cast_precision_loss, reason = "a share, of which nobody reads the tenth digit")]
        let nanoseconds = used.fold(0u64, u64::saturating_add) as f64;
        Some(nanoseconds / 1e9 / elapsed.as_secs_f64())
    }
}

/// What is used on a target, by its containers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Cores that are kept busy, on average since the sample before; none where there is no such.
    pub cores: Option<f64>,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of the disk: images, containers, volumes; none where it was not counted.
    pub disk: Option<u64>,
}

/// Whether a target answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// It is being tried for the first time.
    Checking,
    /// It answers.
    Reached,
    /// It does not, and is tried again from time to time.
    Unreached,
}

impl Reach {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Reached => "reached",
            Self::Unreached => "unreached",
        }
    }
}

/// How a target is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub target: String,
    /// Whether it answers.
    pub status: Reach,
    /// Since when.
    pub since: Timestamp,
    /// What it is like; the last that is known, where it does not answer now.
    pub facts: Option<Facts>,
    /// What is used on it.
    pub usage: Option<Usage>,
    /// Why it does not answer.
    pub error: Option<DriverError>,
}

/// How long to wait before a target that has failed so often in a row is tried again: longer each time, and not all at once.
#[must_use]
pub fn pause(target: &str, failures: u32) -> Duration {
    let seconds = 1u64 << failures.min(6);
    let longest = Duration::from_secs(seconds).min(LONGEST_PAUSE);
    // From three quarters to the whole of it, by its name: chance is not needed to keep many apart.
    let spread =
        target.bytes().fold(u32::from(failures == 0), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 256;
    longest.mul_f64(0.75 + f64::from(spread) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_computed_is_what_was_used_in_between() {
        let sample = |used: &[(&str, u64)]| Sample {
            computed: used.iter().map(|(name, seconds)| ((*name).to_owned(), seconds * 1_000_000_000)).collect(),
            memory: 0,
        };
        let before = sample(&[("a", 100), ("restarted", 50), ("ended", 7)]);
        let after = sample(&[("a", 104), ("restarted", 1), ("new", 5)]);
        assert_eq!(after.cores_since(&before, Duration::from_secs(10)), Some(1.0));
        assert_eq!(after.cores_since(&before, Duration::ZERO), None);
        assert_eq!(sample(&[]).cores_since(&before, Duration::from_secs(1)), Some(0.0));
    }

    #[test]
    fn who_is_gone_is_asked_less_and_less_and_not_with_all_others() {
        let pauses: Vec<_> = (0..40).map(|failures| pause("edge", failures)).collect();
        assert!(pauses.windows(2).take(6).all(|pair| pair[0] < pair[1]), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause >= Duration::from_millis(700) && *pause <= LONGEST_PAUSE));
        let many: std::collections::BTreeSet<_> = (0..200).map(|at| pause(&format!("edge-{at}"), 6)).collect();
        assert!(many.len() > 50, "they are asked at {} moments", many.len());
    }
}
