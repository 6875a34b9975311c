//! One database: its trees, what it counts, and the only way to change it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io};

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use sled::{Db, IVec, Tree};
use windflow_core::id::RunKey;
use windflow_core::ports::store::{RunSummary, StoreError};
use windflow_core::run::Sequence;

use super::changes::Changes;
use super::folder::unwritable;
use super::guard::{damaged, failed, unwritten};
use super::layout::{self, PART_BYTES, Section};
use super::pack::unpack;
use super::totals::Totals;
use crate::record::{MAX_RECORD_BYTES, MAX_SUMMARY_BYTES, decode_all};

/// How long to wait for an earlier store of this process to let go of the database. sled's own threads hold it for a
/// moment after it was dropped.
const REOPEN: Duration = Duration::from_secs(5);

/// An open database.
pub(super) struct Database {
    /// Of the store, for messages.
    dir: PathBuf,
    folder: PathBuf,
    db: Db,
    /// One a section, in their order.
    trees: Vec<Tree>,
    totals: Mutex<Totals>,
}

impl Database {
    /// Opens it, or makes a new one.
    pub(super) fn open(dir: &Path, folder: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = open_sled(dir, folder, cache_bytes)?;
        let trees = Section::ALL.iter().map(|section| db.open_tree(section.name())).collect::<Result<_, _>>();
        let trees = trees.map_err(|error| failed(dir, &error))?;
        let database =
            Self { dir: dir.to_owned(), folder: folder.to_owned(), db, trees, totals: Mutex::new(Totals::default()) };
        if let Some(totals) = database.get(Section::Meta, layout::TOTALS)? {
            let totals = Totals::from_bytes(&totals).ok_or_else(|| damaged(dir, "its totals are no numbers"))?;
            *database.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
        }
        Ok(database)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree of a section. There is one for each, so that the error is for the compiler only.
    pub(super) fn tree(&self, section: Section) -> Result<&Tree, StoreError> {
        self.trees.get(section as usize).ok_or_else(|| damaged(&self.dir, format_args!("{section:?} is missing")))
    }

    pub(super) fn get(&self, section: Section, key: impl AsRef<[u8]>) -> Result<Option<IVec>, StoreError> {
        self.tree(section)?.get(key).map_err(|error| failed(&self.dir, &error))
    }

    pub(super) fn has(&self, section: Section, key: impl AsRef<[u8]>) -> Result<bool, StoreError> {
        self.tree(section)?.contains_key(key).map_err(|error| failed(&self.dir, &error))
    }

    /// The entries of which `prefix` begins the keys.
    pub(super) fn scan(
        &self,
        section: Section,
        prefix: &[u8],
    ) -> Result<impl Iterator<Item = Result<(IVec, IVec), StoreError>>, StoreError> {
        Ok(self.tree(section)?.scan_prefix(prefix).map(|entry| entry.map_err(|error| failed(&self.dir, &error))))
    }

    pub(super) fn summary(&self, run: &RunKey) -> Result<Option<RunSummary>, StoreError> {
        let Some(value) = self.get(Section::Runs, layout::run(run))? else { return Ok(None) };
        let wrong =
            |why: String| damaged(&self.dir, format_args!("the summary of run {} cannot be read: {why}", run.run));
        let value = unpack(&value, MAX_SUMMARY_BYTES).map_err(wrong)?;
        let mut summary: RunSummary = serde_json::from_slice(&value).map_err(|error| wrong(error.to_string()))?;
        if !summary.status.is_ended() {
            summary.sequence = self.end(run, summary.sequence)?;
        }
        Ok(Some(summary))
    }

    /// The last sequence of a run's journal, which is at least `known`.
    fn end(&self, run: &RunKey, known: Sequence) -> Result<Sequence, StoreError> {
        let prefix = layout::run(run);
        let all = layout::journal(run, 0, 0)..=layout::journal(run, Sequence::MAX, u32::MAX);
        let last = self.tree(Section::Journal)?.range(all).next_back();
        let Some((key, _)) = last.transpose().map_err(|error| failed(&self.dir, &error))? else { return Ok(known) };
        let hole = || damaged(&self.dir, format_args!("the end of the journal of run {} is missing", run.run));
        let (first, _) = layout::journal_entry(&prefix, &key).ok_or_else(hole)?;
        let chunk = self.chunk(&prefix, first)?.ok_or_else(hole)?;
        let records = decode_all(&chunk, usize::MAX)?;
        Ok(first.saturating_add(records.len() as u64).saturating_sub(1).max(known))
    }

    /// The records that begin with a sequence of a run, whose keys begin with `run`.
    pub(super) fn chunk(&self, run: &[u8], first: Sequence) -> Result<Option<Vec<u8>>, StoreError> {
        let key = [run, &first.to_be_bytes()].concat();
        self.parts(Section::Journal, &key, MAX_RECORD_BYTES + PART_BYTES)
    }

    /// The content of which `prefix` begins the keys, put together; at most so many bytes.
    pub(super) fn parts(&self, section: Section, prefix: &[u8], most: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let mut content: Option<Vec<u8>> = None;
        for (number, entry) in (0..).zip(self.scan(section, prefix)?) {
            let (key, part) = entry?;
            if *key != *layout::part(prefix, number) {
                return Err(damaged(&self.dir, "a part of a large value is missing"));
            }
            let part = unpack(&part, PART_BYTES.max(most)).map_err(|why| damaged(&self.dir, why))?;
            let content = content.get_or_insert_default();
            if content.len() + part.len() > most {
                return Err(damaged(&self.dir, format_args!("a value is larger than {most} bytes")));
            }
            content.extend_from_slice(&part);
            if part.len() < PART_BYTES {
                break;
            }
        }
        Ok(content)
    }

    /// What the database will count once a batch of changes is in it.
    pub(super) fn count(&self, changes: &Changes, batches: u64) -> Result<Totals, StoreError> {
        let mut totals = Totals { batches, ..self.totals() };
        let mut changed: HashMap<(Section, &[u8]), Option<&IVec>> = HashMap::with_capacity(changes.len());
        for change in changes.iter() {
            let stored;
            let before = match changed.insert((change.section, &change.key), change.value.as_ref()) {
                Some(before) => before.map(|value| &**value),
                None => {
                    stored = self.get(change.section, &change.key)?;
                    stored.as_deref()
                }
            };
            totals.count(change, before);
        }
        Ok(totals)
    }

    /// Makes changes that are durable elsewhere, one after the other: a crash in the middle leaves some of them, and making all
    /// of them again leaves the same as making them once.
    pub(super) fn put(&self, changes: &Changes, totals: Totals) -> Result<(), StoreError> {
        let put = |section: Section, key: &IVec, value: Option<IVec>| {
            let tree = self.tree(section)?;
            let done = match value {
                Some(value) => tree.insert(key, value),
                None => tree.remove(key),
            };
            done.map(drop).map_err(|error| unwritten(&self.dir, &error))
        };
        for change in changes.iter() {
            put(change.section, &change.key, change.value.clone())?;
        }
        put(Section::Meta, &layout::TOTALS.into(), Some(totals.to_bytes().into()))?;
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
        Ok(())
    }

    /// Makes changes: all of them, or none. They are on the disk after the next [`Self::flush`] only.
    pub(super) fn write(&self, changes: &Changes, batches: u64) -> Result<(), StoreError> {
        let before = Totals { batches, ..self.totals() };
        let trees: Vec<&Tree> = self.trees.iter().collect();
        let done = trees.as_slice().transaction(|trees| {
            let tree = |section: Section| trees.get(section as usize).ok_or(ConflictableTransactionError::Abort(()));
            let mut totals = before;
            for change in changes.iter() {
                let tree = tree(change.section)?;
                let old = match &change.value {
                    Some(value) => tree.insert(&change.key, value)?,
                    None => tree.remove(&change.key)?,
                };
                totals.count(change, old.as_deref());
            }
            tree(Section::Meta)?.insert(layout::TOTALS, totals.to_bytes())?;
            Ok(totals)
        });
        match done {
            Ok(totals) => {
                *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
                Ok(())
            }
            Err(TransactionError::Storage(error)) => Err(unwritten(&self.dir, &error)),
            Err(TransactionError::Abort(())) => Err(damaged(&self.dir, "a change does not fit the trees")),
        }
    }

    /// Waits until the system has all that was written. Whether the disk has it is for [`super::disk`] to see to.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(|error| unwritten(&self.dir, &error))
    }
}

/// Opens sled, without our trees.
pub(super) fn open_sled(dir: &Path, folder: &Path, cache_bytes: u64) -> Result<Db, StoreError> {
    remove_unfinished_snapshots(folder).map_err(|error| unwritable(dir, &error))?;
    // No flusher: nothing but the committer is to decide when the disk is written.
    let config = sled::Config::new().path(folder).cache_capacity(cache_bytes).flush_every_ms(None);
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

/// While it opens, sled writes a snapshot aside and then renames it. Where that was cut off, by a full disk or a crash, it
/// takes what is left for the snapshot at the next opening, and calls it damage.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// sled names a lock that it does not get by its text only.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn is_damage(error: &io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}
