//! The plan: a workflow compiled into a graph that a run can be driven by.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::expression::{Expression, Template};
use crate::id::{Digest, NodeId, NodeTypeRef, PortName};
use crate::native::Native;
use crate::workflow::{ForEach, Join, OnUnknown, Output, Retry};

pub use self::build::{PlanError, build, ports};
pub use self::graph::{Dependency, dependencies, find_cycle};

pub(crate) use self::graph::references;

mod build;
mod graph;

/// Number of a node in its plan: its position in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

/// A compiled, validated graph. It is made from a document and the installed node types alone, so that the same document
/// always gives the same plan.
#[derive(Debug)]
pub struct Plan {
    nodes: Vec<PlanNode>,
    by_id: IndexMap<NodeId, NodeIndex>,
    outputs: IndexMap<String, Output>,
    timeout: Option<Duration>,
}

impl Plan {
    /// The node of that number.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &PlanNode {
        // Numbers are made by `build` only, one for each node.
        &self.nodes[index.0 as usize]
    }

    /// The number of the node with that name.
    #[must_use]
    pub fn index(&self, id: &NodeId) -> Option<NodeIndex> {
        self.by_id.get(id).copied()
    }

    /// All nodes in the order of the file.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeIndex, &PlanNode)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeIndex(u32::try_from(index).unwrap_or(u32::MAX)), node))
    }

    /// The longest that a run may take.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What the workflow gives back.
    #[must_use]
    pub fn outputs(&self) -> &IndexMap<String, Output> {
        &self.outputs
    }
}

/// A node of a plan, with everything that is known before the run.
#[derive(Debug)]
pub struct PlanNode {
    /// Its name.
    pub id: NodeId,
    /// The node type.
    pub uses: NodeTypeRef,
    /// The component behind it.
    pub component: Digest,
    /// Which of the engine's own node types it is of, if of one.
    pub native: Option<Native>,
    /// Whether it is deterministic, so that its attempts need no durable start.
    pub pure: bool,
    /// Whether it shares the files of the run: reads or writes them, or has them handed to a target.
    pub files: bool,
    /// The ports that it may emit on.
    pub ports: Arc<[PortName]>,
    /// Its configuration, with the schema's defaults.
    pub with: Template,
    /// Whether it runs once it could.
    pub condition: Option<Expression>,
    /// What it runs for each of.
    pub for_each: Option<ForEach>,
    /// The node that undoes it.
    pub compensate: Option<NodeIndex>,
    /// Whether it only ever undoes another.
    pub compensates: bool,
    /// Its place in the order in which nodes wait for each other.
    pub rank: u32,
    /// How many of its edges must fire.
    pub join: Join,
    /// How it is tried again.
    pub retry: Option<Retry>,
    /// The longest that an attempt may take.
    pub timeout: Option<Duration>,
    /// What becomes of attempts whose outcome is unknown.
    pub on_unknown: OnUnknown,
    /// It is skipped.
    pub disabled: bool,
    /// The edges that it starts on.
    pub needs: Vec<InEdge>,
    /// How many nodes it waits for without needing them to succeed.
    pub waits: u32,
    /// The edges that leave it.
    pub out: Vec<OutEdge>,
    /// Whether something listens to its `error` port, so that its failure does not fail the run.
    pub handles_error: bool,
}

/// An edge, seen from the node that listens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InEdge {
    /// Where it comes from.
    pub from: NodeIndex,
    /// What makes it fire.
    pub on: FiresOn,
}

/// An edge, seen from the node that it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutEdge {
    /// Where it goes.
    pub to: NodeIndex,
    /// What makes it fire.
    pub on: FiresOn,
    /// Its position in the target's `needs`; none for edges that only order.
    pub need: Option<u32>,
}

/// What makes an edge fire. One that can no longer fire is dead.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FiresOn {
    /// Success, on whichever port.
    Success,
    /// Success on this port.
    Port(PortName),
    /// Failure for good.
    Error,
    /// Anything: the target only refers to the source's output, and waits until it is known.
    Settled,
}
