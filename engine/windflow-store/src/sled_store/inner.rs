//! The open store: what its methods and its committer share.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::ports::store::{Position, RunSummary, StoreError};
use windflow_core::run::{Record, Sequence};

use super::disk::Files;
use super::folder::{Folder, unwritable};
use super::guard::{damaged, failed, guarded};
use super::pending::{Head, State};
use super::watermark::Watermark;
use super::write::Trees;
use super::{Options, layout};
use crate::memory::check_blob_size;
use crate::{encode, summary};

/// How long to wait for an earlier store of this process to let go of the database. sled's own threads hold it for a
/// moment after it was dropped.
const REOPEN: Duration = Duration::from_secs(5);

/// Pending bytes that are committed without anybody waiting.
const EAGER_BYTES: usize = 1 << 20;

pub(super) struct Inner {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) trees: Trees,
    pub(super) db: sled::Db,
    state: Mutex<State>,
    /// The committer has something to look at.
    pub(super) work: Condvar,
    /// Pending memory was handed on, or never will be.
    pub(super) room: Condvar,
    /// Held by whoever applies a batch, or must see no batch applied.
    pub(super) turn: Mutex<()>,
    /// Held by whoever changes values.
    pub(super) record_turn: Mutex<()>,
    /// Used by the committer alone.
    pub(super) files: Mutex<(Files, Watermark)>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) commits: AtomicU64,
}

/// What those who wait for durability watch.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    pub(super) durable: u64,
    pub(super) failed: Option<String>,
}

impl Inner {
    pub(super) fn open(folder: &Folder, options: Options) -> Result<Self, StoreError> {
        let dir = folder.dir().to_owned();
        let db = guarded(&dir, || open_database(&dir, &folder.sled(), &options))?;
        let trees = guarded(&dir, || Trees::open(&db).map_err(|error| failed(&dir, &error)))?;
        let batches = guarded(&dir, || trees.batches(&dir))?;
        let record_version = guarded(&dir, || trees.record_version(&dir))?;
        let cannot = |error| unwritable(&dir, &error);
        let (watermark, expected) = Watermark::open(&folder.watermark()).map_err(cannot)?;
        if batches < expected {
            let lost = expected - batches;
            return Err(damaged(&dir, format_args!("the database has lost the last {lost} of {expected} batches")));
        }
        guarded(&dir, || db.flush().map_err(|error| failed(&dir, &error)))?;
        let files = Files::open(&folder.sled(), options.disk.as_ref()).map_err(cannot)?;
        Ok(Self {
            dir,
            options,
            trees,
            db,
            state: Mutex::new(State::new(batches, record_version)),
            work: Condvar::new(),
            room: Condvar::new(),
            turn: Mutex::new(()),
            record_turn: Mutex::new(()),
            files: Mutex::new((files, watermark)),
            progress: watch::Sender::new(Progress::default()),
            commits: AtomicU64::new(0),
        })
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
    }

    /// Pending bytes at which the committer does not wait for anybody to ask.
    pub(super) fn eager_bytes(&self) -> usize {
        EAGER_BYTES.min(self.options.max_pending_bytes / 2)
    }

    pub(super) fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError> {
        let encoded = records.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let mut state = self.with_head(run)?;
        let actual = summary::end(state.heads.get(run).map(|head| &head.summary));
        if actual != expected {
            return Err(StoreError::Conflict { run: run.run, expected, actual });
        }
        if !records.is_empty() {
            state.append(run, records, &encoded)?;
            self.wake_committer(&state);
        }
        Ok(Position(state.appended))
    }

    pub(super) fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError> {
        check_blob_size(content)?;
        let digest = Digest::of(content);
        if !self.has_blob(organisation, &digest)? {
            let mut state = self.writable()?;
            state.put_blob(organisation, digest, content);
            self.wake_committer(&state);
        }
        Ok(digest)
    }

    /// Called after every append. The committer needs to hear of the first one, to begin its second, and of the one that
    /// makes it much.
    pub(super) fn wake_committer(&self, state: &State) {
        if state.appended == state.durable + 1
            || state.appended == state.applied + 1
            || state.pending.bytes >= self.eager_bytes()
        {
            self.work.notify_one();
        }
    }

    /// The state, once it has room for more and the head of the run, if it has one, is known.
    fn with_head(&self, run: &RunKey) -> Result<MutexGuard<'_, State>, StoreError> {
        loop {
            let state = self.writable()?;
            if state.heads.contains_key(run) {
                return Ok(state);
            }
            // The database is asked without the lock. What it says holds unless heads were forgotten meanwhile, this
            // one's among them.
            let forgotten = state.forgotten;
            drop(state);
            let stored = self.stored_summary(run)?;
            let mut state = self.writable()?;
            if state.forgotten == forgotten {
                if let Some(summary) = stored {
                    state.heads.entry(run.clone()).or_insert(Head { summary, position: 0 });
                }
                return Ok(state);
            }
        }
    }

    pub(super) fn writable(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.state();
        loop {
            if let Some(why) = &state.failed {
                return Err(StoreError::ReadOnly(why.clone()));
            }
            if state.pending.bytes < self.options.max_pending_bytes {
                return Ok(state);
            }
            self.work.notify_one();
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
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
        guarded(&self.dir, || self.trees.summary(&self.dir, run))
    }
}

fn open_database(dir: &Path, sled: &Path, options: &Options) -> Result<sled::Db, StoreError> {
    // No flusher: nothing but the committer is to decide when the disk is written.
    let config = sled::Config::new().path(sled).cache_capacity(options.cache_bytes).flush_every_ms(None);
    let begun = Instant::now();
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(sled::Error::Io(error)) if is_locked(&error) && begun.elapsed() < REOPEN => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(sled::Error::Io(error)) if is_locked(&error) => {
                return Err(StoreError::Unavailable(format!(
                    "something else than windflow holds the database in {}: stop it, or name another folder with --data-dir",
                    dir.display()
                )));
            }
            Err(sled::Error::Io(error)) if is_damage(&error) => return Err(failed(dir, &sled::Error::Io(error))),
            Err(sled::Error::Io(error)) => return Err(unwritable(dir, &error)),
            Err(sled::Error::Unsupported(why)) => {
                return Err(damaged(dir, format_args!("the database does not open: {why}")));
            }
            Err(error) => return Err(failed(dir, &error)),
        }
    }
}

/// sled names a lock that it does not get by its text only.
fn is_locked(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn is_damage(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("dir", &self.dir).field("layout", &layout::FORMAT).finish_non_exhaustive()
    }
}
