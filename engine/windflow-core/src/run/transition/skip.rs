//! A node does not run.

use super::{IllegalTransition, compensation, illegal_node, illegal_run, settle};
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{NodeState, RunState, SkipReason, Step, Timestamp};

pub(super) fn skipped(
    state: &mut RunState,
    plan: &Plan,
    node: NodeIndex,
    reason: SkipReason,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if !state.may_start(node) {
        return Err(illegal_run("node_skipped", &state.phase));
    }
    let fits = match state.node(node).state {
        NodeState::Skipping(owed) => owed == reason,
        NodeState::Ready => reason == SkipReason::Condition,
        _ => false,
    };
    if !fits {
        return Err(illegal_node("node_skipped", plan, state, node));
    }
    state.due.remove(&Obligation::Skip(node));
    state.due.remove(&Obligation::Attempt(Step::of(node)));
    let run = state.node_mut(node);
    run.state = NodeState::Skipped(reason);
    run.settled_at = Some(at);
    if plan.node(node).compensates {
        compensation::next(state);
    } else {
        settle(state, plan, node);
    }
    Ok(())
}
