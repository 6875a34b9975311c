//! What a run asks the runtime to do. The core only names it; one `match` in the runtime does it.

use super::{EndStatus, SkipReason, Step, Timestamp};
use crate::plan::NodeIndex;

/// An act that the run is owed.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Record that the node will not run ([`Event::NodeSkipped`](super::Event)).
    Skip {
        /// The node.
        node: NodeIndex,
        /// Why.
        reason: SkipReason,
    },
    /// Make an attempt of the step: before a node's first, ask its `if:` and list its items, where it has any
    /// ([`Event::ItemsListed`](super::Event)); evaluate its configuration; if it has capabilities
    /// record that it starts, durably; run it; record how it ended.
    Attempt {
        /// The node, or one item of it.
        step: Step,
        /// From 1.
        attempt: u32,
        /// Not before this instant.
        not_before: Option<Timestamp>,
        /// The journal says that it began, in a process that is no more: nobody knows how far it came.
        unknown: bool,
    },
    /// End the attempt early and record that ([`Event::AttemptCancelled`](super::Event)), unless it ends by itself first.
    Cancel {
        /// The node, or one item of it.
        step: Step,
        /// From 1.
        attempt: u32,
    },
    /// Record the end of the run ([`Event::RunFinished`](super::Event)), after evaluating the outputs where it succeeded.
    Finish {
        /// How it ended.
        status: EndStatus,
    },
}
