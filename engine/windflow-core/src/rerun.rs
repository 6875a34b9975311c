//! Which results of a run another run can take over, and why not the others.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::id::NodeId;
use crate::plan::{NodeIndex, Plan, PlanNode};
use crate::run::{Emitted, NodeState, RunState};
use crate::yaml;

/// What becomes of each node in the new run, in the order of the new file.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The nodes.
    pub nodes: IndexMap<NodeId, Fate>,
}

impl Verdict {
    /// What is taken over.
    #[must_use]
    pub fn reused(&self) -> BTreeMap<NodeId, Emitted> {
        let reused = self.nodes.iter().filter_map(|(id, fate)| match fate {
            Fate::Reused(emitted) => Some((id.clone(), emitted.clone())),
            Fate::Decided | Fate::Again(_) => None,
        });
        reused.collect()
    }
}

/// What becomes of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// Its output is taken over.
    Reused(Emitted),
    /// It did not run, and what decided that is the same: it is decided again, as before.
    Decided,
    /// It runs again.
    Again(Why),
}

/// Why a node runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Somebody wants it.
    Asked,
    /// It did not succeed before; how it stood.
    Unfinished(&'static str),
    /// It is not as it was: its type, configuration, condition, items or edges differ.
    Changed,
    /// The workflow had no such node.
    New,
    /// It succeeded, and the run undid it: what it gave is not there any more.
    Undone,
    /// It follows a node that runs again.
    Follows(NodeId),
    /// It shares the files of the run with a node that runs again, and those of the old run are gone.
    Files,
}

/// A run that is to be repeated.
pub struct Old<'a> {
    /// Its document, as text.
    pub document: &'a str,
    /// Its plan.
    pub plan: &'a Plan,
    /// How it stands.
    pub state: &'a RunState,
}

/// Judges what a new run of a document can take over from an old run with the same inputs. `from` run again whatever they
/// did; with nothing in it that is decided by the old run alone: what did not succeed runs again, and in a run that
/// succeeded everything does, unless `keep_unchanged` says that what is as it was is taken over all the same.
#[must_use]
pub fn judge(old: &Old<'_>, document: &str, plan: &Plan, from: &[NodeId], keep_unchanged: bool) -> Verdict {
    let (before, now) = (logic(old.document), logic(document));
    let mut order: Vec<(NodeIndex, &PlanNode)> = plan.nodes().collect();
    order.sort_by_key(|(_, node)| node.rank);
    let all_again = from.is_empty() && !keep_unchanged && !any_unfinished(old);
    let edges = incoming(plan);
    let judge_all = |without_files: bool| {
        let mut fates: Vec<Option<Fate>> = vec![None; order.len()];
        for (index, node) in &order {
            let follows = edges[index.0 as usize].iter().find(|from| runs_again(&fates[from.0 as usize]));
            let fate = if all_again || from.contains(&node.id) {
                Fate::Again(Why::Asked)
            } else if let Some(from) = follows {
                Fate::Again(Why::Follows(plan.node(*from).id.clone()))
            } else if !before.contains_key(node.id.as_str()) {
                Fate::Again(Why::New)
            } else if before.get(node.id.as_str()) != now.get(node.id.as_str()) || component_changed(old, node) {
                Fate::Again(Why::Changed)
            } else {
                match as_before(old, node) {
                    Fate::Reused(_) if without_files && node.files => Fate::Again(Why::Files),
                    fate => fate,
                }
            };
            fates[index.0 as usize] = Some(fate);
        }
        fates
    };
    let mut fates = judge_all(false);
    if wants_files(plan, &fates) {
        fates = judge_all(true);
    }
    let nodes = plan.nodes().zip(fates).filter(|((_, node), _)| !node.compensates);
    Verdict { nodes: nodes.filter_map(|((_, node), fate)| Some((node.id.clone(), fate?))).collect() }
}

fn runs_again(fate: &Option<Fate>) -> bool {
    matches!(fate, Some(Fate::Again(_)))
}

/// Whether anything that runs anew may look for files that the old run had. They went with it, so that whatever shares files
/// then runs again as well. What undoes others runs where anything may fail.
fn wants_files(plan: &Plan, fates: &[Option<Fate>]) -> bool {
    let any = fates.iter().any(runs_again);
    plan.nodes().zip(fates).any(|((_, node), fate)| node.files && (runs_again(fate) || (node.compensates && any)))
}

fn any_unfinished(old: &Old<'_>) -> bool {
    let mut nodes = old.plan.nodes().filter(|(_, node)| !node.compensates);
    nodes.any(|(index, _)| !matches!(old.state.node(index).state, NodeState::Succeeded { .. } | NodeState::Skipped(_)))
}

fn as_before(old: &Old<'_>, node: &PlanNode) -> Fate {
    let index = old.plan.index(&node.id);
    let undone = index.and_then(|index| old.plan.node(index).compensate);
    match index.map(|index| &old.state.node(index).state) {
        Some(NodeState::Succeeded { .. }) if undone.is_some_and(|by| old.state.node(by).attempts > 0) => {
            Fate::Again(Why::Undone)
        }
        Some(NodeState::Succeeded { port, output }) => {
            Fate::Reused(Emitted { port: port.clone(), output: output.clone() })
        }
        Some(NodeState::Skipped(_)) => Fate::Decided,
        Some(other) => Fate::Again(Why::Unfinished(other.word())),
        None => Fate::Again(Why::New),
    }
}

fn component_changed(old: &Old<'_>, node: &PlanNode) -> bool {
    let before = old.plan.index(&node.id).map(|index| old.plan.node(index).component);
    before != Some(node.component)
}

/// For each node the nodes that it waits for.
fn incoming(plan: &Plan) -> Vec<Vec<NodeIndex>> {
    let mut incoming = vec![Vec::new(); plan.nodes().len()];
    for (from, node) in plan.nodes() {
        for edge in &node.out {
            incoming[edge.to.0 as usize].push(from);
        }
    }
    incoming
}

/// What of each node decides its output, without the places and the order in which it is written.
fn logic(document: &str) -> BTreeMap<String, Value> {
    const WITHOUT: [&str; 7] =
        ["title", "retry", "timeout", "on_unknown", "compensate", "concurrency", "on_item_error"];
    let (root, _) = yaml::parse(document, yaml::Limits::default());
    let mut document = root.map(|root| root.to_json()).unwrap_or_default();
    let Some(Value::Object(nodes)) = document.get_mut("nodes").map(Value::take) else { return BTreeMap::new() };
    let strip = |(id, mut node): (String, Value)| {
        if let Some(fields) = node.as_object_mut() {
            WITHOUT.iter().for_each(|key| drop(fields.remove(*key)));
        }
        (id, node)
    };
    nodes.into_iter().map(strip).collect()
}
