//! Lines for the log of the node run, bounded in number and size.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windflow_core::id::NodeId;
use windflow_core::ports::host::{Call, LogLevel, Observer};

use super::credentials::Scrubber;
use super::{clean, cut};
use crate::limits::Limits;

/// Bytes kept of what a guest printed to standard error, to explain a trap.
const TRACE_BYTES: usize = 2 << 10;

/// Passes on lines until the bounds are reached, then counts what it drops. A flood of lines is no failure: the work may
/// be fine, and its author sees in the last line what happened.
pub(crate) struct Log {
    observer: Arc<dyn Observer>,
    node: NodeId,
    attempt: u32,
    line_bytes: usize,
    /// Blots out the attempt's credential, where it has one.
    scrubber: Option<Arc<Scrubber>>,
    // The guest's standard error writes here as well, through streams that wasmtime owns.
    gate: Mutex<Gate>,
}

struct Gate {
    lines_left: u32,
    bytes_left: usize,
    dropped: u64,
    last_error: Option<String>,
}

impl Log {
    pub(crate) fn new(call: &Call, scrubber: Option<Arc<Scrubber>>, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            observer: Arc::clone(&call.observer),
            node: call.node.clone(),
            attempt: call.attempt,
            line_bytes: limits.line_bytes,
            scrubber,
            gate: Mutex::new(Gate {
                lines_left: limits.log_lines,
                bytes_left: limits.log_bytes,
                dropped: 0,
                last_error: None,
            }),
        })
    }

    /// One that nobody hears, for tests of what writes into it.
    #[cfg(test)]
    pub(crate) fn unheard() -> Arc<Self> {
        struct Nobody;
        impl Observer for Nobody {
            fn log(&self, _: &NodeId, _: u32, _: LogLevel, _: &str) {}
            fn progress(&self, _: &NodeId, _: u32, _: Option<f64>, _: &str) {}
        }
        let gate = Gate { lines_left: 0, bytes_left: 0, dropped: 0, last_error: None };
        let node = "node".parse().unwrap();
        Arc::new(Self {
            observer: Arc::new(Nobody),
            node,
            attempt: 1,
            line_bytes: 0,
            scrubber: None,
            gate: Mutex::new(gate),
        })
    }

    /// A line that the guest logged.
    pub(crate) fn line(&self, level: LogLevel, message: &str) {
        let line = self.fit(message);
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if level == LogLevel::Error {
            // Kept even where the line itself is dropped: it is what a panic says before it stops the guest.
            gate.last_error = Some(line.clone().into_owned());
        }
        self.pass(gate, level, &line);
    }

    /// A line that the guest printed. A panic or traceback on standard error has several lines: the last ones are kept.
    pub(crate) fn printed(&self, level: LogLevel, message: &str) {
        let line = self.fit(message);
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if level >= LogLevel::Warn {
            let kept = gate.last_error.get_or_insert_default();
            if kept.len() + line.len() > TRACE_BYTES {
                kept.clear();
            }
            if !kept.is_empty() {
                kept.push('\n');
            }
            kept.push_str(cut(&line, TRACE_BYTES));
        }
        self.pass(gate, level, &line);
    }

    /// The line as it may be shown. Blotted out before it is cut, so that no half of a value is left.
    fn fit<'a>(&self, message: &'a str) -> Cow<'a, str> {
        match &self.scrubber {
            Some(scrubber) => {
                let scrubbed = scrubber.text(message.to_owned());
                Cow::Owned(clean(cut(&scrubbed, self.line_bytes)).into_owned())
            }
            None => clean(cut(message, self.line_bytes)),
        }
    }

    fn pass(&self, mut gate: MutexGuard<'_, Gate>, level: LogLevel, line: &str) {
        if gate.lines_left == 0 || gate.bytes_left < line.len() {
            gate.lines_left = 0;
            gate.dropped += 1;
            return;
        }
        gate.lines_left -= 1;
        gate.bytes_left -= line.len();
        drop(gate);
        self.observer.log(&self.node, self.attempt, level, line);
    }

    /// Says how many lines were dropped, if any.
    pub(crate) fn finish(&self) {
        let dropped = std::mem::take(&mut self.gate.lock().unwrap_or_else(PoisonError::into_inner).dropped);
        if dropped > 0 {
            let note =
                format!("{dropped} more lines were dropped: the attempt reached its limit of log lines or bytes");
            self.observer.log(&self.node, self.attempt, LogLevel::Warn, &note);
        }
    }

    /// The last line of level error: in a trap, what the panic said.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).last_error.take()
    }
}
