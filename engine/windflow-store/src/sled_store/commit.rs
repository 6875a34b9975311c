//! One thread decides when the disk is waited for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use windflow_core::ports::store::StoreError;

use super::changes::Changes;
use super::guard::{guarded, unwritten_text};
use super::inner::{Inner, Turn};
use super::pending::State;
use super::write;

/// Starts the committer. It ends when the store is closed or a commit fails.
pub(super) fn start(inner: Arc<Inner>) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name("windflow-commit".to_owned())
        .spawn(move || {
            // Should it ever panic, those who wait must not do so for ever.
            while guarded(&inner.dir, || Ok(turn(&inner))).unwrap_or_else(|why| {
                inner.fail(&why);
                false
            }) {}
        })
        .map_err(|error| StoreError::Unavailable(format!("the store's thread cannot be started: {error}")))
}

/// Waits for a reason to commit, and does. False: it was the last time.
fn turn(inner: &Inner) -> bool {
    let mut state = wait_for_reason(inner);
    let last = state.closing || state.failed.is_some();
    if state.failed.is_some() || state.appended == state.durable {
        state.oldest = None;
        return !last;
    }
    state.oldest = None;
    drop(state);
    inner.commit() && !last
}

fn wait_for_reason(inner: &Inner) -> MutexGuard<'_, State> {
    let mut state = inner.state();
    loop {
        let asked = state.wanted > state.durable || state.closing || state.failed.is_some();
        if asked || state.undurable_bytes() >= inner.eager_bytes() {
            return state;
        }
        state = match state.oldest {
            None => inner.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(since) => match inner.options.commit_within.checked_sub(since.elapsed()) {
                None => return state,
                Some(left) => inner.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            },
        };
    }
}

impl Inner {
    /// Makes all that was appended so far durable. False: it failed, and the store takes no more.
    fn commit(&self) -> bool {
        let done = self.apply().and_then(|()| {
            let (position, batches, bytes) = {
                let state = self.state();
                (state.applied, state.batches, state.unsynced_bytes)
            };
            self.sync(batches)?;
            Ok((position, bytes))
        });
        match done {
            Ok((position, bytes)) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                let mut state = self.state();
                state.durable = position;
                // What others handed to sled meanwhile is not in it.
                state.unsynced_bytes -= bytes.min(state.unsynced_bytes);
                drop(state);
                self.room.notify_all();
                self.progress.send_modify(|progress| progress.durable = position);
                self.look_at_size();
                true
            }
            Err(why) => {
                self.fail(&why);
                false
            }
        }
    }

    /// Hands all that is pending to sled, as one atomic batch.
    pub(super) fn apply(&self) -> Result<(), StoreError> {
        self.apply_in_turn(&mut self.turn())
    }

    /// The same, for who holds the turn already.
    pub(super) fn apply_in_turn(&self, turn: &mut Turn) -> Result<(), StoreError> {
        let (batch, position) = {
            let mut state = self.state();
            if let Some(why) = &state.failed {
                return Err(StoreError::ReadOnly(why.clone()));
            }
            if state.applied == state.appended {
                return Ok(());
            }
            (state.take(), state.appended)
        };
        self.room.notify_all();
        let written = guarded(&self.dir, || write::changes(&self.database(), &batch));
        let written = written.and_then(|changes| self.write(turn, &changes));
        match written {
            Ok(()) => {
                let mut state = self.state();
                state.give_back(&batch);
                state.applied = position;
                state.forget_heads();
                state.recent.forget(position);
                Ok(())
            }
            Err(why) => {
                self.fail(&why);
                Err(why)
            }
        }
    }

    /// Writes a batch to the database, and to the copy that is being made of it, where there is one. After an error the
    /// store must [fail](Self::fail).
    pub(super) fn write(&self, turn: &mut Turn, changes: &Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        // Only who has the turn changes it.
        let batches = self.state().batches + 1;
        guarded(&self.dir, || self.database().write(changes, batches))?;
        self.state().batches = batches;
        if let Some(copy) = &turn.copy
            && let Err(why) = guarded(&self.dir, || copy.write(changes, batches))
        {
            // The copy is worth nothing any more; the store is as good as before.
            tracing::warn!(dir = %self.dir.display(), %why, "the compaction of the store is given up");
            turn.copy = None;
        }
        Ok(())
    }

    /// Waits until what sled has is on the disk.
    fn sync(&self, batches: u64) -> Result<(), StoreError> {
        guarded(&self.dir, || self.database().flush())?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, watermark) = &mut *files;
        let synced = files.sync(self.options.disk.as_ref()).and_then(|()| watermark.write(batches));
        synced.map_err(|error| StoreError::ReadOnly(unwritten_text(&self.dir, &error)))
    }

    /// Something was not written, and nobody can know what the disk has: the store takes no more.
    pub(super) fn fail(&self, why: &StoreError) {
        let why = match why {
            StoreError::ReadOnly(why) => why.clone(),
            other => other.to_string(),
        };
        let why = {
            let mut state = self.state();
            state.failed.get_or_insert(why).clone()
        };
        tracing::error!(dir = %self.dir.display(), why, "the store is read-only until it is opened again");
        self.room.notify_all();
        self.work.notify_one();
        self.progress.send_modify(|progress| {
            progress.failed.get_or_insert(why);
        });
    }
}
