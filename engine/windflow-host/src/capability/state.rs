//! What a workflow keeps between its runs: where the workflow grants it and the manifest asks for it, each workflow its own.

use std::sync::Arc;

use windflow_core::ports::state::{Expected, StateChange, StateEntry, StateError, StateScope, StateStore};

use crate::attempt::State;

/// The most reads and changes of one attempt.
const CALLS: u32 = 10_000;

/// What an attempt has done so far.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Reads, and changes that were tried.
    calls: u32,
    /// Changes that were made. An attempt that is made again counts them anew, so that the same number is the same change,
    /// however often each had to be tried.
    changes: u32,
}

pub(crate) fn get(state: &mut State, key: &str) -> Result<Option<StateEntry>, StateError> {
    let store = allowed(state)?;
    store.get(&scope(state), key)
}

pub(crate) async fn change(
    state: &mut State,
    key: String,
    value: Option<Vec<u8>>,
    expected: Expected,
) -> Result<u64, StateError> {
    let store = allowed(state)?;
    // The credential of an attempt is kept nowhere.
    let value = value.map(|mut value| {
        if let Some(held) = &state.held {
            held.scrubber.bytes(&mut value);
        }
        value
    });
    let by = format!("{}/{}", state.call.key, state.kept.changes);
    let version = store.change(scope(state), StateChange { key, expected, value, by }).await?;
    state.kept.changes += 1;
    Ok(version)
}

/// Every key has to agree. What is denied names the line to add.
fn allowed(state: &mut State) -> Result<Arc<dyn StateStore>, StateError> {
    if !state.plugin.manifest.capabilities.state {
        let name = &state.plugin.manifest.plugin.name;
        let why = format!("the plugin {name} does not ask for `state` in its manifest, so it may keep nothing");
        return Err(StateError::Denied(why));
    }
    if !state.call.grants.state {
        let why = "keeping values for later runs was denied: the workflow does not grant it. Add to the workflow: permissions: { state: true }";
        state.denied = Some(why.to_owned());
        return Err(StateError::Denied(why.to_owned()));
    }
    if state.kept.calls >= CALLS {
        return Err(StateError::Refused(format!("an attempt reads and changes state at most {CALLS} times")));
    }
    state.kept.calls += 1;
    let nowhere = || StateError::Unavailable("nothing is kept here: this engine has no store for state".to_owned());
    state.call.state.clone().ok_or_else(nowhere)
}

fn scope(state: &State) -> StateScope {
    StateScope { organisation: state.call.organisation.clone(), workflow: state.call.workflow.to_string() }
}
