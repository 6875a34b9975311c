//! The files of a run go with it.

use std::sync::Arc;

use windflow_core::id::RunKey;
use windflow_core::ports::store::StoreError;

use crate::service::Inner;

/// The run has ended, durably.
pub(crate) async fn forget(inner: &Arc<Inner>, key: &RunKey) {
    let Some(files) = inner.config.files.clone() else { return };
    let run = key.clone();
    let forgotten = inner.config.guests.spawn_blocking(move || files.forget(&run)).await;
    if let Ok(Err(error)) = forgotten {
        tracing::warn!(run = %key.run, %error, "files of a run that has ended are left until the next start");
    }
}

/// Takes away what is left of runs that have ended, or that nobody knows any more.
pub(crate) fn sweep(inner: &Arc<Inner>) {
    let Some(files) = &inner.config.files else { return };
    let found = match files.runs() {
        Ok(found) => found,
        Err(error) => return tracing::warn!(%error, "files of runs that have ended may be left"),
    };
    for key in found {
        // Of a run whose state cannot be read nothing is taken away.
        let over = match inner.store.run(&key) {
            Ok(run) => run.finished_at.is_some(),
            Err(error) => matches!(error, StoreError::NotFound(_)),
        };
        if over && let Err(error) = files.forget(&key) {
            tracing::warn!(run = %key.run, %error, "files of a run that has ended are left");
        }
    }
}
