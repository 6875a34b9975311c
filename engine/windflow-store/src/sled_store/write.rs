//! Handing a batch to sled, and the few reads that writing needs.

use std::path::Path;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional, TransactionalTree};
use sled::{Db, Tree};
use windflow_core::id::RunKey;
use windflow_core::ports::store::{RunStatus, RunSummary, StoreError};

use super::guard::{damaged, failed};
use super::layout::{self, PART_BYTES};
use super::pending::{Pending, PendingRun};
use super::records;
use crate::{order, summary};

/// The open trees; [`layout`] says what is in them.
#[derive(Debug)]
pub(super) struct Trees {
    pub(super) journal: Tree,
    pub(super) runs: Tree,
    pub(super) by_status: Tree,
    pub(super) by_workflow: Tree,
    pub(super) unfinished: Tree,
    pub(super) blobs: Tree,
    pub(super) records: Tree,
    meta: Tree,
}

impl Trees {
    pub(super) fn open(db: &Db) -> Result<Self, sled::Error> {
        Ok(Self {
            journal: db.open_tree(layout::JOURNAL)?,
            runs: db.open_tree(layout::RUNS)?,
            by_status: db.open_tree(layout::BY_STATUS)?,
            by_workflow: db.open_tree(layout::BY_WORKFLOW)?,
            unfinished: db.open_tree(layout::UNFINISHED)?,
            blobs: db.open_tree(layout::BLOBS)?,
            records: db.open_tree(layout::RECORDS)?,
            meta: db.open_tree(layout::META)?,
        })
    }

    /// How many batches were ever applied.
    pub(super) fn batches(&self, dir: &Path) -> Result<u64, StoreError> {
        self.count(dir, layout::BATCHES)
    }

    /// The version of the last change of a value.
    pub(super) fn record_version(&self, dir: &Path) -> Result<u64, StoreError> {
        self.count(dir, layout::RECORD_VERSION)
    }

    fn count(&self, dir: &Path, key: &[u8]) -> Result<u64, StoreError> {
        let value = self.meta.get(key).map_err(|error| failed(dir, &error))?;
        let Some(value) = value else { return Ok(0) };
        let value = <[u8; 8]>::try_from(&*value).map_err(|_| damaged(dir, "a count is no number"))?;
        Ok(u64::from_be_bytes(value))
    }

    pub(super) fn summary(&self, dir: &Path, run: &RunKey) -> Result<Option<RunSummary>, StoreError> {
        let value = self.runs.get(layout::run(run)).map_err(|error| failed(dir, &error))?;
        let parse = |value: sled::IVec| {
            serde_json::from_slice(&value)
                .map_err(|error| damaged(dir, format_args!("the summary of run {} cannot be read: {error}", run.run)))
        };
        value.map(parse).transpose()
    }

    /// Writes a batch: all of it, or nothing.
    pub(super) fn write(&self, dir: &Path, batch: &Pending, batches: u64) -> Result<(), StoreError> {
        let trees = [
            &self.journal,
            &self.runs,
            &self.by_status,
            &self.by_workflow,
            &self.unfinished,
            &self.blobs,
            &self.records,
            &self.meta,
        ];
        let done = trees.as_slice().transaction(|trees| {
            let [journal, runs, by_status, by_workflow, unfinished, blobs, records, meta] = trees.as_slice() else {
                return Err(ConflictableTransactionError::Abort(()));
            };
            for ((organisation, digest), content) in &batch.blobs {
                put_parts(blobs, &layout::blob(organisation, digest), content)?;
            }
            for (key, run) in &batch.runs {
                for chunk in &run.chunks {
                    let mut prefix = layout::run(key);
                    prefix.extend_from_slice(&chunk.first.to_be_bytes());
                    put_parts(journal, &prefix, &chunk.bytes)?;
                }
                list(key, run, [runs, by_status, by_workflow, unfinished])?;
            }
            for (place, value) in &batch.records {
                records::write(records, place, value.as_ref())?;
            }
            if let Some(version) = batch.record_version {
                meta.insert(layout::RECORD_VERSION, &version.to_be_bytes())?;
            }
            meta.insert(layout::BATCHES, &batches.to_be_bytes())?;
            Ok(())
        });
        match done {
            Ok(()) => Ok(()),
            Err(TransactionError::Storage(error)) => Err(failed(dir, &error)),
            Err(TransactionError::Abort(())) => Err(damaged(dir, "the batch does not fit the trees")),
        }
    }
}

pub(super) type Done = Result<(), ConflictableTransactionError<()>>;

pub(super) fn put_parts(tree: &TransactionalTree, prefix: &[u8], content: &[u8]) -> Done {
    // Content without a byte has one part, so that it can be found.
    let first = content.get(..PART_BYTES.min(content.len())).unwrap_or_default();
    tree.insert(layout::part(prefix, 0), first)?;
    for (number, part) in (1..).zip(content.chunks(PART_BYTES).skip(1)) {
        tree.insert(layout::part(prefix, number), part)?;
    }
    Ok(())
}

/// Brings the read model of a run up to date.
fn list(key: &RunKey, run: &PendingRun, trees: [&TransactionalTree; 4]) -> Done {
    let [runs, by_status, by_workflow, unfinished] = trees;
    let Some(new) = &run.summary else { return Ok(()) };
    let json = serde_json::to_vec(new).map_err(|_| ConflictableTransactionError::Abort(()))?;
    runs.insert(layout::run(key), json)?;
    if run.stored == Some(new.status) {
        return Ok(());
    }
    let index = |workflow: bool, status: RunStatus| {
        let prefix = layout::index(&key.organisation, workflow.then_some(&new.workflow), status);
        layout::at_place(prefix, order::place(new))
    };
    if let Some(old) = run.stored {
        by_status.remove(index(false, old))?;
        by_workflow.remove(index(true, old))?;
    }
    by_status.insert(index(false, new.status), &[])?;
    by_workflow.insert(index(true, new.status), &[])?;
    match (run.stored.is_some_and(summary::is_unfinished), summary::is_unfinished(new.status)) {
        (false, true) => drop(unfinished.insert(layout::run(key), &new.started_at.0.to_be_bytes())?),
        (true, false) => drop(unfinished.remove(layout::run(key))?),
        (true, true) | (false, false) => {}
    }
    Ok(())
}
