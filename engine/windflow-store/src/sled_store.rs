//! The store on disk.
//!
//! # How a record gets there
//!
//! `append` checks the run's last sequence, assigns sequences, projects the read model, and leaves everything in
//! memory ([`pending`]). *Committing* writes all that is pending to the [log](write_ahead), syncs that, and then gives it to sled
//! ([`write`]), which waits for nothing; one thread does it ([`commit`]): at once when somebody waits, when much is pending, or
//! after a second. *Applying* gives it to sled without waiting for the disk, as one atomic batch: readers do so first with what
//! they need to see, so that they only ever look into sled. Where the log has no room, committing flushes sled and syncs every
//! file that it wrote ([`disk`]), and the log begins again.
//!
//! # How it goes away
//!
//! Runs that have ended can be [deleted](delete), and content goes with the last run that mentions it ([`references`]). The
//! room comes back when the store is copied into a fresh database ([`compact`]), which happens by itself when it takes much
//! more than it holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use windflow_core::id::{Digest, OrganisationId, RunKey, WorkflowName};
use windflow_core::ports::store::{
    Blobs, BoxFuture, Journal, Page, Position, ReadModel, Retention, RunQuery, RunSummary, StoreError,
};
use windflow_core::run::{Record, Sequence};

pub use self::check::Checked;
pub use self::compact::Compacted;
pub use self::disk::{Disk, RealDisk};
use self::inner::Inner;
pub use self::stats::Stats;
use self::write_ahead::WriteAhead;

mod backup;
mod changes;
mod check;
mod commit;
mod compact;
mod database;
mod delete;
mod disk;
mod folder;
mod guard;
mod inner;
mod layout;
mod list;
mod merge;
mod migrate;
mod pack;
mod pending;
mod read;
mod records;
mod references;
mod stats;
mod totals;
mod watermark;
mod write;
mod write_ahead;

/// How a [`SledStore`] behaves. The defaults are meant for everybody.
#[derive(Clone)]
pub struct Options {
    /// Memory for pages that were read or written lately.
    pub cache_bytes: u64,
    /// Appends wait where so much is not yet durable.
    pub max_pending_bytes: usize,
    /// How long an append stays in memory when nobody asks for its durability.
    pub commit_within: Duration,
    /// The store compacts itself where it takes more than so many hundredths of what it holds …
    pub compact_above_percent: u64,
    /// … and more than so many bytes. Without a limit (`u64::MAX`) it does so only when it is asked to.
    pub compact_above_bytes: u64,
    /// What makes files durable; tests count and fail it.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            max_pending_bytes: 8 << 20,
            commit_within: Duration::from_secs(1),
            compact_above_percent: 175,
            compact_above_bytes: 32 << 20,
            disk: Arc::new(RealDisk),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("cache_bytes", &self.cache_bytes)
            .field("max_pending_bytes", &self.max_pending_bytes)
            .field("commit_within", &self.commit_within)
            .field("compact_above_percent", &self.compact_above_percent)
            .field("compact_above_bytes", &self.compact_above_bytes)
            .finish_non_exhaustive()
    }
}

/// The store on disk: one folder, one process at a time.
///
/// Its methods may wait for the disk or for a commit in progress, milliseconds as a rule. `append` waits only where
/// [`Options::max_pending_bytes`] are pending. Dropping the store commits what is pending.
#[derive(Debug)]
pub struct SledStore {
    inner: Arc<Inner>,
    threads: Vec<JoinHandle<()>>,
}

impl SledStore {
    /// Opens the store in a folder, which is made where it is missing. One of an older release is brought up to this one,
    /// which takes as long as copying it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where another process uses it, where it cannot be written, or where a newer release wrote
    /// it; [`StoreError::Corrupted`] where it is damaged. The message says what to do.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        let folder = folder::Folder::open(dir.as_ref())?;
        let inner = Arc::new(Inner::open(folder, options)?);
        let mut store = Self { inner, threads: Vec::new() };
        store.threads.push(commit::start(Arc::clone(&store.inner))?);
        store.threads.push(compact::start(Arc::clone(&store.inner))?);
        Ok(store)
    }

    /// How often the disk was waited for since the store was opened.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.commits()
    }

    /// Where it lives.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The file whose sync makes appends durable, for tests that watch it. A compaction makes it another one.
    #[must_use]
    pub fn synced_file(&self) -> PathBuf {
        WriteAhead::path(&self.inner.folder.database())
    }

    /// What is in it, and what room that takes.
    ///
    /// # Errors
    /// [`StoreError::Corrupted`]; [`StoreError::Unavailable`] where its files cannot be looked at.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.inner.stats()
    }

    /// Gives back the room of what was deleted, by making a copy that takes the place of the present database. Others go
    /// on meanwhile. Until it ends, both take room.
    ///
    /// # Errors
    /// Those of reading and writing. Whatever the error, the store is as good as before.
    pub fn compact(&self) -> Result<Compacted, StoreError> {
        self.inner.compact()
    }

    /// Makes a new folder a store that holds what this one holds at one moment, with all that was durable before the call.
    /// Others go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the folder is there, or cannot be made; those of reading and writing. No part of a
    /// copy is left behind, and this store is as good as before.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        self.inner.backup(to.as_ref())
    }

    /// Reads everything, and says what is damaged or contradicts something else. Others go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where what is pending cannot be written. What is found wrong is no error of this call.
    pub fn check(&self) -> Result<Checked, StoreError> {
        self.inner.check()
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.inner.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!(dir = %self.inner.dir.display(), "a thread of the store panicked");
            }
        }
    }
}

impl Journal for SledStore {
    fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError> {
        self.inner.append(run, expected, records)
    }

    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.inner.durable(position))
    }

    fn read(&self, run: &RunKey, after: Sequence, limit: usize) -> Result<Vec<(Sequence, Record)>, StoreError> {
        self.inner.read(run, after, limit)
    }
}

impl Blobs for SledStore {
    fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError> {
        self.inner.put_blob(organisation, content)
    }

    fn blob(&self, organisation: &OrganisationId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.inner.blob(organisation, digest)
    }
}

impl ReadModel for SledStore {
    fn runs(&self, organisation: &OrganisationId, query: &RunQuery) -> Result<Page<RunSummary>, StoreError> {
        self.inner.runs(organisation, query)
    }

    fn run(&self, key: &RunKey) -> Result<RunSummary, StoreError> {
        self.inner.run(key)
    }

    fn unfinished(&self) -> Result<Vec<RunKey>, StoreError> {
        self.inner.unfinished()
    }

    fn workflows(&self, organisation: &OrganisationId) -> Result<Vec<WorkflowName>, StoreError> {
        self.inner.workflows(organisation)
    }
}

impl Retention for SledStore {
    fn delete(&self, run: &RunKey) -> Result<Position, StoreError> {
        self.inner.delete(run)
    }
}
