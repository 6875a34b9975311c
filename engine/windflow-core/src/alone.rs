//! One node of a workflow as a workflow of its own: how a node is tried without what comes before it.
//!
//! What the node reads of others is given. Each of those is stood in for by a node that never runs, since the run that this
//! document is for has its output from the start.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::expression::Target;
use crate::id::NodeId;
use crate::plan::{dependencies, references};
use crate::problem::{Problem, did_you_mean};
use crate::workflow::Workflow;
use crate::yaml;

/// A workflow of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The document, which is JSON.
    pub document: String,
    /// The nodes whose outputs have to be given, in the order of the workflow.
    pub stand_ins: Vec<NodeId>,
    /// The one of them whose output is the node's `input`, where that is given apart from them.
    pub input: Option<NodeId>,
}

/// What a stand-in is; it never runs.
const STAND_IN: &str = "wait@1";

/// Left out of the node: what decides whether and how often it runs, since it is to run now.
const LEFT_OUT: [&str; 5] = ["if", "disabled", "compensate", "retry", "join"];

/// What of the workflow holds for the node as well.
const KEPT: [&str; 3] = ["windflow", "name", "permissions"];

/// The workflow of one node. `with_input`: its `input` is given apart from what others put out.
///
/// # Errors
/// The first problem of a document that cannot be read, or that the workflow has no such node.
pub fn alone(document: &str, node: &str, with_input: bool) -> Result<Alone, Problem> {
    let (workflow, problems) = Workflow::parse(document);
    let unreadable = || Problem::document("unreadable", "the text is no workflow");
    if let Some(problem) = problems.iter().find(|problem| problem.is_error()) {
        return Err(problem.clone());
    }
    let workflow = workflow.ok_or_else(unreadable)?;
    let Some((id, wanted)) = workflow.nodes.get_key_value(node) else {
        let hint = did_you_mean(node, workflow.nodes.keys().map(NodeId::as_str));
        let message = format!("the workflow has no node `{node}`");
        return Err(Problem::document("unknown_node", message).remedy_if(hint));
    };
    let root = yaml::parse(document, yaml::Limits::default()).0.ok_or_else(unreadable)?.to_json();
    let mut alone: Map<String, Value> =
        KEPT.iter().filter_map(|key| Some(((*key).to_owned(), root.get(key)?.clone()))).collect();
    if let Some(inputs) = root.get("inputs") {
        alone.insert("inputs".to_owned(), inputs.clone());
    }
    let mut fields = root["nodes"][node].as_object().cloned().ok_or_else(unreadable)?;
    LEFT_OUT.iter().for_each(|key| drop(fields.remove(*key)));

    let undone = workflow.nodes.iter().find(|(_, other)| other.compensate.as_ref().is_some_and(|by| by.value == *id));
    let depends: BTreeSet<&NodeId> = undone.map(|(undone, _)| undone).into_iter().collect();
    let dependencies = dependencies(&workflow, wanted);
    let depends: BTreeSet<&NodeId> = depends.into_iter().chain(dependencies.iter().map(|on| &on.on_node)).collect();
    let mut stand_ins: Vec<NodeId> = workflow.nodes.keys().filter(|id| depends.contains(id)).cloned().collect();
    let mut input = None;
    if with_input {
        let given = free_name(&workflow).ok_or_else(unreadable)?;
        fields.insert("needs".to_owned(), json!([given]));
        stand_ins.push(given.clone());
        input = Some(given);
    } else if let Some((undone, _)) = undone {
        fields.insert("needs".to_owned(), json!([undone]));
    } else if wanted.needs.is_some() {
        let needed: BTreeSet<&NodeId> = dependencies.iter().filter(|on| on.is_need).map(|on| &on.on_node).collect();
        // Without a port: what stands in for a node is not asked how it ended.
        let needs: Vec<&NodeId> = stand_ins.iter().filter(|id| needed.contains(id)).collect();
        fields.insert("needs".to_owned(), json!(needs));
    }
    let mut nodes: Map<String, Value> = stand_ins
        .iter()
        .map(|id| (id.to_string(), json!({ "uses": STAND_IN, "with": { "for": "1s" }, "needs": [] })))
        .collect();
    // Who is only asked for its address does not run either.
    for reference in references(wanted) {
        if let Target::Callback(asked) = &reference.target {
            let given = nodes.contains_key(asked.as_str());
            let stand_in = if given {
                json!({ "uses": "callback@1", "needs": [] })
            } else {
                json!({ "uses": "callback@1", "disabled": true })
            };
            nodes.insert(asked.to_string(), stand_in);
        }
    }
    nodes.insert(node.to_owned(), Value::Object(fields));
    alone.insert("nodes".to_owned(), Value::Object(nodes));
    Ok(Alone { document: Value::Object(alone).to_string(), stand_ins, input })
}

/// A name that no node has.
fn free_name(workflow: &Workflow) -> Option<NodeId> {
    let names = (0..=workflow.nodes.len())
        .map(|number| if number == 0 { "given".to_owned() } else { format!("given_{number}") });
    names.filter(|name| !workflow.nodes.contains_key(name.as_str())).find_map(|name| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "windflow: 1\nname: a\ninputs: { n: { type: integer } }\ntriggers: {}\nnodes:\n  \
        first: { uses: http@1, with: { url: \"${{ inputs.n }}\" }, compensate: undo }\n  \
        second: { uses: log@1, needs: [first.error], if: false, retry: {}, with: { message: \"${{ nodes.other.output }}\" } }\n  \
        other: { uses: log@1, with: { message: hi } }\n  undo: { uses: log@1, with: { message: \"${{ input }}\" } }\n\
        outputs: { x: \"${{ nodes.second.output }}\" }\n";

    fn of(node: &str, with_input: bool) -> (Value, Vec<String>) {
        let alone = alone(TEXT, node, with_input).unwrap();
        let (workflow, problems) = Workflow::parse(&alone.document);
        assert!(workflow.is_some() && problems.is_empty(), "{problems:?} in {}", alone.document);
        let stand_ins = alone.stand_ins.iter().map(ToString::to_string).collect();
        (serde_json::from_str(&alone.document).unwrap(), stand_ins)
    }

    #[test]
    fn what_a_node_reads_is_stood_in_for() {
        let (document, stand_ins) = of("second", false);
        assert_eq!(stand_ins, ["first", "other"]);
        assert_eq!(document["nodes"]["first"], json!({ "uses": STAND_IN, "with": { "for": "1s" }, "needs": [] }));
        let second = json!({ "uses": "log@1", "needs": ["first"], "with": { "message": "${{ nodes.other.output }}" } });
        assert_eq!(document["nodes"]["second"], second);
        assert_eq!((document.get("outputs"), document.get("triggers")), (None, None));
        assert_eq!(of("other", false).1, Vec::<String>::new());
    }

    #[test]
    fn an_input_may_be_given_instead() {
        let (document, stand_ins) = of("second", true);
        assert_eq!(stand_ins, ["first", "other", "given"]);
        assert_eq!(document["nodes"]["second"]["needs"], json!(["given"]));
    }

    #[test]
    fn a_node_that_undoes_reads_what_it_undoes() {
        let (document, stand_ins) = of("undo", false);
        assert_eq!((stand_ins, &document["nodes"]["undo"]["needs"]), (vec!["first".to_owned()], &json!(["first"])));
        assert_eq!(of("first", false).0["nodes"]["first"].get("compensate"), None);
    }

    #[test]
    fn a_node_that_is_not_there_is_told() {
        let problem = alone(TEXT, "secnd", false).unwrap_err();
        assert_eq!(problem.code, "unknown_node");
        assert!(problem.remedy.unwrap().contains("second"));
        assert_eq!(alone("name: [", "a", false).unwrap_err().code, alone("name: [", "b", true).unwrap_err().code);
    }
}
