//! Forgetting runs.
//!
//! One transaction takes a run out of every list, together with as much of its journal as is removed in one go. Where there
//! is more, the run stays in `deleted` until the rest is gone: after a crash the next opening goes on with it.

use std::sync::MutexGuard;

use windflow_core::id::RunKey;
use windflow_core::ports::store::{Position, RunSummary, StoreError};

use super::changes::Changes;
use super::database::Database;
use super::guard::{damaged, failed, guarded};
use super::inner::{Inner, Turn};
use super::layout::{self, STATUSES, Section};
use super::references::References;
use crate::memory::not_found_run;
use crate::{order, summary};

/// Keys that are removed in one transaction, about; others wait for it.
const STEP: usize = 2000;

/// Contents that nobody mentions any more are looked at in passing, so many at a deletion.
const COLLECT: usize = 64;

impl Inner {
    pub(super) fn delete(&self, run: &RunKey) -> Result<Position, StoreError> {
        let mut turn = self.turn();
        self.begin_deletion(&mut turn, run)?;
        let deleted = guarded(&self.dir, || self.database().summary(run))
            .and_then(|found| found.ok_or_else(|| not_found_run(run.run)))
            .and_then(|found| summary::deletable(&found).map(|()| found))
            .and_then(|found| self.forget(turn, run, &found));
        let mut state = self.state();
        state.deleting.remove(run);
        // Who looked the run up while it was being deleted has to look again.
        state.forgotten += 1;
        drop(state);
        self.room.notify_all();
        deleted
    }

    /// Waits until the run has nothing pending, and keeps it so.
    fn begin_deletion(&self, turn: &mut Turn, run: &RunKey) -> Result<(), StoreError> {
        loop {
            self.apply_in_turn(turn)?;
            let mut state = self.state();
            if let Some(why) = &state.failed {
                return Err(StoreError::ReadOnly(why.clone()));
            }
            if state.pending.runs.contains_key(run) {
                continue;
            }
            state.heads.remove(run);
            state.deleting.insert(run.clone());
            return Ok(());
        }
    }

    fn forget(&self, turn: MutexGuard<'_, Turn>, run: &RunKey, found: &RunSummary) -> Result<Position, StoreError> {
        let mut turn = Some(turn);
        let mut first = true;
        loop {
            // Others have their turn between two steps.
            let mut now = turn.take().unwrap_or_else(|| self.turn());
            let (changes, more) = guarded(&self.dir, || {
                let database = self.database();
                let mut changes = Changes::default();
                if first {
                    unlist(run, found, &mut changes);
                }
                let more = self.removal(&database, run, &mut changes)?;
                Ok((changes, more))
            })?;
            first = false;
            self.write(&mut now, &changes).inspect_err(|why| self.fail(why))?;
            let mut state = self.state();
            state.note_append();
            let position = Position(state.appended);
            drop(state);
            self.work.notify_one();
            if !more {
                return Ok(position);
            }
        }
    }

    /// Adds the next part of what is to be removed of a run. Says whether there is more.
    fn removal(&self, database: &Database, run: &RunKey, changes: &mut Changes) -> Result<bool, StoreError> {
        let mut more = false;
        let mut references = References::new(database);
        for entry in database.scan(Section::Journal, &layout::run(run))? {
            if changes.len() > STEP {
                more = true;
                break;
            }
            changes.remove(Section::Journal, entry?.0);
        }
        for entry in database.scan(Section::Uses, &layout::uses_of(run))? {
            // Content can be large, and all of it goes at once: one of them more is the most.
            if more || changes.len() > STEP {
                more = true;
                break;
            }
            let (key, _) = entry?;
            let digest = layout::used(&key).ok_or_else(|| damaged(&self.dir, "a use has a key that is none"))?;
            references.release(&layout::blob(&run.organisation, &digest))?;
            changes.remove(Section::Uses, key);
            references.settle(|key| self.state().lent.contains(key), changes)?;
        }
        self.collect(database, references, COLLECT, changes)?;
        if more {
            changes.put(Section::Deleted, layout::run(run), &[]);
        } else {
            changes.remove(Section::Deleted, layout::run(run));
        }
        Ok(more)
    }

    /// Lets go of content that nobody mentions and that is no longer lent. There is little of it.
    fn collect(
        &self,
        database: &Database,
        mut references: References<'_>,
        most: usize,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        for key in database.tree(Section::Unused)?.iter().keys().take(most) {
            let key = key.map_err(|error| failed(&self.dir, &error))?;
            if changes.len() > 2 * STEP {
                break;
            }
            if !self.state().lent.contains(&key.to_vec()) {
                references.reconsider(&key)?;
                references.settle(|_| false, changes)?;
            }
        }
        Ok(())
    }

    /// Goes on with what a crash interrupted, and lets go of content that was kept for a mention that never came.
    pub(super) fn finish_deletions(&self) -> Result<(), StoreError> {
        let mut turn = self.turn();
        loop {
            let (changes, more) = guarded(&self.dir, || {
                let database = self.database();
                let mut changes = Changes::default();
                if let Some(entry) = database.scan(Section::Deleted, &[])?.next() {
                    let run = layout::run_key(&entry?.0)
                        .ok_or_else(|| damaged(&self.dir, "a deleted run has a key that is none"))?;
                    self.removal(&database, &run, &mut changes)?;
                    return Ok((changes, true));
                }
                self.collect(&database, References::new(&database), STEP, &mut changes)?;
                let more = !changes.is_empty();
                Ok((changes, more))
            })?;
            if !more {
                return Ok(());
            }
            self.write(&mut turn, &changes)?;
        }
    }
}

/// Takes a run out of everything that lists it.
fn unlist(run: &RunKey, found: &RunSummary, changes: &mut Changes) {
    let place = order::place(found);
    changes.remove(Section::Runs, layout::run(run));
    changes.remove(Section::Unfinished, layout::run(run));
    // One status is what it is listed under; removing the others costs nothing and leaves nothing, whatever happened.
    for status in STATUSES {
        for workflow in [None, Some(&found.workflow)] {
            let section = if workflow.is_some() { Section::ByWorkflow } else { Section::ByStatus };
            changes.remove(section, layout::at_place(layout::index(&run.organisation, workflow, status), place));
        }
    }
}
