//! What those who watch a run hear.

use std::sync::Arc;

use tokio::sync::broadcast;
use windflow_core::id::NodeId;
use windflow_core::ports::host::LogLevel;
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
