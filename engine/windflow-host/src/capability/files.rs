//! The scratch folder of the run: where the workflow grants it and the manifest asks for it, each run its own.

use std::sync::Arc;

use windflow_core::failure::{Failure, FailureKind, RetryHint};
use windflow_core::id::RunKey;
use windflow_core::ports::files::{FileEntry, FilePath, FileStore, FilesError, InvalidFilePath, MAX_FILE_CALL_BYTES};

use crate::attempt::State;

/// The most calls of one attempt: what is written in small pieces has many.
const CALLS: u32 = 100_000;

/// What an attempt has done so far.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    calls: u32,
    /// Whether something may have been changed that is not on the disk yet.
    wrote: bool,
}

pub(crate) async fn read(state: &mut State, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, FilesError> {
    let (files, run) = allowed(state)?;
    let path = parsed(path)?;
    if length as usize > MAX_FILE_CALL_BYTES {
        return Err(too_much("read"));
    }
    on_disk(move || files.read(&run, &path, offset, length)).await
}

pub(crate) async fn write(state: &mut State, path: &str, offset: u64, mut bytes: Vec<u8>) -> Result<(), FilesError> {
    let (files, run) = allowed(state)?;
    let path = parsed(path)?;
    if bytes.len() > MAX_FILE_CALL_BYTES {
        return Err(too_much("written"));
    }
    // The credential of an attempt is kept nowhere.
    if let Some(held) = &state.held {
        held.scrubber.bytes(&mut bytes);
    }
    state.touched.wrote = true;
    on_disk(move || files.write(&run, &path, offset, &bytes)).await
}

pub(crate) async fn list(state: &mut State, below: &str) -> Result<Vec<FileEntry>, FilesError> {
    let (files, run) = allowed(state)?;
    let below = folder(below)?;
    on_disk(move || files.list(&run, below.as_ref())).await
}

pub(crate) async fn remove(state: &mut State, below: &str) -> Result<u32, FilesError> {
    let (files, run) = allowed(state)?;
    let below = folder(below)?;
    state.touched.wrote = true;
    on_disk(move || files.remove(&run, below.as_ref())).await
}

/// What an attempt wrote is on the disk before anybody is told how it ended: a run that goes on after the loss of power finds
/// the files of the nodes whose ends it knows.
pub(crate) async fn settle(state: &mut State) -> Result<(), Failure> {
    let Some(files) = state.call.files.clone().filter(|_| state.touched.wrote) else { return Ok(()) };
    let run = run(state);
    let settled = on_disk(move || files.settle(&run)).await;
    settled.map_err(|error| {
        let failure = Failure::new(FailureKind::Unavailable, format!("the files of the run are not safe: {error}"));
        Failure { retry: RetryHint::MayHelp, ..failure }
    })
}

/// Every key has to agree. What is denied names the line to add.
fn allowed(state: &mut State) -> Result<(Arc<dyn FileStore>, RunKey), FilesError> {
    if !state.plugin.manifest.capabilities.files {
        let name = &state.plugin.manifest.plugin.name;
        let why = format!("the plugin {name} does not ask for `files` in its manifest, so it may keep none");
        return Err(FilesError::Denied(why));
    }
    if !state.call.grants.files {
        let why = "keeping files of the run was denied: the workflow does not grant it. Add to the workflow: permissions: { files: true }";
        state.denied = Some(why.to_owned());
        return Err(FilesError::Denied(why.to_owned()));
    }
    if state.touched.calls >= CALLS {
        return Err(FilesError::Refused(format!("an attempt reads and changes files at most {CALLS} times")));
    }
    state.touched.calls += 1;
    let nowhere = || FilesError::Unavailable("no files are kept here: this engine has no folder for them".to_owned());
    Ok((state.call.files.clone().ok_or_else(nowhere)?, run(state)))
}

fn run(state: &State) -> RunKey {
    RunKey { organisation: state.call.organisation.clone(), run: state.call.run }
}

fn parsed(path: &str) -> Result<FilePath, FilesError> {
    path.parse().map_err(|error: InvalidFilePath| FilesError::Refused(error.to_string()))
}

/// A folder, or nothing: the folder of the run.
fn folder(path: &str) -> Result<Option<FilePath>, FilesError> {
    if path.is_empty() { Ok(None) } else { parsed(path).map(Some) }
}

fn too_much(what: &str) -> FilesError {
    FilesError::Refused(format!("at most {} MiB are {what} at once: take several steps", MAX_FILE_CALL_BYTES >> 20))
}

/// Waits for the disk where that holds nobody up.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FilesError> + Send + 'static,
) -> Result<T, FilesError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(FilesError::Unavailable(format!("the files could not be reached: {error}"))))
}
