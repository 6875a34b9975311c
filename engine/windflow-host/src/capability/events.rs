//! Publishing events: only those that the workflow grants by name, and only where the manifest asks for it.

use std::sync::Arc;

use serde_json::json;
use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::events::{MAX_EVENT_DATA_BYTES, Publication};
use windflow_core::ports::host::{Call, LogLevel};

use super::{clean, cut};
use crate::attempt::State;

/// The most events that an attempt publishes.
const EVENTS: u32 = 100;

/// Publishes one.
pub(crate) async fn publish(state: &mut State, name: String, mut data: Vec<u8>) -> Result<Json, Failure> {
    allowed(state, &name)?;
    if let Some(held) = &state.held {
        // The credential of an attempt is told to nobody.
        held.scrubber.bytes(&mut data);
    }
    if data.len() > MAX_EVENT_DATA_BYTES {
        let why = format!(
            "{} bytes are too much for an event: at most {MAX_EVENT_DATA_BYTES} go with it; name what it is about, and let who listens get the rest",
            data.len()
        );
        return Err(Failure { code: "event_too_large".into(), ..Failure::new(FailureKind::Node, why) });
    }
    let data = Json::parse(data)
        .map_err(|error| Failure::new(FailureKind::Node, format!("what goes with the event is no JSON: {error}")))?;
    let Call { observer, node, attempt, events, .. } = &state.call;
    let Some(events) = events.clone() else {
        let told =
            format!("the event {name} was published, and nobody listens here: events start workflows of a server");
        observer.log(node, *attempt, LogLevel::Warn, &told);
        return Ok(Json::from(json!({ "started": [] })));
    };
    let key = format!("{}/{}", state.call.key, state.published);
    state.published += 1;
    let publication =
        Publication { organisation: state.call.organisation.clone(), name, data, run: state.call.run, key };
    Arc::clone(&events).publish(publication).await
}

/// Every key has to agree. What is denied names the line to add.
fn allowed(state: &mut State, name: &str) -> Result<(), Failure> {
    if !state.plugin.manifest.capabilities.events {
        let plugin = &state.plugin.manifest.plugin.name;
        let why = format!("the plugin {plugin} does not ask for `events` in its manifest, so it may publish none");
        return Err(Failure::new(FailureKind::Denied, why));
    }
    if !state.call.grants.events.iter().any(|granted| granted.covers(name)) {
        let shown = clean(cut(name, 100)).into_owned();
        let why = format!(
            "the event {shown:?} was denied: the workflow does not grant it. Add to the workflow: permissions: {{ events: [{shown}] }}"
        );
        state.denied = Some(why.clone());
        return Err(Failure { retry: RetryHint::Never, ..Failure::new(FailureKind::Denied, why) });
    }
    if state.published >= EVENTS {
        let why = format!("an attempt publishes at most {EVENTS} events");
        return Err(Failure::new(FailureKind::LimitExceeded, why));
    }
    Ok(())
}
