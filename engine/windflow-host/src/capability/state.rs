//! What a workflow keeps between its runs. It needs no grant, since nobody but the workflow itself sees it, but a component
//! that asks is not pure.

use windflow_core::ports::state::{Expected, StateChange, StateEntry, StateError, StateScope};

use crate::attempt::State;

/// The most reads and changes of one attempt.
const CALLS: u32 = 10_000;

pub(crate) fn get(state: &mut State, key: &str) -> Result<Option<StateEntry>, StateError> {
    count(state)?;
    let store = state.call.state.as_ref().ok_or_else(nowhere)?;
    store.get(&scope(state), key)
}

pub(crate) async fn change(
    state: &mut State,
    key: String,
    value: Option<Vec<u8>>,
    expected: Expected,
) -> Result<u64, StateError> {
    let number = count(state)?;
    // The credential of an attempt is kept nowhere.
    let value = value.map(|mut value| {
        if let Some(held) = &state.held {
            held.scrubber.bytes(&mut value);
        }
        value
    });
    let by = format!("{}/{number}", state.call.key);
    let store = state.call.state.clone().ok_or_else(nowhere)?;
    store.change(scope(state), StateChange { key, expected, value, by }).await
}

fn count(state: &mut State) -> Result<u32, StateError> {
    if state.state_calls >= CALLS {
        return Err(StateError::Refused(format!("an attempt reads and changes state at most {CALLS} times")));
    }
    state.state_calls += 1;
    Ok(state.state_calls)
}

fn scope(state: &State) -> StateScope {
    StateScope { organisation: state.call.organisation.clone(), workflow: state.call.workflow.to_string() }
}

fn nowhere() -> StateError {
    StateError::Unavailable("nothing is kept here: this engine has no store for state".to_owned())
}
