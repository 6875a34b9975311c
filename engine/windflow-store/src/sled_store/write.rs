//! What a batch of appends changes.

use std::collections::BTreeSet;

use windflow_core::id::RunKey;
use windflow_core::ports::store::{RunStatus, StoreError};

use super::changes::Changes;
use super::database::Database;
use super::layout::{self, Section};
use super::pending::{Pending, PendingRun};
use super::records;
use super::references::References;
use crate::order;

/// The changes that put a batch into the database.
pub(super) fn changes(database: &Database, batch: &Pending) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    let mut references = References::new(database);
    for ((organisation, digest), content) in &batch.blobs {
        references.keep(&layout::blob(organisation, digest), content, &mut changes)?;
    }
    for (key, run) in &batch.runs {
        for chunk in &run.chunks {
            let mut prefix = layout::run(key);
            prefix.extend_from_slice(&chunk.first.to_be_bytes());
            changes.put_parts(Section::Journal, &prefix, &chunk.bytes);
        }
        let user = layout::uses_of(key);
        for digest in run.mentions.iter().collect::<BTreeSet<_>>() {
            references.mention(&key.organisation, &user, digest, &mut changes)?;
        }
        list(key, run, &mut changes)?;
    }
    for (place, value) in &batch.records {
        records::write(database, place, value.as_deref(), &mut changes)?;
    }
    if let Some(version) = batch.record_version {
        changes.put(Section::Records, layout::RECORD_VERSION.to_vec(), &version.to_be_bytes());
    }
    // Appends only add uses: there is nothing to let go of.
    references.settle(|_| true, &mut changes)?;
    Ok(changes)
}

/// Brings the read model of a run up to date.
fn list(key: &RunKey, run: &PendingRun, changes: &mut Changes) -> Result<(), StoreError> {
    let Some(new) = &run.summary else { return Ok(()) };
    if run.stored == Some(new.status) && !new.status.is_ended() {
        // Only its sequence would be new, which the journal says as well: half of what an event costs.
        return Ok(());
    }
    let json = serde_json::to_vec(new).map_err(|error| {
        // No summary is like that; if one ever were, nothing must be written.
        StoreError::Invalid(format!("the summary of run {} cannot be written: {error}", key.run))
    })?;
    changes.put(Section::Runs, layout::run(key), &json);
    if run.stored == Some(new.status) {
        return Ok(());
    }
    let index = |workflow: bool, status: RunStatus| {
        let prefix = layout::index(&key.organisation, workflow.then_some(&new.workflow), status);
        layout::at_place(prefix, order::place(new))
    };
    if let Some(old) = run.stored {
        changes.remove(Section::ByStatus, index(false, old));
        changes.remove(Section::ByWorkflow, index(true, old));
    }
    changes.put(Section::ByStatus, index(false, new.status), &[]);
    changes.put(Section::ByWorkflow, index(true, new.status), &[]);
    match (run.stored.is_some_and(|status| !status.is_ended()), !new.status.is_ended()) {
        (false, true) => changes.put(Section::Unfinished, layout::run(key), &new.started_at.0.to_be_bytes()),
        (true, false) => changes.remove(Section::Unfinished, layout::run(key)),
        (true, true) | (false, false) => {}
    }
    Ok(())
}
