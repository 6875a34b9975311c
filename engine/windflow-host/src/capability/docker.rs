//! Deploying to targets: only to those that the workflow grants by name, and only where the manifest asks for it. Files of the run go
//! there by the host, never through the guest.

use std::sync::Arc;

use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::RunKey;
use windflow_core::json::Json;
use windflow_core::ports::files::{InvalidFilePath, RunFolder};
use windflow_core::ports::host::{Call, LogLevel};
use windflow_core::ports::targets::{TargetCall, Targets};

use super::{clean, cut};
use crate::attempt::State;
use crate::plugin::Plugin;

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
    let folder = folder(state, &request)?;
    let Call { observer, node, attempt, .. } = &state.call;
    let (observer, node, attempt) = (Arc::clone(observer), node.clone(), *attempt);
    let call = TargetCall {
        organisation: state.call.organisation.clone(),
        target: target.to_owned(),
        request,
        folder,
        run: state.call.run,
        key: Arc::clone(&state.call.key),
        events: Arc::new(move |line| observer.log(&node, attempt, LogLevel::Info, &clean(cut(line, LINE_BYTES)))),
        cancel: Arc::clone(&state.call.cancel),
    };
    targets.perform(call).await
}

/// The folders of the run that a node's configuration names, for targets to get their files.
pub(crate) fn folders(call: &Call, plugin: &Plugin) -> Vec<String> {
    let asked = &plugin.manifest.capabilities;
    if asked.hands_files.is_empty() {
        return Vec::new();
    }
    serde_json::from_slice(&call.config).map(|config| asked.folders(&config)).unwrap_or_default()
}

/// The folder of the run that goes with what is asked: where the manifest asks for that, the workflow grants files, and the node's own
/// configuration names this very folder. The guest gets none of its files; which folder it is, is not its to choose.
fn folder(state: &mut State, request: &Json) -> Result<Option<RunFolder>, Failure> {
    let request = request.value();
    let Some(named) = request["folder"].as_str().filter(|_| request["do"] == "build") else { return Ok(None) };
    if state.plugin.manifest.capabilities.hands_files.is_empty() {
        let name = &state.plugin.manifest.plugin.name;
        let message = format!(
            "the plugin {name} does not ask for `hands_files` in its manifest, so no files of the run go to a target"
        );
        return Err(denied(state, message));
    }
    if !state.folders.iter().any(|folder| folder == named) {
        let shown = clean(cut(named, 100)).into_owned();
        let message = format!("the folder {shown:?} of the run is not the one that the node's configuration names");
        return Err(denied(state, message));
    }
    if !state.call.grants.files {
        let message = "handing files of the run to a target was denied: the workflow does not grant it. Add to the workflow: permissions: { files: true }";
        return Err(denied(state, message.to_owned()));
    }
    let folder = named.parse().map_err(|error: InvalidFilePath| {
        Failure::new(FailureKind::InvalidConfig, format!("`folder` names no folder of the run: {error}"))
    })?;
    let nowhere =
        || Failure::new(FailureKind::Unavailable, "no files are kept here: this engine has no folder for them");
    let files = state.call.files.clone().ok_or_else(nowhere)?;
    let run = RunKey { organisation: state.call.organisation.clone(), run: state.call.run };
    Ok(Some(RunFolder::new(files, run, folder)))
}

fn denied(state: &mut State, message: String) -> Failure {
    state.denied = Some(message.clone());
    Failure { retry: RetryHint::Never, ..Failure::new(FailureKind::Denied, message) }
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
        return Err(denied(state, message));
    }
    Ok(state.shared.targets.get().cloned())
}
