//! Giving room back. sled keeps what it once took, so the store is copied and the copy takes its place.
//!
//! 1. A new database is opened beside the present one. From then on every batch is written to both.
//! 2. All entries are copied in steps, between which others have their turn. What changes meanwhile changes in both, so that
//!    at the end both are the same.
//! 3. The copy is flushed and synced, and compared by what both count.
//! 4. The file `format` is replaced by one that names the copy. Before that a crash leaves the old database in use, after it
//!    the new one; the other is removed by the next opening.
//! 5. The old one is closed once nobody reads from it, and removed.

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sled::IVec;
use windflow_core::ports::store::StoreError;

use super::changes::Changes;
use super::database::Database;
use super::disk::{Files, bytes_in};
use super::folder::unwritable;
use super::guard::{damaged, failed, guarded};
use super::inner::{Inner, Turn};
use super::layout::Section;
use super::merge::Merge;
use super::write_ahead::WriteAhead;

/// What is copied in one step, while nobody else writes: some milliseconds.
const STEP_ENTRIES: usize = 400;
const STEP_BYTES: usize = 256 << 10;

/// Values from this size on are put after their keys, for so many bytes of them in one stretch.
const LARGE_BYTES: usize = 1 << 10;
const STRETCH_BYTES: usize = 4 << 20;

/// What is copied between two syncs.
const SYNC_BYTES: usize = 4 << 20;

/// How long those who wait are let through between two steps.
const PAUSE: Duration = Duration::from_micros(200);

/// How often the size is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long to wait for those who still read the old database. Longer reads leave it to the next opening.
const READERS: Duration = Duration::from_secs(10);

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk after.
    pub after: u64,
}

/// When a compaction is due, and the wish for one.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    wish: Mutex<Wish>,
    changed: Condvar,
    /// Held while one is at work.
    pub(super) running: Mutex<()>,
}

#[derive(Debug, Default)]
struct Wish {
    wanted: bool,
    closing: bool,
    looked: Option<Instant>,
    /// Hundredths of what it holds that the store took after the last one. The next waits until it is worse than that, or
    /// it would never end where data cannot be packed.
    reached: u64,
}

impl Compactor {
    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self) {
        self.wish().closing = true;
        self.changed.notify_all();
    }

    /// Waits until one is wanted. False: the store is being closed.
    fn wait(&self) -> bool {
        let wish = self.wish();
        let mut wish =
            self.changed.wait_while(wish, |wish| !wish.wanted && !wish.closing).unwrap_or_else(PoisonError::into_inner);
        wish.wanted = false;
        !wish.closing
    }
}

/// A copy of everything, and what goes with it.
pub(super) struct Whole {
    pub(super) copy: Arc<Database>,
    pub(super) files: Files,
    /// Nothing is in it.
    ahead: WriteAhead,
}

/// What was done in one step.
#[derive(Debug, Default)]
struct Step {
    entries: usize,
    bytes: usize,
    /// There are values that were left out.
    large: bool,
}

/// Starts the thread that compacts when it is due.
pub(super) fn start(inner: Arc<Inner>) -> Result<JoinHandle<()>, StoreError> {
    let work = move || {
        while inner.compaction.wait() {
            match inner.compact() {
                Ok(Compacted { before, after }) => {
                    tracing::info!(dir = %inner.dir.display(), before, after, "the store was compacted");
                }
                Err(why) => tracing::warn!(dir = %inner.dir.display(), %why, "the store was not compacted"),
            }
        }
    };
    std::thread::Builder::new()
        .name("windflow-compact".to_owned())
        .spawn(work)
        .map_err(|error| StoreError::Unavailable(format!("the store's thread cannot be started: {error}")))
}

impl Inner {
    /// Asks for a compaction where one is due. Called after commits.
    pub(super) fn look_at_size(&self) {
        let mut wish = self.compaction.wish();
        if wish.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        wish.looked = Some(Instant::now());
        let database = self.database();
        // Where the size cannot be read there is worse to come, which others report.
        let Ok(bytes) = bytes_in(database.folder()) else { return };
        let live = database.totals().live;
        let percent = self.options.compact_above_percent.max(wish.reached + wish.reached / 16);
        if bytes > self.options.compact_above_bytes && percent_of(bytes, live) > percent {
            wish.wanted = true;
            self.compaction.changed.notify_all();
        }
    }

    pub(super) fn compact(&self) -> Result<Compacted, StoreError> {
        let _running = self.compaction.running.lock().unwrap_or_else(PoisonError::into_inner);
        // After a switch that failed half-way, nobody knows which database the next opening takes.
        if let Some(why) = &self.state().failed {
            return Err(StoreError::ReadOnly(why.clone()));
        }
        let cannot = |error| unwritable(&self.dir, &error);
        let old = self.database();
        let before = bytes_in(old.folder()).map_err(cannot)?;
        let folder = self.folder.next_database()?;
        let done = self.copy_and_switch(&folder);
        self.turn().copy = None;
        if done.is_ok() {
            let begun = Instant::now();
            while Arc::strong_count(&old) > 1 && begun.elapsed() < READERS {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        drop(old);
        // Neither must go where it is not known which of them the next opening takes.
        if self.state().failed.is_none()
            && let Err(error) = self.folder.remove_others()
        {
            tracing::warn!(dir = %self.dir.display(), %error, "the old database is left to the next start");
        }
        done?;
        let after = bytes_in(&folder).map_err(cannot)?;
        self.compaction.wish().reached = percent_of(after, self.database().totals().live);
        Ok(Compacted { before, after })
    }

    fn copy_and_switch(&self, folder: &Path) -> Result<(), StoreError> {
        let Whole { copy, files, ahead } = self.copy_whole(folder)?;
        self.switch(&copy, files, ahead)
    }

    /// Copies everything into a new database. What is written meanwhile, and from then on, is written to both.
    pub(super) fn copy_whole(&self, folder: &Path) -> Result<Whole, StoreError> {
        let copy = guarded(&self.dir, || Database::open(&self.dir, folder, self.options.cache_bytes))?;
        let copy = Arc::new(copy);
        self.turn().copy = Some(Arc::clone(&copy));
        let cannot = |error| unwritable(&self.dir, &error);
        let (ahead, _) = WriteAhead::open(folder).map_err(cannot)?;
        let mut files = Files::open(folder, self.options.disk.as_ref()).map_err(cannot)?;
        for section in Section::ALL {
            // What a database counts is its own.
            if section != Section::Meta {
                self.copy_section(section, &copy, &mut files)?;
            }
        }
        // Most of it is synced before anybody has to wait.
        self.sync_copy(&copy, &mut files)?;
        Ok(Whole { copy, files, ahead })
    }

    /// Makes sure, while nobody writes, that the copy is what the database is.
    pub(super) fn complete(&self, turn: &Turn, copy: &Database) -> Result<(), StoreError> {
        if turn.copy.is_none() || self.state().failed.is_some() {
            return Err(given_up());
        }
        // Where there was nothing to copy, nothing has told the copy yet how many batches there were.
        let batches = self.state().batches;
        guarded(&self.dir, || copy.write(&Changes::default(), batches))?;
        let (old, new) = (self.database().totals(), copy.totals());
        if old == new {
            return Ok(());
        }
        Err(damaged(&self.dir, format_args!("a copy of the database came out as {new:?} instead of {old:?}")))
    }

    /// Copies entries in the order of their keys. Where values are large, a stretch of keys is put first and their values
    /// then: sled splits a page whenever 17 keys are in it, and writes it anew each time, with the values that it has.
    fn copy_section(&self, section: Section, copy: &Database, files: &mut Files) -> Result<(), StoreError> {
        let mut last = None;
        let mut unsynced = 0;
        loop {
            let begin = last.clone();
            let stretch = self.copy_step(section, copy, &mut last, None)?;
            let Some(end) = last.clone().filter(|_| stretch.entries > 0) else { return Ok(()) };
            unsynced += stretch.bytes;
            let mut filled = begin;
            while stretch.large && filled.as_ref() != Some(&end) {
                unsynced += self.copy_step(section, copy, &mut filled, Some(&end))?.bytes;
            }
            if unsynced > SYNC_BYTES {
                self.sync_copy(copy, files)?;
                unsynced = 0;
            }
        }
    }

    /// Copies the entries behind the last one, as many as can be in one go: up to `fill` those with large values, without
    /// it keys, and those values that are small.
    fn copy_step(
        &self,
        section: Section,
        copy: &Database,
        last: &mut Option<IVec>,
        fill: Option<&IVec>,
    ) -> Result<Step, StoreError> {
        let turn = self.turn();
        let (failed_before, closing) = {
            let state = self.state();
            (state.failed.is_some(), state.closing)
        };
        if turn.copy.is_none() || failed_before || closing {
            return Err(given_up());
        }
        let (changes, step) = guarded(&self.dir, || self.entries_behind(section, last, fill))?;
        if !changes.is_empty() {
            let batches = self.state().batches;
            guarded(&self.dir, || copy.write(&changes, batches))?;
        }
        drop(turn);
        std::thread::sleep(PAUSE);
        Ok(step)
    }

    fn entries_behind(
        &self,
        section: Section,
        last: &mut Option<IVec>,
        fill: Option<&IVec>,
    ) -> Result<(Changes, Step), StoreError> {
        let database = self.database();
        let begin = last.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let end = fill.cloned().map_or(Bound::Unbounded, Bound::Included);
        let (mut changes, mut step, mut all) = (Changes::default(), Step::default(), 0);
        let mut merge = Merge::default();
        for entry in database.tree(section)?.range::<IVec, _>((begin, end)) {
            let (key, value) = entry.map_err(|error| failed(&self.dir, &error))?;
            let large = value.len() >= LARGE_BYTES;
            step.large |= large;
            step.entries += 1;
            all += value.len();
            *last = Some(key.clone());
            match (fill.is_some(), large) {
                (false, true) => {
                    // What follows is no neighbour of what came before.
                    merge.finish(&mut changes);
                    changes.copy(section, key, IVec::default());
                }
                (true, false) => {}
                (false, false) if section == Section::Journal => {
                    step.bytes += key.len() + value.len();
                    merge.add(key, value, &mut changes).map_err(|why| damaged(&self.dir, why))?;
                }
                (false, false) | (true, true) => {
                    step.bytes += key.len() + value.len();
                    changes.copy(section, key, value);
                }
            }
            if changes.len() >= STEP_ENTRIES || step.bytes > STEP_BYTES || all > STRETCH_BYTES {
                merge.finish(&mut changes);
                return Ok((changes, step));
            }
        }
        merge.finish(&mut changes);
        // The end may have been deleted meanwhile.
        if let Some(end) = fill {
            *last = Some(end.clone());
        }
        Ok((changes, step))
    }

    /// Makes durable what was copied. File systems make everybody's syncs wait for what is not written of any file, so that
    /// this is done often.
    pub(super) fn sync_copy(&self, copy: &Database, files: &mut Files) -> Result<(), StoreError> {
        guarded(&self.dir, || copy.flush())?;
        files.sync(self.options.disk.as_ref()).map_err(|error| unwritable(&self.dir, &error))
    }

    fn switch(&self, copy: &Arc<Database>, mut files: Files, ahead: WriteAhead) -> Result<(), StoreError> {
        let mut turn = self.turn();
        self.complete(&turn, copy)?;
        self.sync_copy(copy, &mut files)?;
        if let Err((error, moved)) = self.folder.switch(copy.folder()) {
            let why = unwritable(&self.dir, &error);
            if moved {
                // What is written from now on could be in the one that the next opening does not take.
                self.fail(&why);
            }
            return Err(why);
        }
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(copy);
        // All that the old one had is in the new one, and synced.
        (turn.files, turn.ahead, turn.copy) = (files, ahead, None);
        Ok(())
    }
}

fn percent_of(bytes: u64, live: u64) -> u64 {
    bytes.saturating_mul(100) / live.max(1)
}

fn given_up() -> StoreError {
    StoreError::Unavailable("the compaction was given up: the store is being closed, or a write failed".to_owned())
}
