//! One thread decides when the disk is waited for.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use windflow_core::ports::store::StoreError;

use super::changes::Changes;
use super::guard::{guarded, unwritten_text};
use super::inner::{Inner, Turn};
use super::pending::{Pending, State};
use super::totals::Totals;
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
        let mut turn = self.turn();
        // Nobody has a turn before it is known that it failed.
        let done = self.commit_in_turn(&mut turn).inspect_err(|why| self.fail(why));
        drop(turn);
        if done.is_ok() {
            self.look_at_size();
        }
        done.is_ok()
    }

    fn commit_in_turn(&self, turn: &mut Turn) -> Result<(), StoreError> {
        if let Some((batch, position)) = self.take()? {
            let database = self.database();
            let changes = guarded(&self.dir, || write::changes(&database, &batch))?;
            let batches = self.state().batches + 1;
            let totals = guarded(&self.dir, || database.count(&changes, batches))?;
            if !changes.is_empty() && self.log_durably(turn, totals, &changes, &batch, position)? {
                guarded(&self.dir, || database.put(&changes, totals))?;
                self.state().batches = batches;
                self.write_copy(turn, &changes, batches);
                self.is_applied(&batch, position);
                // Nobody waits for it any more.
                return if turn.ahead.is_due() { self.sync_database(turn) } else { Ok(()) };
            }
            self.write_database(turn, &changes)?;
            self.is_applied(&batch, position);
        }
        let (batches, position) = {
            let state = self.state();
            (state.batches, state.applied)
        };
        if turn.ahead.is_due() {
            self.sync_database(turn)?;
        }
        self.sync(turn, batches, position)
    }

    /// Hands all that is pending to sled, as one atomic batch.
    pub(super) fn apply(&self) -> Result<(), StoreError> {
        self.apply_in_turn(&mut self.turn())
    }

    /// The same, for who holds the turn already.
    pub(super) fn apply_in_turn(&self, turn: &mut Turn) -> Result<(), StoreError> {
        let Some((batch, position)) = self.take()? else { return Ok(()) };
        let written = guarded(&self.dir, || write::changes(&self.database(), &batch));
        let written = written.and_then(|changes| self.write(turn, &changes));
        match written {
            Ok(()) => {
                self.is_applied(&batch, position);
                Ok(())
            }
            Err(why) => {
                self.fail(&why);
                Err(why)
            }
        }
    }

    /// All that is pending, with the position of its last append; none where nothing is.
    fn take(&self) -> Result<Option<(Pending, u64)>, StoreError> {
        let mut state = self.state();
        if let Some(why) = &state.failed {
            return Err(StoreError::ReadOnly(why.clone()));
        }
        if state.applied == state.appended {
            return Ok(None);
        }
        let taken = (state.take(), state.appended);
        drop(state);
        self.room.notify_all();
        Ok(Some(taken))
    }

    fn is_applied(&self, batch: &Pending, position: u64) {
        let mut state = self.state();
        state.give_back(batch);
        state.applied = position;
        state.forget_heads();
        state.recent.forget(position);
    }

    /// Writes a batch to the database without waiting for the disk, and to all that goes with it. After an error the store must
    /// [fail](Self::fail).
    pub(super) fn write(&self, turn: &mut Turn, changes: &Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.write_database(turn, changes)?;
        let totals = self.database().totals();
        self.log(turn, totals, changes).map(drop)
    }

    /// Writes a batch to the database, but not to the log. Only who has the turn changes it.
    fn write_database(&self, turn: &mut Turn, changes: &Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let batches = self.state().batches + 1;
        guarded(&self.dir, || self.database().write(changes, batches))?;
        self.state().batches = batches;
        self.write_copy(turn, changes, batches);
        Ok(())
    }

    /// Writes a batch to the copy that is being made of the database, where there is one.
    fn write_copy(&self, turn: &mut Turn, changes: &Changes, batches: u64) {
        if let Some(copy) = &turn.copy
            && let Err(why) = guarded(&self.dir, || copy.write(changes, batches))
        {
            // The copy is worth nothing any more; the store is as good as before.
            tracing::warn!(dir = %self.dir.display(), %why, "the compaction of the store is given up");
            turn.copy = None;
        }
    }

    /// Writes a batch to the log. False: there is no room for it, and the database itself is synced next.
    fn log(&self, turn: &mut Turn, totals: Totals, changes: &Changes) -> Result<bool, StoreError> {
        turn.ahead.append(totals, changes).map_err(|error| self.unwritten(&error))
    }

    /// The same, and waits until it is durable.
    fn log_durably(
        &self,
        turn: &mut Turn,
        totals: Totals,
        changes: &Changes,
        batch: &Pending,
        position: u64,
    ) -> Result<bool, StoreError> {
        let logged = self.log(turn, totals, changes);
        let durable = logged.and_then(|fits| match fits {
            true => self.sync(turn, totals.batches, position).map(|()| true),
            false => Ok(false),
        });
        if durable.is_err() && self.write_database(turn, changes).is_ok() {
            // Nobody was told that it is durable; readers still find it, as all that was applied.
            self.is_applied(batch, position);
        }
        durable
    }

    /// Waits until the database has on the disk what it was given, and lets the log begin again.
    fn sync_database(&self, turn: &mut Turn) -> Result<(), StoreError> {
        guarded(&self.dir, || self.database().flush())?;
        let synced = turn.files.sync(self.options.disk.as_ref()).and_then(|()| turn.ahead.begin_again());
        synced.map_err(|error| self.unwritten(&error))
    }

    /// Waits until the disk has what the log has, and tells those who wait that all up to a position is durable.
    fn sync(&self, turn: &mut Turn, batches: u64, position: u64) -> Result<(), StoreError> {
        let synced = turn.ahead.sync(self.options.disk.as_ref()).and_then(|()| turn.watermark.write(batches));
        synced.map_err(|error| self.unwritten(&error))?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        state.durable = position;
        // Nobody else can have handed anything on meanwhile.
        state.unsynced_bytes = 0;
        drop(state);
        self.room.notify_all();
        self.progress.send_modify(|progress| progress.durable = position);
        Ok(())
    }

    fn unwritten(&self, error: &std::io::Error) -> StoreError {
        StoreError::ReadOnly(unwritten_text(&self.dir, error))
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
