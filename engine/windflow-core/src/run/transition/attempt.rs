//! Attempts begin and end.

use super::{IllegalTransition, compensation, illegal_node, illegal_run, items, settle, stop_starting};
use crate::failure::{Failure, FailureKind, RetryHint};
use crate::id::PortName;
use crate::json::Json;
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{NodeState, Phase, RunFailure, RunState, Step, Timestamp, Wait};

/// Which attempt ended, and when.
pub(super) struct Ended {
    pub(super) step: Step,
    pub(super) attempt: u32,
    pub(super) at: Timestamp,
    pub(super) took_us: u64,
}

pub(super) fn started(
    state: &mut RunState,
    plan: &Plan,
    step: Step,
    attempt: u32,
    wait: Option<&Wait>,
) -> Result<(), IllegalTransition> {
    if !state.may_start(step.node) {
        return Err(illegal_run("attempt_started", &state.phase));
    }
    let fits = match *state.step(step) {
        NodeState::Ready => attempt == 1,
        NodeState::Retrying { attempt: next, .. } => attempt == next,
        _ => false,
    };
    if !fits || plan.node(step.node).pure {
        return Err(illegal_node("attempt_started", plan, state, step.node));
    }
    // The obligation stays: it is to run the attempt, not to record that it begins.
    state.running += 1;
    set(state, step, NodeState::Running { attempt, wait: wait.cloned() });
    let run = state.node_mut(step.node);
    run.attempts = if step.item.is_some() { run.attempts + 1 } else { attempt };
    Ok(())
}

/// Puts a step into a state.
pub(super) fn set(state: &mut RunState, step: Step, next: NodeState) {
    let run = state.node_mut(step.node);
    match (step.item, &mut run.items) {
        (Some(item), Some(items)) => items.set(item, next),
        _ => run.state = next,
    }
}

/// How an attempt may end from where its step stands: begun, or not begun but due (pure nodes record only their end, and
/// an attempt whose configuration cannot be evaluated never begins).
fn ending(
    state: &RunState,
    plan: &Plan,
    ended: &Ended,
    event: &'static str,
    may_skip_start: bool,
) -> Result<(), IllegalTransition> {
    let (begun, fits) = match *state.step(ended.step) {
        NodeState::Running { attempt, .. } => (true, ended.attempt == attempt),
        NodeState::Ready => (false, ended.attempt == 1 && may_skip_start),
        NodeState::Retrying { attempt, .. } => (false, ended.attempt == attempt && may_skip_start),
        _ => (false, false),
    };
    if !fits {
        return Err(illegal_node(event, plan, state, ended.step.node));
    }
    let winding_down = matches!(state.phase, Phase::Failing(_) | Phase::Cancelling);
    if state.may_start(ended.step.node) || (winding_down && begun) {
        Ok(())
    } else {
        Err(illegal_run(event, &state.phase))
    }
}

fn close(state: &mut RunState, ended: &Ended, next: NodeState) {
    let begun = matches!(state.step(ended.step), NodeState::Running { .. });
    state.due.remove(&Obligation::Attempt(ended.step));
    state.due.remove(&Obligation::Cancel(ended.step));
    set(state, ended.step, next);
    let run = state.node_mut(ended.step.node);
    match ended.step.item {
        None => run.attempts = ended.attempt,
        Some(_) if !begun => run.attempts += 1,
        Some(_) => {}
    }
    run.took_us = run.took_us.saturating_add(ended.took_us);
    run.settled_at = Some(ended.at);
    if begun {
        state.running -= 1;
    }
}

pub(super) fn succeeded(
    state: &mut RunState,
    plan: &Plan,
    ended: &Ended,
    port: &PortName,
    output: &Json,
) -> Result<(), IllegalTransition> {
    ending(state, plan, ended, "attempt_succeeded", plan.node(ended.step.node).pure)?;
    close(state, ended, NodeState::Succeeded { port: port.clone(), output: output.clone() });
    settled(state, plan, ended.step);
    Ok(())
}

pub(super) fn reused(
    state: &mut RunState,
    plan: &Plan,
    node: NodeIndex,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Running {
        return Err(illegal_run("node_reused", &state.phase));
    }
    let emitted = state.started().and_then(|started| started.reused.get(&plan.node(node).id)).cloned();
    let Some(emitted) = emitted.filter(|_| state.node(node).state == NodeState::Ready) else {
        return Err(illegal_node("node_reused", plan, state, node));
    };
    state.due.remove(&Obligation::Attempt(Step::of(node)));
    let run = state.node_mut(node);
    run.state = NodeState::Succeeded { port: emitted.port, output: emitted.output };
    run.settled_at = Some(at);
    settle(state, plan, node);
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
    let Step { node, item } = ended.step;
    if retry_at.is_some() && !state.may_start(node) {
        // No new attempt starts any more, so that none can be promised.
        return Err(illegal_run("attempt_failed with a retry", &state.phase));
    }
    let begun = matches!(state.step(ended.step), NodeState::Running { .. });
    state.node_mut(node).unknown |= begun && leaves_doubt(failure);
    if let Some(at) = retry_at {
        close(state, ended, NodeState::Retrying { attempt: ended.attempt + 1, at, failure: failure.clone() });
        state.due.insert(Obligation::Attempt(ended.step));
        return Ok(());
    }
    close(state, ended, NodeState::Failed(failure.clone()));
    match item {
        Some(item) => items::failed(state, plan, node, item, failure),
        None => node_failed(state, plan, node, failure),
    }
    Ok(())
}

/// Whether the attempt may have done something all the same: it was cut off, or the node itself says that it may go well
/// another time, which is what a lost connection and an error of the other side look like.
fn leaves_doubt(failure: &Failure) -> bool {
    use FailureKind as Kind;
    let cut_off = matches!(
        failure.kind,
        Kind::Timeout
            | Kind::OutOfMemory
            | Kind::LimitExceeded
            | Kind::Trap
            | Kind::InvalidOutput
            | Kind::Cancelled
            | Kind::OutcomeUnknown
    );
    cut_off || failure.retry != RetryHint::Never
}

/// A node has failed for good; its state says so already.
pub(super) fn node_failed(state: &mut RunState, plan: &Plan, node: NodeIndex, failure: &Failure) {
    if state.phase == Phase::Running && !plan.node(node).handles_error {
        let failure = RunFailure { node: Some(plan.node(node).id.clone()), failure: failure.clone() };
        state.phase = Phase::Failing(failure);
        stop_starting(state);
    }
    settled(state, plan, Step::of(node));
}

pub(super) fn cancelled(
    state: &mut RunState,
    plan: &Plan,
    step: Step,
    attempt: u32,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if !matches!(state.phase, Phase::Failing(_) | Phase::Cancelling) {
        return Err(illegal_run("attempt_cancelled", &state.phase));
    }
    let (fits, waited) = match state.step(step) {
        NodeState::Running { attempt: current, wait } => (*current == attempt, wait.is_some()),
        _ => (false, false),
    };
    if !fits {
        return Err(illegal_node("attempt_cancelled", plan, state, step.node));
    }
    close(state, &Ended { step, attempt, at, took_us: 0 }, NodeState::Cancelled);
    state.node_mut(step.node).unknown |= !waited;
    settled(state, plan, step);
    Ok(())
}

/// A step has settled: what waited for it goes on.
fn settled(state: &mut RunState, plan: &Plan, step: Step) {
    if step.item.is_some() {
        items::go_on(state, plan, step.node);
    } else if plan.node(step.node).compensates {
        compensation::next(state);
    } else {
        settle(state, plan, step.node);
    }
}
