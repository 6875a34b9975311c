//! Which node waits for which, as a petgraph.

use std::collections::HashSet;

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex as GraphIndex};
use petgraph::visit::EdgeRef;

use super::FiresOn;
use crate::expression::Reference;
use crate::id::NodeId;
use crate::workflow::{Need, Node, Workflow};

/// One thing that a node waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The node that it waits for.
    pub on_node: NodeId,
    /// What of it.
    pub fires_on: FiresOn,
    /// Whether the node starts on this edge; otherwise it only refers to the other's output and waits until it is known.
    pub is_need: bool,
}

/// Everything that a node waits for: its `needs`, then what its expressions refer to. Without `needs`, what the
/// expressions refer to is what it needs. Names that no node has are left out; validation reports them. A node that undoes
/// another waits for nothing: the end of the run starts it.
#[must_use]
pub fn dependencies(workflow: &Workflow, node: &Node) -> Vec<Dependency> {
    if node.compensates {
        return Vec::new();
    }
    let known = |id: &NodeId| workflow.nodes.contains_key(id);
    let mut found: Vec<Dependency> = Vec::new();
    let mut edges = HashSet::new();
    let mut sources = HashSet::new();
    for need in node.needs.iter().flatten().filter(|need| known(&need.node)) {
        if edges.insert((&need.node, &need.port)) {
            sources.insert(&need.node);
            found.push(Dependency { on_node: need.node.clone(), fires_on: fires_on(need), is_need: true });
        }
    }
    for id in references(node).filter_map(Reference::node).filter(|id| known(id)) {
        if sources.insert(id) {
            let is_need = node.needs.is_none();
            let fires_on = if is_need { FiresOn::Success } else { FiresOn::Settled };
            found.push(Dependency { on_node: id.clone(), fires_on, is_need });
        }
    }
    found
}

/// Everything that a node's expressions read.
pub(crate) fn references(node: &Node) -> impl Iterator<Item = &Reference> {
    let condition = node.condition.iter().flat_map(|condition| condition.references());
    let items = node.for_each.iter().flat_map(|each| each.items.references());
    node.with.references().chain(condition).chain(items)
}

fn fires_on(need: &Need) -> FiresOn {
    match &need.port {
        None => FiresOn::Success,
        Some(port) if port.as_str() == crate::manifest::ERROR_PORT => FiresOn::Error,
        Some(port) => FiresOn::Port(port.clone()),
    }
}

/// The workflow as a graph whose edges point from what is waited for to what waits.
fn graph(workflow: &Workflow) -> DiGraph<NodeId, ()> {
    let mut graph = DiGraph::with_capacity(workflow.nodes.len(), workflow.nodes.len());
    for id in workflow.nodes.keys() {
        graph.add_node(id.clone());
    }
    for (to, node) in workflow.nodes.values().enumerate() {
        for dependency in dependencies(workflow, node) {
            if let Some(from) = workflow.nodes.get_index_of(&dependency.on_node) {
                graph.update_edge(GraphIndex::new(from), GraphIndex::new(to), ());
            }
        }
    }
    graph
}

/// The nodes, by their place in the file, in an order in which each comes after all that it waits for.
pub(super) fn order(workflow: &Workflow) -> Vec<usize> {
    toposort(&graph(workflow), None).unwrap_or_default().into_iter().map(GraphIndex::index).collect()
}

/// A cycle by its path, `[a, b, a]`, where there is one; the shortest through its first node.
#[must_use]
pub fn find_cycle(workflow: &Workflow) -> Option<Vec<NodeId>> {
    let graph = graph(workflow);
    toposort(&graph, None).err()?;
    let component = tarjan_scc(&graph)
        .into_iter()
        .find(|component| component.len() > 1 || component.iter().any(|node| graph.contains_edge(*node, *node)))?;
    let start = *component.iter().min()?;
    let path = path_back(&graph, start)?;
    Some(path.into_iter().map(|node| graph[node].clone()).collect())
}

/// The shortest way from a node back to itself, breadth first.
fn path_back(graph: &DiGraph<NodeId, ()>, start: GraphIndex) -> Option<Vec<GraphIndex>> {
    let mut came_from = vec![None; graph.node_count()];
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in graph.edges(node) {
            let target = edge.target();
            if target == start {
                let mut path = vec![start, node];
                let mut at = node;
                while at != start {
                    at = came_from[at.index()]?;
                    path.push(at);
                }
                path.reverse();
                return Some(if node == start { vec![start, start] } else { path });
            }
            if came_from[target.index()].is_none() {
                came_from[target.index()] = Some(node);
                queue.push_back(target);
            }
        }
    }
    None
}
