//! What was done is undone.

use super::owe_finish;
use crate::plan::{NodeIndex, Plan};
use crate::run::state::Obligation;
use crate::run::{Cause, NodeState, Phase, RunState, Step};

/// Where nothing is in flight any more in a run that failed or is cancelled: begins to undo, or owes the end.
pub(super) fn wind_down(state: &mut RunState, plan: &Plan) {
    let cause = match &state.phase {
        Phase::Failing(failure) if state.running == 0 => Cause::Failed(failure.clone()),
        Phase::Cancelling if state.running == 0 => Cause::Cancelled,
        _ => return owe_finish(state),
    };
    let left = due(state, plan);
    if left.is_empty() {
        return owe_finish(state);
    }
    state.due.clear();
    state.phase = Phase::Compensating { cause, left };
    begin(state);
}

/// The compensation that was under way has settled, well or badly: the next.
pub(super) fn next(state: &mut RunState) {
    if let Phase::Compensating { left, .. } = &mut state.phase {
        left.pop();
        begin(state);
    }
}

fn begin(state: &mut RunState) {
    let Phase::Compensating { left, .. } = &state.phase else { return };
    match left.last().copied() {
        Some(node) => {
            state.node_mut(node).state = NodeState::Ready;
            state.due.insert(Obligation::Attempt(Step::of(node)));
        }
        None => owe_finish(state),
    }
}

/// The compensations of all nodes that did something, or may have: what was done last is undone first, and stands last
/// here.
fn due(state: &RunState, plan: &Plan) -> Vec<NodeIndex> {
    let mut done: Vec<_> = plan
        .nodes()
        .filter(|(index, _)| did_something(state, *index))
        .filter_map(|(index, node)| Some((node.rank, index, node.compensate?)))
        .filter(|(_, _, by)| !plan.node(*by).disabled)
        .collect();
    done.sort_unstable_by_key(|(rank, index, _)| (*rank, *index));
    done.into_iter().map(|(_, _, by)| by).collect()
}

fn did_something(state: &RunState, node: NodeIndex) -> bool {
    let run = state.node(node);
    let succeeded = |state: &NodeState| matches!(state, NodeState::Succeeded { .. });
    run.unknown || succeeded(&run.state) || run.items.iter().flat_map(|items| items.states()).any(succeeded)
}
