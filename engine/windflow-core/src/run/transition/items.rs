//! Nodes that run for each of several items.

use super::attempt::node_failed;
use super::{IllegalTransition, compensation, illegal_node, illegal_run, settle};
use crate::failure::Failure;
use crate::json::Json;
use crate::manifest::DEFAULT_PORT;
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{Items, NodeState, RunState, Step, Timestamp};
use crate::workflow::OnItemError;

pub(super) fn listed(
    state: &mut RunState,
    plan: &Plan,
    node: NodeIndex,
    list: &Json,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if !state.may_start(node) {
        return Err(illegal_run("items_listed", &state.phase));
    }
    let fits = plan.node(node).for_each.is_some() && state.node(node).state == NodeState::Ready;
    let items = Items::new(list).filter(|_| fits);
    let Some(items) = items else { return Err(illegal_node("items_listed", plan, state, node)) };
    state.due.remove(&Obligation::Attempt(Step::of(node)));
    let run = state.node_mut(node);
    run.items = Some(Box::new(items));
    run.state = NodeState::Iterating;
    run.settled_at = Some(at);
    go_on(state, plan, node);
    Ok(())
}

/// An item has failed for good; its state says so already.
pub(super) fn failed(state: &mut RunState, plan: &Plan, node: NodeIndex, item: u32, failure: &Failure) {
    let collects = plan.node(node).for_each.as_ref().is_some_and(|each| each.on_item_error == OnItemError::Collect);
    if !collects && let Some(items) = &mut state.node_mut(node).items {
        items.give_up(item, failure);
        withdraw(state, node);
    }
    go_on(state, plan, node);
}

/// Items that have not begun never will; those that are under way settle.
pub(super) fn withdraw(state: &mut RunState, node: NodeIndex) -> Vec<Step> {
    let RunState { nodes, due, .. } = state;
    let Some(items) = &mut nodes[node.0 as usize].items else { return Vec::new() };
    let running: Vec<_> = items.stop().into_iter().map(|item| Step { node, item: Some(item) }).collect();
    due.retain(|due| match due {
        Obligation::Attempt(step) => step.node != node || running.contains(step),
        _ => true,
    });
    running
}

/// An item has settled, or the list is there: the next items are taken up, or the node settles.
pub(super) fn go_on(state: &mut RunState, plan: &Plan, node: NodeIndex) {
    let window = plan.node(node).for_each.as_ref().map_or(1, |each| each.concurrency);
    let may_start = state.may_start(node);
    let RunState { nodes, due, .. } = state;
    let run = &mut nodes[node.0 as usize];
    let Some(items) = &mut run.items else { return };
    while may_start && let Some(item) = items.take_up(window) {
        due.insert(Obligation::Attempt(Step { node, item: Some(item) }));
    }
    if items.is_over() {
        if let Some(failure) = items.fatal().cloned() {
            run.state = NodeState::Failed(failure.clone());
            return node_failed(state, plan, node, &failure);
        }
        // The name of the default port is a name.
        let Ok(port) = DEFAULT_PORT.parse() else { return };
        // With a list that lacks what was cut off nothing goes on, in this run or in one that repeats it.
        run.state =
            if items.is_cut() { NodeState::Cancelled } else { NodeState::Succeeded { port, output: items.outputs() } };
    } else if !may_start && items.is_quiet() {
        run.state = NodeState::Cancelled;
    } else {
        return;
    }
    if plan.node(node).compensates {
        compensation::next(state);
    } else {
        settle(state, plan, node);
    }
}
