//! One thread decides when the disk is waited for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use windflow_core::ports::store::StoreError;

use super::guard::{failed, guarded};
use super::inner::Inner;
use super::pending::State;

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
        if asked || state.pending.bytes >= inner.eager_bytes() {
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
            let (position, batches) = {
                let state = self.state();
                (state.applied, state.batches)
            };
            self.sync(batches)?;
            Ok(position)
        });
        match done {
            Ok(position) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                self.state().durable = position;
                self.progress.send_modify(|progress| progress.durable = position);
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
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.apply_in_turn()
    }

    /// The same, for who holds the turn already.
    pub(super) fn apply_in_turn(&self) -> Result<(), StoreError> {
        let (batch, position, batches) = {
            let mut state = self.state();
            if let Some(why) = &state.failed {
                return Err(StoreError::ReadOnly(why.clone()));
            }
            if state.applied == state.appended {
                return Ok(());
            }
            (state.take(), state.appended, state.batches + 1)
        };
        self.room.notify_all();
        let written = guarded(&self.dir, || self.trees.write(&self.dir, &batch, batches));
        match written {
            Ok(()) => {
                let mut state = self.state();
                state.applied = position;
                state.batches = batches;
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

    /// Waits until what sled has is on the disk.
    fn sync(&self, batches: u64) -> Result<(), StoreError> {
        guarded(&self.dir, || self.db.flush().map_err(|error| failed(&self.dir, &error)))?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, watermark) = &mut *files;
        let synced = files.sync(self.options.disk.as_ref()).and_then(|()| watermark.write(batches));
        synced.map_err(|error| {
            StoreError::ReadOnly(format!("its files in {} cannot be written: {error}", self.dir.display()))
        })
    }

    fn fail(&self, why: &StoreError) {
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
