//! Events of the run as a whole.

use super::{IllegalTransition, cancel_running, compensation, decide, illegal_run, owe_finish, stop_starting};
use crate::failure::{Failure, FailureKind};
use crate::json::Json;
use crate::plan::Plan;
use crate::run::{EndStatus, Phase, RunFailure, RunStarted, RunState, Timestamp};

pub(super) fn started(
    state: &mut RunState,
    plan: &Plan,
    started: &RunStarted,
    at: Timestamp,
) -> Result<(), IllegalTransition> {
    if state.phase != Phase::New {
        return Err(illegal_run("run_started", &state.phase));
    }
    state.phase = Phase::Running;
    state.started_at = at;
    state.started = Some(Box::new(started.clone()));
    for (index, node) in plan.nodes() {
        if node.disabled || (node.needs.is_empty() && node.waits == 0) {
            decide(state, plan, index);
        }
    }
    owe_finish(state);
    Ok(())
}

pub(super) fn cancel_requested(state: &mut RunState, plan: &Plan) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Running {
        // A failing run already ends by itself, and its attempts are left to settle.
        return Err(illegal_run("cancel_requested", &state.phase));
    }
    state.phase = Phase::Cancelling;
    stop_starting(state);
    cancel_running(state);
    compensation::wind_down(state, plan);
    Ok(())
}

pub(super) fn timed_out(state: &mut RunState, plan: &Plan, limit_ms: u64) -> Result<(), IllegalTransition> {
    if state.phase != Phase::Running {
        return Err(illegal_run("run_timed_out", &state.phase));
    }
    let limit = crate::workflow::format_duration(std::time::Duration::from_millis(limit_ms));
    let failure = Failure::new(FailureKind::Timeout, format!("the run took longer than its `timeout: {limit}`"));
    state.phase = Phase::Failing(RunFailure { node: None, failure });
    stop_starting(state);
    cancel_running(state);
    compensation::wind_down(state, plan);
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
