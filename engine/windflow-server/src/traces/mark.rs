//! How far runs that go on were told: a process that takes them up goes on from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::records::{Change, Expected, MAX_RECORD_CHANGES, MAX_RECORD_PAGE, RecordsError};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Sequence;

use crate::kept;
use crate::state::App;

const PREFIX: &str = "traces/";

/// What is to be kept of a run.
pub(super) enum Mark {
    /// So much of its journal was told.
    Told(RunKey, Sequence),
    /// Nothing any more: it is over.
    Over(RunKey),
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    organisation: OrganisationId,
    run: RunId,
    told: Sequence,
}

fn place(key: &RunKey) -> String {
    format!("{PREFIX}{}/{}", key.organisation, key.run)
}

/// How far a run was told, where a part of it was.
pub(super) fn of(app: &App, key: &RunKey) -> Option<Sequence> {
    let kept = kept::read::<Kept>(&*app.records, &OrganisationId::installation(), &place(key));
    // It is told as a whole then, with the same ids.
    let kept =
        kept.inspect_err(|error| tracing::warn!(run = %key.run, %error, "how far a run was told cannot be read"));
    kept.ok().flatten().map(|kept| kept.value.told)
}

/// The runs with a mark of which something holds.
pub(super) fn marked(app: &App, holds: impl Fn(&RunKey) -> bool) -> Result<Vec<RunKey>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let installation = OrganisationId::installation();
        let (marks, next) =
            kept::scan::<Kept>(&*app.records, &installation, PREFIX, after.as_deref(), MAX_RECORD_PAGE)?;
        let keys = marks.into_iter().map(|kept| RunKey { organisation: kept.value.organisation, run: kept.value.run });
        found.extend(keys.filter(&holds));
        after = next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Keeps marks, durably. Of several of a run the last counts.
pub(super) async fn keep(app: &App, marks: Vec<Mark>) -> Result<(), RecordsError> {
    let installation = OrganisationId::installation();
    let mut changes = BTreeMap::new();
    for mark in marks {
        let change = match mark {
            Mark::Told(key, told) => {
                let place = place(&key);
                let kept = Kept { organisation: key.organisation, run: key.run, told };
                Change::put(&installation, place, Expected::Any, kept::encode(&kept)?)
            }
            Mark::Over(key) => Change::delete(&installation, place(&key), Expected::Any),
        };
        changes.insert(change.key.clone(), change);
    }
    let changes: Vec<_> = changes.into_values().collect();
    let mut position = None;
    for together in changes.chunks(MAX_RECORD_CHANGES) {
        position = Some(app.records.batch(together.to_vec())?.position);
    }
    if let Some(position) = position {
        app.records.durable(position).await?;
    }
    Ok(())
}
