//! What those who watch a run hear.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;
use windflow_core::id::NodeId;
use windflow_core::ports::host::{LogLevel, Observer};
use windflow_core::run::{Question, Record, Sequence};

/// Something that happened in a run. Events are kept; everything else is gone once it was shown.
#[derive(Debug, Clone)]
pub enum Update {
    /// An event was appended. It may not be durable yet.
    Event(Sequence, Arc<Record>),
    /// An attempt begins. Told for pure nodes too, whose beginning no event records.
    Began {
        /// The node.
        node: NodeId,
        /// The item, where it runs for each of several.
        item: Option<u32>,
        /// From 1.
        attempt: u32,
    },
    /// Somebody is asked something; it is durable that they are.
    Asked {
        /// The node.
        node: NodeId,
        /// The item, where it runs for each of several.
        item: Option<u32>,
        /// What is asked.
        question: Question,
    },
    /// Nothing goes on until somebody answers; told once the event with this sequence was the last.
    Idle(Sequence),
    /// A node said something.
    Log {
        /// The node.
        node: NodeId,
        /// From 1.
        attempt: u32,
        /// How grave it is.
        level: LogLevel,
        /// The line.
        message: Arc<str>,
    },
    /// A node told how far it has come.
    Progress {
        /// The node.
        node: NodeId,
        /// From 1.
        attempt: u32,
        /// From 0 to 1 where known.
        fraction: Option<f64>,
        /// What it is at.
        message: Arc<str>,
    },
}

/// Updates that are kept for readers who fall behind.
pub(crate) const UPDATES_KEPT: usize = 4096;

/// Those who watch a run. Room for what they hear takes longer to make than a small run takes, and most runs are watched by
/// nobody: it is made for the first of them.
#[derive(Debug, Default)]
pub(crate) struct Watchers(OnceLock<broadcast::Sender<Update>>);

impl Watchers {
    /// What happens from now on. It ends when the last who can tell something is gone.
    pub(crate) fn watch(&self) -> Updates {
        Updates(self.0.get_or_init(|| broadcast::Sender::new(UPDATES_KEPT)).subscribe())
    }

    /// Tells them something, where there is anybody.
    pub(crate) fn tell(&self, update: impl FnOnce() -> Update) {
        if let Some(watchers) = self.0.get().filter(|watchers| watchers.receiver_count() > 0) {
            // That nobody listens any more is no error.
            let _ = watchers.send(update());
        }
    }
}

impl Observer for Watchers {
    fn log(&self, node: &NodeId, attempt: u32, level: LogLevel, message: &str) {
        self.tell(|| Update::Log { node: node.clone(), attempt, level, message: message.into() });
    }

    fn progress(&self, node: &NodeId, attempt: u32, fraction: Option<f64>, message: &str) {
        self.tell(|| Update::Progress { node: node.clone(), attempt, fraction, message: message.into() });
    }
}

/// A view of a run as it goes on. Bounded: one who reads too slowly misses updates rather than hold up the run.
#[derive(Debug)]
pub struct Updates(pub(crate) broadcast::Receiver<Update>);

impl Updates {
    /// The next update; `Err(n)` says that `n` were missed; nothing once the run is over.
    pub async fn next(&mut self) -> Option<Result<Update, u64>> {
        match self.0.recv().await {
            Ok(update) => Some(Ok(update)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
