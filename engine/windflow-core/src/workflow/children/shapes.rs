//! What the workflows that a workflow runs give back, and whether its expressions read that.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::{Node, Workflow};
use super::given;
use crate::expression::Target;
use crate::id::NodeId;
use crate::manifest::DEFAULT_PORT;
use crate::plan::{FiresOn, dependencies};
use crate::problem::Problem;

/// The JSON Schemas of what nodes that run workflows put out, and of the inputs.
pub(super) struct Shapes {
    inputs: Value,
    outputs: HashMap<NodeId, Value>,
}

impl Shapes {
    pub(super) fn of(workflow: &Workflow) -> Self {
        Self { inputs: given::inputs(workflow), outputs: HashMap::new() }
    }

    /// Adds what a node puts out that runs a workflow: its outputs and nothing else, with the types that are declared.
    pub(super) fn add(&mut self, node: &Node, child: &Workflow) {
        let of = |typed: &super::super::Typed| typed.schema.clone();
        let outputs = child
            .outputs
            .iter()
            .map(|(name, output)| (name.clone(), output.typed.as_ref().map_or_else(|| json!({}), of)));
        let outputs = outputs.collect::<Map<_, _>>();
        let one = json!({ "type": "object", "properties": outputs, "additionalProperties": false });
        let shape = if node.for_each.is_some() { json!({ "type": "array", "items": one }) } else { one };
        self.outputs.insert(node.id.value.clone(), shape);
    }

    /// What is known of what a node reads; of what the outputs read where there is none.
    pub(super) fn seen_by<'a>(
        &'a self,
        workflow: &'a Workflow,
        node: Option<&'a Node>,
    ) -> impl Fn(&Target) -> Option<Cow<'a, Value>> + 'a {
        let source = node.and_then(|node| only_source(workflow, node));
        move |target| match target {
            Target::Inputs(_) => Some(Cow::Borrowed(&self.inputs)),
            Target::Output(id) => self.outputs.get(id).map(Cow::Borrowed),
            Target::Input => self.outputs.get(source.as_ref()?).map(Cow::Borrowed),
            Target::ItemIndex => Some(Cow::Owned(json!({ "type": "integer" }))),
            Target::RunId | Target::Callback(_) => Some(Cow::Owned(json!({ "type": "string" }))),
            Target::Status(_) | Target::Item | Target::Error(_) | Target::Trigger => None,
        }
    }

    /// Finds every expression that reads what no child gives back.
    pub(super) fn check(&self, workflow: &Workflow, problems: &mut Vec<Problem>) {
        if self.outputs.is_empty() {
            return;
        }
        for node in workflow.nodes.values() {
            let seen = self.seen_by(workflow, Some(node));
            node.with.misread(&seen, problems);
            if let Some(condition) = &node.condition {
                let _ = condition.value.shape(&seen, problems);
            }
            if let Some(each) = &node.for_each {
                each.items.misread(&seen, problems);
            }
        }
        let seen = self.seen_by(workflow, None);
        for output in workflow.outputs.values() {
            output.value.misread(&seen, problems);
        }
    }
}

/// The node whose output is a node's `input`, where there is one only, and it is an output that comes.
fn only_source(workflow: &Workflow, node: &Node) -> Option<NodeId> {
    let undone = |other: &&Node| other.compensate.as_ref().is_some_and(|by| by.value == node.id.value);
    if node.compensates {
        // What could not be told of a node's outcome has no output.
        return workflow.nodes.values().find(undone).map(|undone| undone.id.value.clone());
    }
    let mut needs = dependencies(workflow, node).into_iter().filter(|dependency| dependency.is_need);
    let only = needs.next().filter(|_| needs.next().is_none())?;
    let is_output = match &only.fires_on {
        FiresOn::Success => true,
        FiresOn::Port(port) => port.as_str() == DEFAULT_PORT,
        FiresOn::Error | FiresOn::Settled => false,
    };
    is_output.then_some(only.on_node)
}
