//! Deploying to targets: only to those that the workflow grants by name, and only where the manifest asks for it.

use std::sync::Arc;

use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::host::{Call, LogLevel};
use windflow_core::ports::targets::{TargetCall, Targets};

use super::{clean, cut};
use crate::attempt::State;

/// Longest line that is told of what goes on.
const LINE_BYTES: usize = 1 << 10;

/// Asks something of a target.
pub(crate) async fn perform(state: &mut State, target: &str, request: Vec<u8>) -> Result<Json, Failure> {
    let Some(targets) = allowed(state, target)? else {
        return Err(Failure::new(
            FailureKind::Unavailable,
            "nothing is deployed from here: this process knows no targets",
        ));
    };
    let request = Json::parse(request)
        .map_err(|error| Failure::new(FailureKind::Node, format!("what is asked of the target is no JSON: {error}")))?;
    let Call { observer, node, attempt, .. } = &state.call;
    let (observer, node, attempt) = (Arc::clone(observer), node.clone(), *attempt);
    let call = TargetCall {
        organisation: state.call.organisation.clone(),
        target: target.to_owned(),
        request,
        run: state.call.run,
        key: Arc::clone(&state.call.key),
        events: Arc::new(move |line| observer.log(&node, attempt, LogLevel::Info, &clean(cut(line, LINE_BYTES)))),
        cancel: Arc::clone(&state.call.cancel),
    };
    targets.perform(call).await
}

/// Every key has to agree. What is denied names the line to add.
fn allowed(state: &mut State, target: &str) -> Result<Option<Arc<dyn Targets>>, Failure> {
    if !state.plugin.manifest.capabilities.docker {
        let name = &state.plugin.manifest.plugin.name;
        let message = format!("the plugin {name} does not ask for `docker` in its manifest, so it may not deploy");
        return Err(Failure::new(FailureKind::Denied, message));
    }
    if !state.call.grants.docker.iter().any(|granted| granted == target) {
        let shown = clean(cut(target, 100)).into_owned();
        let message = format!(
            "the target {shown:?} was denied: the workflow does not grant it. Add to the workflow: permissions: {{ docker: [{shown}] }}"
        );
        state.denied = Some(message.clone());
        return Err(Failure { retry: RetryHint::Never, ..Failure::new(FailureKind::Denied, message) });
    }
    Ok(state.shared.targets.get().cloned())
}
