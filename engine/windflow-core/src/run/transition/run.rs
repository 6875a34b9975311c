//! Events of the run as a whole.

use super::{IllegalTransition, decide, illegal_run, owe_finish, stop_starting};
use crate::json::Json;
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{EndStatus, NodeState, Phase, RunFailure, RunStarted, RunState};

pub(super) fn started(state: &mut RunState, plan: &Plan, started: &RunStarted) -> Result<(), IllegalTransition> {
    if state.phase != Phase::New {
        return Err(illegal_run("run_started", &state.phase));
    }
    state.phase = Phase::Running;
    state.started = Some(Box::new(started.clone()));
    for (index, node) in plan.nodes() {
        if node.disabled || (node.needs.is_empty() && node.waits == 0) {
            decide(state, plan, index);
        }
    }
    owe_finish(state);
    Ok(())
}

pub(super) fn cancel_requested(state: &mut RunState) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Running {
        // A failing run already ends by itself, and its attempts are left to settle.
        return Err(illegal_run("cancel_requested", &state.phase));
    }
    state.phase = Phase::Cancelling;
    stop_starting(state);
    state.due.clear();
    for (run, index) in state.nodes.iter().zip(0..) {
        if matches!(run.state, NodeState::Running { .. }) {
            state.due.insert(Obligation::Cancel(NodeIndex(index)));
        }
    }
    owe_finish(state);
    Ok(())
}

pub(super) fn finished(
    state: &mut RunState,
    status: EndStatus,
    outputs: Option<&Json>,
    failure: Option<&RunFailure>,
) -> Result<(), IllegalTransition> {
    // A run whose nodes all succeeded still fails when its outputs cannot be evaluated.
    let fits = match state.verdict() {
        Some(EndStatus::Succeeded) => status != EndStatus::Cancelled,
        Some(verdict) => verdict == status,
        None => false,
    };
    if !fits {
        return Err(illegal_run("run_finished", &state.phase));
    }
    state.due.clear();
    state.phase = Phase::Ended { status, outputs: outputs.cloned(), failure: failure.cloned() };
    Ok(())
}
