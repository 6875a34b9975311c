//! The one place where a run's state changes: an exhaustive table of what each event does in each state.

use super::state::Obligation;
use super::{Event, NodeState, Phase, Record, RunState, SkipReason, Step, Wait};
use crate::id::NodeId;
use crate::plan::{FiresOn, NodeIndex, OutEdge, Plan};
use crate::workflow::Join;

mod attempt;
mod compensation;
mod items;
mod run;
mod skip;

/// An event that does not fit the state of the run. The state is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalTransition {
    /// The run is not where this could happen.
    #[error("{event} cannot happen in a run that is {phase}")]
    Run {
        /// The event.
        event: &'static str,
        /// How far the run has come.
        phase: &'static str,
    },
    /// The node is not where this could happen.
    #[error("{event} cannot happen to node {node}, which is {state}")]
    Node {
        /// The event.
        event: &'static str,
        /// The node.
        node: NodeId,
        /// How it stands.
        state: &'static str,
    },
    /// The plan has no such node: the document is another one than the run pinned.
    #[error("the plan has no node {0}")]
    UnknownNode(NodeId),
}

/// Folds one record into the state. Costs as much as edges are touched.
///
/// # Errors
/// [`IllegalTransition`] where the event does not fit; the state is unchanged then.
pub fn apply(state: &mut RunState, plan: &Plan, record: &Record) -> Result<(), IllegalTransition> {
    let at = record.at;
    match &record.event {
        Event::RunStarted(started) => run::started(state, plan, started, at),
        Event::RunTimedOut { limit_ms } => run::timed_out(state, plan, *limit_ms),
        Event::ItemsListed { node, items } => items::listed(state, plan, find(plan, node)?, items, at),
        Event::AttemptStarted { node, item, attempt, wait, .. } => {
            attempt::started(state, plan, step(plan, node, *item)?, *attempt, wait.as_ref())
        }
        Event::AttemptSucceeded { node, item, attempt, port, output, took_us, .. } => {
            let step = step(plan, node, *item)?;
            let ended = attempt::Ended { step, attempt: *attempt, at, took_us: *took_us };
            attempt::succeeded(state, plan, &ended, port, output)
        }
        Event::AttemptFailed { node, item, attempt, failure, retry_at, took_us, .. } => {
            let step = step(plan, node, *item)?;
            let ended = attempt::Ended { step, attempt: *attempt, at, took_us: *took_us };
            attempt::failed(state, plan, &ended, failure, *retry_at)
        }
        Event::NodeSkipped { node, reason } => skip::skipped(state, plan, find(plan, node)?, *reason, at),
        Event::NodeReused { node } => attempt::reused(state, plan, find(plan, node)?, at),
        Event::CancelRequested { .. } => run::cancel_requested(state, plan),
        Event::AttemptCancelled { node, item, attempt } => {
            attempt::cancelled(state, plan, step(plan, node, *item)?, *attempt, at)
        }
        Event::RunFinished { status, outputs, failure, .. } => {
            run::finished(state, *status, outputs.as_ref(), failure.as_ref())
        }
    }
}

fn step(plan: &Plan, node: &NodeId, item: Option<u32>) -> Result<Step, IllegalTransition> {
    Ok(Step { node: find(plan, node)?, item })
}

fn find(plan: &Plan, id: &NodeId) -> Result<NodeIndex, IllegalTransition> {
    plan.index(id).ok_or_else(|| IllegalTransition::UnknownNode(id.clone()))
}

fn illegal_run(event: &'static str, phase: &Phase) -> IllegalTransition {
    let phase = match phase {
        Phase::New => "not started",
        Phase::Running => "running",
        Phase::Failing(_) => "failing",
        Phase::Cancelling => "cancelling",
        Phase::Compensating { .. } => "compensating",
        Phase::Ended { .. } => "over",
    };
    IllegalTransition::Run { event, phase }
}

fn illegal_node(event: &'static str, plan: &Plan, state: &RunState, node: NodeIndex) -> IllegalTransition {
    IllegalTransition::Node { event, node: plan.node(node).id.clone(), state: state.node(node).state.word() }
}

/// Follows the edges that leave a node which has just settled.
fn settle(state: &mut RunState, plan: &Plan, node: NodeIndex) {
    state.unsettled = state.unsettled.saturating_sub(1);
    for edge in &plan.node(node).out {
        let fires = match (&state.node(node).state, &edge.on) {
            (_, FiresOn::Settled)
            | (NodeState::Succeeded { .. }, FiresOn::Success)
            | (NodeState::Failed(_), FiresOn::Error) => true,
            (NodeState::Succeeded { port, .. }, FiresOn::Port(wanted)) => port == wanted,
            _ => false,
        };
        reach(state, plan, edge, fires);
    }
    compensation::wind_down(state, plan);
}

/// Tells the node at the end of an edge that it fired or died, and decides whether it starts.
fn reach(state: &mut RunState, plan: &Plan, edge: &OutEdge, fires: bool) {
    let target = state.node_mut(edge.to);
    match edge.need {
        None => target.waits = target.waits.saturating_sub(1),
        Some(position) if fires => target.fired.push(position),
        Some(_) => target.dead += 1,
    }
    if target.state == NodeState::Pending {
        decide(state, plan, edge.to);
    }
}

/// Decides whether a pending node starts, is skipped, or waits on: the table of folders in the runtime's `tests/scenarios`.
fn decide(state: &mut RunState, plan: &Plan, index: NodeIndex) {
    let node = plan.node(index);
    if state.phase != Phase::Running || node.compensates {
        return;
    }
    let needs = u32::try_from(node.needs.len()).unwrap_or(u32::MAX);
    let run = state.node_mut(index);
    let fired = u32::try_from(run.fired.len()).unwrap_or(u32::MAX);
    let (met, lost) = match node.join {
        Join::All => (fired == needs, run.dead > 0),
        Join::Any => (fired > 0 || needs == 0, run.dead == needs && needs > 0),
    };
    if node.disabled {
        run.state = NodeState::Skipping(SkipReason::Disabled);
        state.due.insert(Obligation::Skip(index));
    } else if lost {
        run.state = NodeState::Skipping(SkipReason::Needs);
        state.due.insert(Obligation::Skip(index));
    } else if met && run.waits == 0 {
        run.state = NodeState::Ready;
        state.due.insert(Obligation::Attempt(Step::of(index)));
    }
}

/// No new work starts any more: what has not begun goes back to pending and is no longer owed. An attempt that began in a
/// process that is no more is still owed its end; one that began in this process was handed out before. What only waits is
/// told to end: nobody needs to wait for it. Runs that it started go on, as attempts do.
fn stop_starting(state: &mut RunState) {
    let mut running = Vec::new();
    for index in 0..state.nodes.len() {
        let node = NodeIndex(u32::try_from(index).unwrap_or(u32::MAX));
        let run = state.node_mut(node);
        match &run.state {
            NodeState::Ready | NodeState::Skipping(_) => run.state = NodeState::Pending,
            NodeState::Retrying { failure, .. } => run.state = NodeState::Failed(failure.clone()),
            NodeState::Running { .. } => running.push(Step::of(node)),
            NodeState::Iterating => {
                let items = items::withdraw(state, node);
                if items.is_empty() {
                    state.node_mut(node).state = NodeState::Cancelled;
                }
                running.extend(items);
            }
            NodeState::Pending
            | NodeState::Succeeded { .. }
            | NodeState::Failed(_)
            | NodeState::Skipped(_)
            | NodeState::Cancelled => {}
        }
    }
    state.due.retain(|due| match due {
        Obligation::Attempt(step) => running.binary_search(step).is_ok(),
        Obligation::Cancel(_) | Obligation::Skip(_) | Obligation::Finish => false,
    });
    for step in running {
        let waits =
            matches!(state.step(step), NodeState::Running { wait: Some(Wait::Until { .. } | Wait::Answer(_)), .. });
        if waits {
            state.due.remove(&Obligation::Attempt(step));
            state.due.insert(Obligation::Cancel(step));
        }
    }
}

/// Everything that is in flight is told to end.
fn cancel_running(state: &mut RunState) {
    state.due.clear();
    let running = |state: &NodeState| matches!(state, NodeState::Running { .. });
    let mut steps = Vec::new();
    for (run, index) in state.nodes.iter().zip(0..) {
        let node = NodeIndex(index);
        if running(&run.state) {
            steps.push(Step::of(node));
        }
        let open = run.items.iter().flat_map(|items| items.open());
        steps.extend(open.map(|item| Step { node, item: Some(item) }).filter(|step| running(state.step(*step))));
    }
    state.due.extend(steps.into_iter().map(Obligation::Cancel));
}

fn owe_finish(state: &mut RunState) {
    if state.verdict().is_some() {
        state.due.insert(Obligation::Finish);
    }
}
