//! How far an attempt has come. Told to people at a bounded rate, never kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use windflow_core::ports::host::Call;

use super::credentials::Scrubber;
use super::{clean, cut};

/// Passes on reports, at most one in each interval; the last one is told when the attempt ends.
pub(crate) struct Progress {
    interval: Duration,
    line_bytes: usize,
    scrubber: Option<Arc<Scrubber>>,
    told: Option<Instant>,
    held_back: Option<(Option<f64>, String)>,
}

impl Progress {
    pub(crate) fn new(interval: Duration, line_bytes: usize, scrubber: Option<Arc<Scrubber>>) -> Self {
        Self { interval, line_bytes, scrubber, told: None, held_back: None }
    }

    pub(crate) fn report(&mut self, call: &Call, fraction: Option<f64>, message: String) {
        let fraction = fraction.filter(|fraction| fraction.is_finite()).map(|fraction| fraction.clamp(0.0, 1.0));
        let message = match &self.scrubber {
            Some(scrubber) => scrubber.text(message),
            None => message,
        };
        let now = Instant::now();
        if self.told.is_some_and(|told| now.duration_since(told) < self.interval) {
            self.held_back = Some((fraction, message));
            return;
        }
        self.told = Some(now);
        self.held_back = None;
        self.tell(call, fraction, &message);
    }

    /// Tells the last report where it was held back.
    pub(crate) fn finish(&mut self, call: &Call) {
        if let Some((fraction, message)) = self.held_back.take() {
            self.tell(call, fraction, &message);
        }
    }

    fn tell(&self, call: &Call, fraction: Option<f64>, message: &str) {
        call.observer.progress(&call.node, call.attempt, fraction, &clean(cut(message, self.line_bytes)));
    }
}
