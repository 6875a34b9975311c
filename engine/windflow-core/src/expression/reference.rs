//! What expressions read, known before anything runs.

use std::fmt;

use crate::id::NodeId;
use crate::place::Place;

/// Something that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it reads.
    pub target: Target,
    /// Where it says so.
    pub place: Place,
}

impl Reference {
    /// The node that it reads from.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        match &self.target {
            Target::Output(node) | Target::Error(node) | Target::Status(node) => Some(node),
            Target::Inputs(_)
            | Target::Input
            | Target::Item
            | Target::ItemIndex
            // The address is there before the node has begun: reading it waits for nothing.
            | Target::Callback(_)
            | Target::RunId
            | Target::Trigger => None,
        }
    }
}

/// What an expression can read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// `inputs`, or the one that it names.
    Inputs(Option<String>),
    /// `input`: what came over the edge that started the node.
    Input,
    /// `item`: the one that a node with `for_each:` is running for.
    Item,
    /// `item_index`: its place in the list, from 0.
    ItemIndex,
    /// `nodes.<id>.output`.
    Output(NodeId),
    /// `nodes.<id>.error`.
    Error(NodeId),
    /// `nodes.<id>.status`.
    Status(NodeId),
    /// `nodes.<id>.callback`: the address at which a system reports back to it.
    Callback(NodeId),
    /// `run.id`.
    RunId,
    /// `trigger`.
    Trigger,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inputs(None) => f.write_str("inputs"),
            Self::Inputs(Some(name)) => write!(f, "inputs.{name}"),
            Self::Input => f.write_str("input"),
            Self::Item => f.write_str("item"),
            Self::ItemIndex => f.write_str("item_index"),
            Self::Output(node) => write!(f, "nodes.{node}.output"),
            Self::Error(node) => write!(f, "nodes.{node}.error"),
            Self::Status(node) => write!(f, "nodes.{node}.status"),
            Self::Callback(node) => write!(f, "nodes.{node}.callback"),
            Self::RunId => f.write_str("run.id"),
            Self::Trigger => f.write_str("trigger"),
        }
    }
}
