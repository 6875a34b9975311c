//! How a run stands after the events so far.

use std::collections::BTreeSet;

use super::items::Items;
use super::{Effect, EndStatus, RunFailure, RunStarted, SkipReason, Timestamp, Wait};
use crate::failure::Failure;
use crate::id::PortName;
use crate::json::Json;
use crate::plan::{NodeIndex, Plan};

/// The state of a run: what [`apply`](super::apply) folds events into.
///
/// What the run owes is kept as open obligations. [`RunState::take_effects`] hands out each once; a state that was just
/// replayed has handed out none, so that recovery asks for the same effects in the same way as the live run did.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) phase: Phase,
    pub(super) started: Option<Box<RunStarted>>,
    pub(super) started_at: Timestamp,
    pub(super) nodes: Vec<NodeRun>,
    /// Nodes that may still come to something: neither settled nor given up.
    pub(super) unsettled: u32,
    /// Attempts whose start is recorded and whose end is not.
    pub(super) running: u32,
    pub(super) due: BTreeSet<Obligation>,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Nothing is recorded yet.
    New,
    /// Nodes start as their needs are met.
    Running,
    /// A failure is unhandled: nothing starts any more, what is in flight settles.
    Failing(RunFailure),
    /// Somebody asked to stop: nothing starts any more, what is in flight is told to end.
    Cancelling,
    /// What was done is being undone, one `compensate:` node after the other.
    Compensating {
        /// Why.
        cause: Cause,
        /// The compensations that are still to come, the next one last.
        left: Vec<NodeIndex>,
    },
    /// Over.
    Ended {
        /// How.
        status: EndStatus,
        /// What it gave back.
        outputs: Option<Json>,
        /// Why it failed.
        failure: Option<RunFailure>,
    },
}

/// Why a run does not succeed.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// A failure is unhandled.
    Failed(RunFailure),
    /// Somebody asked to stop.
    Cancelled,
}

/// A node, or one item of a node that runs for each of several: what attempts are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The node.
    pub node: NodeIndex,
    /// The item, from 0.
    pub item: Option<u32>,
}

impl Step {
    /// The node itself.
    #[must_use]
    pub fn of(node: NodeIndex) -> Self {
        Self { node, item: None }
    }
}

/// One node in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRun {
    /// How it stands.
    pub state: NodeState,
    /// The edges that fired, by their position in `needs`, in the order of their firing.
    pub fired: Vec<u32>,
    pub(super) dead: u32,
    pub(super) waits: u32,
    /// Attempts that were begun.
    pub attempts: u32,
    /// When the last attempt ended, or the node was skipped.
    pub settled_at: Option<Timestamp>,
    /// How long the attempts took altogether, in microseconds.
    pub took_us: u64,
    /// Its items, once they are listed.
    pub items: Option<Box<Items>>,
    /// Whether an attempt may have done something although it did not succeed: it was cut off, or does not know.
    pub unknown: bool,
    /// Whether it only ever runs as another's `compensate:`.
    pub(super) compensates: bool,
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeState {
    /// It waits for its needs. In a run that has ended: it was never due.
    Pending,
    /// It will be skipped as soon as that is recorded.
    Skipping(SkipReason),
    /// Its first attempt may begin.
    Ready,
    /// An attempt began.
    Running {
        /// From 1.
        attempt: u32,
        /// What it waits for, where that is all that it does.
        wait: Option<Wait>,
    },
    /// It runs for each of its items.
    Iterating,
    /// An attempt failed, and another may begin at `at`.
    Retrying {
        /// The one to come.
        attempt: u32,
        /// Its earliest beginning.
        at: Timestamp,
        /// Why the last one failed.
        failure: Failure,
    },
    /// It emitted.
    Succeeded {
        /// The port.
        port: PortName,
        /// The value.
        output: Json,
    },
    /// It failed for good.
    Failed(Failure),
    /// It did not run.
    Skipped(SkipReason),
    /// It was stopped.
    Cancelled,
}

impl NodeState {
    /// Whether it will not change any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Succeeded { .. } | Self::Failed(_) | Self::Skipped(_) | Self::Cancelled)
    }

    /// The word for it in interfaces and in `nodes.<id>.status`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Skipping(_) | Self::Skipped(_) => "skipped",
            Self::Ready => "ready",
            Self::Running { wait: Some(_), .. } => "waiting",
            Self::Running { .. } | Self::Iterating => "running",
            Self::Retrying { .. } => "retrying",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Something owed, by a name that stays the same across replays. Their order is the order of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Obligation {
    Cancel(Step),
    Skip(NodeIndex),
    Attempt(Step),
    Finish,
}

impl RunState {
    /// A run of which nothing is recorded yet.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let nodes = plan.nodes().map(|(_, node)| NodeRun {
            state: NodeState::Pending,
            fired: Vec::new(),
            dead: 0,
            waits: node.waits,
            attempts: 0,
            settled_at: None,
            took_us: 0,
            items: None,
            unknown: false,
            compensates: node.compensates,
        });
        let nodes: Vec<_> = nodes.collect();
        let unsettled = nodes.iter().filter(|node| !node.compensates).count();
        Self {
            phase: Phase::New,
            started: None,
            started_at: Timestamp::default(),
            nodes,
            unsettled: u32::try_from(unsettled).unwrap_or(u32::MAX),
            running: 0,
            due: BTreeSet::new(),
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// What it was started with.
    #[must_use]
    pub fn started(&self) -> Option<&RunStarted> {
        self.started.as_deref()
    }

    /// When it began.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How a node stands.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &NodeRun {
        // A state is made for a plan with as many nodes.
        &self.nodes[index.0 as usize]
    }

    pub(super) fn node_mut(&mut self, index: NodeIndex) -> &mut NodeRun {
        &mut self.nodes[index.0 as usize]
    }

    /// The effects that are due and were not handed out before, in a fixed order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.due).into_iter().filter_map(|due| self.effect(due)).collect()
    }

    /// How a node, or an item of it, stands. Items that are not listed are pending.
    #[must_use]
    pub fn step(&self, step: Step) -> &NodeState {
        let node = self.node(step.node);
        match step.item {
            None => &node.state,
            Some(item) => node.items.as_ref().and_then(|items| items.get(item)).unwrap_or(&NodeState::Pending),
        }
    }

    /// Whether attempts of the node may begin: `compensate:` nodes only to undo, all others only before anything failed.
    pub(super) fn may_start(&self, node: NodeIndex) -> bool {
        match self.phase {
            Phase::Running => !self.node(node).compensates,
            Phase::Compensating { .. } => self.node(node).compensates,
            Phase::New | Phase::Failing(_) | Phase::Cancelling | Phase::Ended { .. } => false,
        }
    }

    /// Whether an attempt that was handed out is still wanted. It is not once the run is failing or cancelling and the
    /// attempt has not begun, or once the node settled.
    #[must_use]
    pub fn wants_attempt(&self, step: Step, attempt: u32) -> bool {
        match self.step(step) {
            NodeState::Ready => attempt == 1 && self.may_start(step.node),
            NodeState::Retrying { attempt: next, .. } => *next == attempt && self.may_start(step.node),
            NodeState::Running { attempt: current, .. } => *current == attempt,
            _ => false,
        }
    }

    /// What somebody is asked by a step that waits for the answer.
    #[must_use]
    pub fn question(&self, step: Step) -> Option<(u32, &super::Question)> {
        match self.step(step) {
            NodeState::Running { attempt, wait: Some(Wait::Answer(question)) } => Some((*attempt, question)),
            _ => None,
        }
    }

    /// The steps that wait for an answer, in the order of the file.
    pub fn questions(&self) -> impl Iterator<Item = (Step, &super::Question)> {
        let steps = self.nodes.iter().zip(0..).flat_map(|(run, index)| {
            let node = NodeIndex(index);
            let items = run.items.iter().flat_map(|items| items.open());
            std::iter::once(Step::of(node)).chain(items.map(move |item| Step { node, item: Some(item) }))
        });
        steps.filter_map(|step| self.question(step).map(|(_, question)| (step, question)))
    }

    fn effect(&self, due: Obligation) -> Option<Effect> {
        match due {
            Obligation::Skip(node) => match self.node(node).state {
                NodeState::Skipping(reason) => Some(Effect::Skip { node, reason }),
                _ => None,
            },
            Obligation::Attempt(step) => match *self.step(step) {
                NodeState::Ready => Some(Effect::Attempt { step, attempt: 1, not_before: None, unknown: false }),
                NodeState::Running { attempt, .. } => {
                    Some(Effect::Attempt { step, attempt, not_before: None, unknown: true })
                }
                NodeState::Retrying { attempt, at, .. } => {
                    Some(Effect::Attempt { step, attempt, not_before: Some(at), unknown: false })
                }
                _ => None,
            },
            Obligation::Cancel(step) => match *self.step(step) {
                NodeState::Running { attempt, .. } => Some(Effect::Cancel { step, attempt }),
                _ => None,
            },
            Obligation::Finish => self.verdict().map(|status| Effect::Finish { status }),
        }
    }

    /// How the run ends, if nothing is left to do.
    pub(super) fn verdict(&self) -> Option<EndStatus> {
        match &self.phase {
            Phase::Running if self.unsettled == 0 => Some(EndStatus::Succeeded),
            Phase::Failing(_) if self.running == 0 => Some(EndStatus::Failed),
            Phase::Cancelling if self.running == 0 => Some(EndStatus::Cancelled),
            Phase::Compensating { cause, left } if left.is_empty() => Some(match cause {
                Cause::Failed(_) => EndStatus::Failed,
                Cause::Cancelled => EndStatus::Cancelled,
            }),
            _ => None,
        }
    }
}
