//! Compiles a workflow into a plan.

use indexmap::IndexMap;

use super::{FiresOn, InEdge, NodeIndex, OutEdge, Plan, PlanNode, dependencies, find_cycle, graph};
use crate::expression::Template;
use crate::id::{NodeId, NodeTypeRef, PortName};
use crate::manifest::{DEFAULT_PORT, Handed, NodeType, RequestedCapabilities};
use crate::native::{Native, WithNative};
use crate::ports::host::Registry;
use crate::schema::fill_defaults;
use crate::workflow::{Node, Workflow};

/// Why no plan can be made. Validation finds all of these before, with their places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A node type is not installed.
    #[error("node {node} uses {uses}, which is not installed")]
    UnknownNodeType {
        /// The node.
        node: NodeId,
        /// The node type.
        uses: NodeTypeRef,
    },
    /// Nodes wait for each other in a circle.
    #[error("nodes wait for each other: {}", .0.iter().map(NodeId::as_str).collect::<Vec<_>>().join(" → "))]
    Cycle(Vec<NodeId>),
}

/// Compiles a workflow for the installed node types.
///
/// # Errors
/// [`PlanError`] where the workflow was not validated against them.
pub fn build(workflow: &Workflow, registry: &(impl Registry + ?Sized)) -> Result<Plan, PlanError> {
    if let Some(cycle) = find_cycle(workflow) {
        return Err(PlanError::Cycle(cycle));
    }
    let registry = &WithNative(registry);
    let by_id: IndexMap<NodeId, NodeIndex> = workflow.nodes.keys().cloned().zip((0..).map(NodeIndex)).collect();
    let mut nodes = Vec::with_capacity(workflow.nodes.len());
    for node in workflow.nodes.values() {
        nodes.push(compile(workflow, node, registry)?);
    }
    for (rank, index) in (0..).zip(graph::order(workflow)) {
        nodes[index].rank = rank;
    }
    for (node, compiled) in workflow.nodes.values().zip(&mut nodes) {
        compiled.compensate = node.compensate.as_ref().and_then(|by| by_id.get(&by.value)).copied();
    }
    for (node, to) in workflow.nodes.values().zip((0..).map(NodeIndex)) {
        for dependency in dependencies(workflow, node) {
            let from = by_id[&dependency.on_node];
            let on = dependency.fires_on;
            let target = &mut nodes[to.0 as usize];
            let need = dependency.is_need.then(|| u32::try_from(target.needs.len()).unwrap_or(u32::MAX));
            if dependency.is_need {
                target.needs.push(InEdge { from, on: on.clone() });
            } else {
                target.waits += 1;
            }
            let source = &mut nodes[from.0 as usize];
            source.handles_error |= on == FiresOn::Error;
            source.out.push(OutEdge { to, on, need });
        }
    }
    Ok(Plan { nodes, by_id, outputs: workflow.outputs.clone(), timeout: workflow.timeout })
}

fn compile(workflow: &Workflow, node: &Node, registry: &(impl Registry + ?Sized)) -> Result<PlanNode, PlanError> {
    let installed = registry
        .get(&node.uses.value)
        .ok_or_else(|| PlanError::UnknownNodeType { node: node.id.value.clone(), uses: node.uses.value.clone() })?;
    let node_type = installed.node_type();
    let with = fill_defaults(&node.with, &node_type.config);
    Ok(PlanNode {
        id: node.id.value.clone(),
        uses: node.uses.value.clone(),
        component: installed.component,
        native: Native::find(&node.uses.value),
        pure: installed.pure,
        files: !installed.pure && shares_files(workflow, node, &installed.manifest.capabilities),
        ports: ports(node_type, &with).into(),
        with,
        condition: node.condition.as_ref().map(|condition| condition.value.clone()),
        for_each: node.for_each.clone(),
        compensate: None,
        compensates: node.compensates,
        rank: 0,
        join: node.join,
        retry: node.retry.clone(),
        timeout: node.timeout,
        on_unknown: node.on_unknown,
        disabled: node.disabled,
        needs: Vec::new(),
        waits: 0,
        out: Vec::new(),
        handles_error: false,
    })
}

/// Whether it reads or writes files of the run, or has the host hand them on.
fn shares_files(workflow: &Workflow, node: &Node, asked: &RequestedCapabilities) -> bool {
    asked.files || (workflow.permissions.files && !matches!(asked.handed(&node.with), Handed::None))
}

/// The ports that a node may emit on: those of its type, and those that its configuration names. A list out of which
/// nobody can tell them before the run (it is an expression) names none.
#[must_use]
pub fn ports(node_type: &NodeType, with: &Template) -> Vec<PortName> {
    let mut ports: Vec<PortName> = node_type.ports.iter().filter_map(|port| port.name.parse().ok()).collect();
    if let Some(names) = node_type.ports_from.as_ref().and_then(|field| with.get(field)) {
        ports.extend(names.keys().filter_map(|name| name.parse().ok()));
    }
    if ports.is_empty() {
        ports.extend(DEFAULT_PORT.parse());
    }
    ports
}
