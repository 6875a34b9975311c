//! The open store: what its methods and its threads share.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::watch;
use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::ports::store::{Position, RunSummary, StoreError};
use windflow_core::run::{Record, Sequence};

use super::compact::Compactor;
use super::database::Database;
use super::disk::Files;
use super::folder::{Folder, unwritable};
use super::guard::{damaged, guarded};
use super::pending::{Head, State};
use super::records;
use super::watermark::Watermark;
use super::write_ahead::{Logged, WriteAhead};
use super::{Options, layout, migrate};
use crate::memory::check_blob_size;
use crate::record::encode_all;
use crate::summary;

/// Bytes that are committed without anybody waiting.
const EAGER_BYTES: usize = 1 << 20;

/// Pending bytes that are handed to sled. It keeps every page that a transaction changes, as it was after each change, until
/// the transaction ends: about a hundred times of what is appended.
const BATCH_BYTES: usize = 256 << 10;

pub(super) struct Inner {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    /// Another one after a compaction.
    pub(super) database: RwLock<Arc<Database>>,
    state: Mutex<State>,
    /// The committer has something to look at.
    pub(super) work: Condvar,
    /// Pending memory was handed on, or never will be; or a run was deleted.
    pub(super) room: Condvar,
    turn: Mutex<Turn>,
    /// Held by whoever changes values.
    pub(super) record_turn: Mutex<()>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) commits: AtomicU64,
    pub(super) compaction: Compactor,
    // Last, so that it is given back when nothing uses the folder any more.
    pub(super) folder: Folder,
}

/// Held by whoever writes to the database, or must see nothing written.
pub(super) struct Turn {
    pub(super) files: Files,
    pub(super) ahead: WriteAhead,
    pub(super) watermark: Watermark,
    /// The database that will take the place of the present one, while it is being made.
    pub(super) copy: Option<Arc<Database>>,
}

/// What those who wait for durability watch.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) durable: u64,
    pub(super) failed: Option<String>,
}

impl Inner {
    pub(super) fn open(folder: Folder, options: Options) -> Result<Self, StoreError> {
        let dir = folder.dir().to_owned();
        let cannot = |error| unwritable(&dir, &error);
        let (watermark, expected) = Watermark::open(&folder.watermark()).map_err(cannot)?;
        guarded(&dir, || migrate::migrate(&folder, &options, expected))?;
        let database = guarded(&dir, || Database::open(&dir, &folder.database(), options.cache_bytes))?;
        let (mut ahead, logged) = WriteAhead::open(&folder.database()).map_err(cannot)?;
        guarded(&dir, || catch_up(&dir, &database, &logged))?;
        let batches = database.totals().batches;
        check_batches(&dir, batches, expected)?;
        let record_version = guarded(&dir, || records::last_version(&dir, &database))?;
        if let Err(error) = guarded(&dir, || database.flush()) {
            // Dropped, sled would try to write once more, and end the process where that fails as well.
            std::mem::forget(database);
            return Err(error);
        }
        let files = Files::open(&folder.database(), options.disk.as_ref()).map_err(cannot)?;
        ahead.begin_again().map_err(cannot)?;
        folder.remove_others().map_err(cannot)?;
        let inner = Self {
            dir,
            options,
            database: RwLock::new(Arc::new(database)),
            state: Mutex::new(State::new(batches, record_version)),
            work: Condvar::new(),
            room: Condvar::new(),
            turn: Mutex::new(Turn { files, ahead, watermark, copy: None }),
            record_turn: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
            commits: AtomicU64::new(0),
            compaction: Compactor::default(),
            folder,
        };
        inner.finish_deletions()?;
        Ok(inner)
    }

    /// The database as it is now. Held for one operation only: a compaction waits for all who hold the old one.
    pub(super) fn database(&self) -> Arc<Database> {
        Arc::clone(&self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.state().closing = true;
        self.work.notify_one();
        self.compaction.close();
    }

    /// Bytes that are not durable at which the committer does not wait for anybody to ask.
    pub(super) fn eager_bytes(&self) -> usize {
        EAGER_BYTES.min(self.options.max_pending_bytes / 2)
    }

    pub(super) fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError> {
        let encoded = encode_all(records)?;
        let mut mentioned = BTreeSet::new();
        encoded.iter().for_each(|record| record.mentions(&mut mentioned));
        let mut state = self.with_head(run)?;
        let actual = summary::end(state.heads.get(run).map(|head| &head.summary));
        if actual != expected {
            return Err(StoreError::Conflict { run: run.run, expected, actual });
        }
        if !records.is_empty() {
            for (digest, value) in encoded.iter().flat_map(|record| &record.large) {
                state.put_blob(&run.organisation, *digest, value.text().as_bytes());
            }
            state.append(run, records, &encoded, &mentioned)?;
            self.wake_committer(&state);
        }
        Ok(Position(state.appended))
    }

    pub(super) fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError> {
        check_blob_size(content)?;
        let digest = Digest::of(content);
        // Whether it is there already is seen when the batch is applied: until then it could be deleted.
        let mut state = self.writable()?;
        state.put_blob(organisation, digest, content);
        self.wake_committer(&state);
        Ok(digest)
    }

    /// Called after every append. The committer needs to hear of the first one, to begin its second, and of the one that
    /// makes it much.
    pub(super) fn wake_committer(&self, state: &State) {
        if state.appended == state.durable + 1
            || state.appended == state.applied + 1
            || state.undurable_bytes() >= self.eager_bytes()
        {
            self.work.notify_one();
        }
    }

    /// The state, once it has room for more and the head of the run, if it has one, is known.
    fn with_head(&self, run: &RunKey) -> Result<MutexGuard<'_, State>, StoreError> {
        loop {
            let state = self.writable()?;
            if state.deleting.contains(run) {
                drop(self.room.wait(state).unwrap_or_else(PoisonError::into_inner));
                continue;
            }
            if state.heads.contains_key(run) {
                return Ok(state);
            }
            // The database is asked without the lock. What it says holds unless heads were forgotten meanwhile, this
            // one's among them.
            let forgotten = state.forgotten;
            drop(state);
            let stored = self.stored_summary(run)?;
            let mut state = self.writable()?;
            if state.forgotten == forgotten && !state.deleting.contains(run) {
                if let Some(summary) = stored {
                    state.heads.entry(run.clone()).or_insert(Head { summary, position: 0 });
                }
                return Ok(state);
            }
        }
    }

    /// The state, once it has room for more. Without a disk that keeps up, everybody waits here.
    pub(super) fn writable(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let most = self.options.max_pending_bytes;
        let mut state = self.state();
        loop {
            if let Some(why) = &state.failed {
                return Err(StoreError::ReadOnly(why.clone()));
            }
            if state.undurable_bytes() >= most {
                self.work.notify_one();
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else if state.pending.bytes >= BATCH_BYTES {
                drop(state);
                // The committer may be waiting for the disk.
                self.apply()?;
                state = self.state();
            } else {
                return Ok(state);
            }
        }
    }

    pub(super) async fn durable(&self, position: Position) -> Result<(), StoreError> {
        let mut progress = self.progress.subscribe();
        let position = {
            let mut state = self.state();
            let position = position.0.min(state.appended);
            if position <= state.durable {
                return Ok(());
            }
            if state.wanted < position {
                state.wanted = position;
                self.work.notify_one();
            }
            position
        };
        match progress.wait_for(|progress| progress.durable >= position || progress.failed.is_some()).await {
            Ok(progress) if progress.durable >= position => Ok(()),
            Ok(progress) => Err(StoreError::ReadOnly(progress.failed.clone().unwrap_or_default())),
            Err(_) => Err(StoreError::ReadOnly("it is being closed".to_owned())),
        }
    }

    pub(super) fn stored_summary(&self, run: &RunKey) -> Result<Option<RunSummary>, StoreError> {
        self.steadily(|database| database.summary(run))
    }
}

/// Gives a database what it may not have of what the log says is durable.
fn catch_up(dir: &Path, database: &Database, logged: &[Logged]) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (logged.first(), logged.last()) else { return Ok(()) };
    let there = database.totals().batches;
    if last.totals.batches <= there {
        return Ok(());
    }
    check_batches(dir, there, first.totals.batches.saturating_sub(1))?;
    // From the first: what the database has of a batch may be a part of it, and making a change again does no harm.
    logged.iter().try_for_each(|logged| database.put(&logged.changes, logged.totals))
}

/// A database with fewer batches than were durable has lost some.
pub(super) fn check_batches(dir: &Path, batches: u64, expected: u64) -> Result<(), StoreError> {
    match expected.checked_sub(batches) {
        None | Some(0) => Ok(()),
        Some(lost) => Err(damaged(dir, format_args!("the database has lost the last {lost} of {expected} batches"))),
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("dir", &self.dir).field("layout", &layout::FORMAT).finish_non_exhaustive()
    }
}
