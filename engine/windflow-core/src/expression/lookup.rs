//! Where expressions get their values from.

use serde_json::Value;

use crate::id::NodeId;
use crate::json::Json;

/// What came over the edges that started a node.
#[derive(Debug, Clone, Default)]
pub enum Incoming<'a> {
    /// The node needs nothing; `input` is null.
    #[default]
    Nothing,
    /// It needs one node: `input` is that node's output.
    One(&'a Json),
    /// It needs several: `input` is an object of their outputs by node id.
    Several(Vec<(&'a NodeId, &'a Json)>),
}

/// What expressions read from. Only what an expression names is asked for.
pub trait Lookup {
    /// The run's inputs, defaults filled in: an object.
    fn inputs(&self) -> &Value;

    /// What came over the edges that started the node.
    fn input(&self) -> Incoming<'_> {
        Incoming::Nothing
    }

    /// The item that a node with `for_each:` is running for, and its place in the list.
    fn item(&self) -> Option<(&Value, u32)> {
        None
    }

    /// The output of a node that succeeded; nothing (read as null) where it did not run or failed.
    fn node_output(&self, _node: &NodeId) -> Option<&Json> {
        None
    }

    /// The failure of a node that failed, as its `error` port emits it; nothing (read as null) otherwise.
    fn node_error(&self, _node: &NodeId) -> Option<Value> {
        None
    }

    /// `succeeded`, `failed`, `skipped`, `cancelled`; nothing (read as null) where it has not settled.
    fn node_status(&self, _node: &NodeId) -> Option<&str> {
        None
    }

    /// The address at which a system reports back to a `callback` node, whether it has begun or not.
    fn callback(&self, _node: &NodeId) -> Option<String> {
        None
    }

    /// The run's id.
    fn run_id(&self) -> Option<String> {
        None
    }

    /// What started the run: the trigger's data.
    fn trigger(&self) -> Option<&Value> {
        None
    }
}

/// Inputs and nothing else: the scope of permissions.
impl Lookup for Value {
    fn inputs(&self) -> &Value {
        self
    }
}
