//! Attempts begin and end.

use super::{IllegalTransition, illegal_node, illegal_run, settle, stop_starting};
use crate::failure::Failure;
use crate::id::PortName;
use crate::json::Json;
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{NodeState, Phase, RunFailure, RunState, Timestamp};

/// Which attempt ended, and when.
pub(super) struct Ended {
    pub(super) node: NodeIndex,
    pub(super) attempt: u32,
    pub(super) at: Timestamp,
    pub(super) took_us: u64,
}

pub(super) fn started(
    state: &mut RunState,
    node: NodeIndex,
    plan: &Plan,
    attempt: u32,
) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Running {
        return Err(illegal_run("attempt_started", &state.phase));
    }
    let fits = match state.node(node).state {
        NodeState::Ready => attempt == 1,
        NodeState::Retrying { attempt: next, .. } => attempt == next,
        _ => false,
    };
    if !fits || plan.node(node).pure {
        return Err(illegal_node("attempt_started", plan, state, node));
    }
    // The obligation stays: it is to run the attempt, not to record that it begins.
    state.running += 1;
    let run = state.node_mut(node);
    run.state = NodeState::Running { attempt };
    run.attempts = attempt;
    Ok(())
}

/// How an attempt may end from where its node stands: begun, or not begun but due (pure nodes record only their end, and
/// an attempt whose configuration cannot be evaluated never begins).
fn ending(
    state: &RunState,
    plan: &Plan,
    ended: &Ended,
    event: &'static str,
    may_skip_start: bool,
) -> Result<(), IllegalTransition> {
    let (begun, fits) = match state.node(ended.node).state {
        NodeState::Running { attempt } => (true, ended.attempt == attempt),
        NodeState::Ready => (false, ended.attempt == 1 && may_skip_start),
        NodeState::Retrying { attempt, .. } => (false, ended.attempt == attempt && may_skip_start),
        _ => (false, false),
    };
    if !fits {
        return Err(illegal_node(event, plan, state, ended.node));
    }
    match state.phase {
        Phase::Running => Ok(()),
        Phase::Failing(_) | Phase::Cancelling if begun => Ok(()),
        Phase::New | Phase::Failing(_) | Phase::Cancelling | Phase::Ended { .. } => {
            Err(illegal_run(event, &state.phase))
        }
    }
}

fn close(state: &mut RunState, ended: &Ended, next: NodeState) {
    if matches!(state.node(ended.node).state, NodeState::Running { .. }) {
        state.running -= 1;
    }
    state.due.remove(&Obligation::Attempt(ended.node));
    state.due.remove(&Obligation::Cancel(ended.node));
    let run = state.node_mut(ended.node);
    run.state = next;
    run.attempts = ended.attempt;
    run.took_us = run.took_us.saturating_add(ended.took_us);
    run.settled_at = Some(ended.at);
}

pub(super) fn succeeded(
    state: &mut RunState,
    plan: &Plan,
    ended: &Ended,
    port: &PortName,
    output: &Json,
) -> Result<(), IllegalTransition> {
    ending(state, plan, ended, "attempt_succeeded", plan.node(ended.node).pure)?;
    close(state, ended, NodeState::Succeeded { port: port.clone(), output: output.clone() });
    settle(state, plan, ended.node);
    Ok(())
}

pub(super) fn failed(
    state: &mut RunState,
    plan: &Plan,
    ended: &Ended,
    failure: &Failure,
    retry_at: Option<Timestamp>,
) -> Result<(), IllegalTransition> {
    ending(state, plan, ended, "attempt_failed", true)?;
    if let Some(at) = retry_at {
        if state.phase != Phase::Running {
            // No new attempt starts any more, so that none can be promised.
            return Err(illegal_run("attempt_failed with a retry", &state.phase));
        }
        close(state, ended, NodeState::Retrying { attempt: ended.attempt + 1, at, failure: failure.clone() });
        state.due.insert(Obligation::Attempt(ended.node));
        return Ok(());
    }
    close(state, ended, NodeState::Failed(failure.clone()));
    if state.phase == Phase::Running && !plan.node(ended.node).handles_error {
        let failure = RunFailure { node: Some(plan.node(ended.node).id.clone()), failure: failure.clone() };
        state.phase = Phase::Failing(failure);
        stop_starting(state);
    }
    settle(state, plan, ended.node);
    Ok(())
}

pub(super) fn cancelled(
    state: &mut RunState,
    plan: &Plan,
    node: NodeIndex,
    attempt: u32,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Cancelling {
        return Err(illegal_run("attempt_cancelled", &state.phase));
    }
    if state.node(node).state != (NodeState::Running { attempt }) {
        return Err(illegal_node("attempt_cancelled", plan, state, node));
    }
    close(state, &Ended { node, attempt, at, took_us: 0 }, NodeState::Cancelled);
    settle(state, plan, node);
    Ok(())
}
