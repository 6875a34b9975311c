//! Bringing a store of an older release up to the present layout: a new database is made from the old one, and takes its
//! place by the same switch as a compaction. A crash on the way leaves the old one as it was.

use std::collections::BTreeSet;

use sled::{Db, IVec};
use windflow_core::ports::store::StoreError;

use super::Options;
use super::changes::Changes;
use super::database::{Database, open_sled};
use super::disk::Files;
use super::folder::{Folder, unwritable};
use super::guard::{damaged, failed};
use super::inner::check_batches;
use super::layout::{self, BATCHES, FORMAT, Section};
use super::references::References;
use crate::mentions;
use crate::record::MAX_RECORD_BYTES;

/// Changes of one transaction, about.
const STEP: usize = 1000;

/// Does nothing to a store of this release.
pub(super) fn migrate(folder: &Folder, options: &Options, expected: u64) -> Result<(), StoreError> {
    if folder.format() >= FORMAT {
        return Ok(());
    }
    let dir = folder.dir();
    if folder.format() == 2 {
        // Only the log is new, which is made where it is missing.
        return folder.switch(&folder.database()).map_err(|(error, _)| unwritable(dir, &error));
    }
    tracing::info!(dir = %dir.display(), from = folder.format(), to = FORMAT, "the store is brought up to this release");
    let old = open_sled(dir, &folder.database(), options.cache_bytes)?;
    let batches = batches(folder, &old)?;
    check_batches(dir, batches, expected)?;
    let next = folder.next_database()?;
    let new = Database::open(dir, &next, options.cache_bytes)?;
    Migration { folder, old: &old, new: &new, batches }.run()?;
    new.flush()?;
    Files::open(&next, options.disk.as_ref()).map_err(|error| unwritable(dir, &error))?;
    folder.switch(&next).map_err(|(error, _)| unwritable(dir, &error))
}

fn batches(folder: &Folder, old: &Db) -> Result<u64, StoreError> {
    let meta = old.open_tree(Section::Meta.name()).map_err(|error| failed(folder.dir(), &error))?;
    let value = meta.get(BATCHES).map_err(|error| failed(folder.dir(), &error))?;
    let Some(value) = value else { return Ok(0) };
    let value = <[u8; 8]>::try_from(&*value).map_err(|_| damaged(folder.dir(), "the count of batches is no number"))?;
    Ok(u64::from_be_bytes(value))
}

/// From format 1: values are packed, and what mentions which content is found out.
struct Migration<'a> {
    folder: &'a Folder,
    old: &'a Db,
    new: &'a Database,
    batches: u64,
}

impl Migration<'_> {
    fn run(&self) -> Result<(), StoreError> {
        // Content comes before what mentions it.
        self.copy(Section::Blobs, |key, changes| {
            let Some((key, part)) = key.split_last_chunk::<4>() else { return };
            if *part == [0; 4] {
                changes.put(Section::BlobUses, key.to_vec(), &0_u64.to_be_bytes());
                changes.put(Section::Unused, key.to_vec(), &[]);
            }
        })?;
        self.copy(Section::Journal, |_, _| {})?;
        for section in [Section::Runs, Section::ByStatus, Section::ByWorkflow, Section::Unfinished] {
            self.copy(section, |_, _| {})?;
        }
        self.mentions()
    }

    fn entries(&self, section: Section) -> Result<impl Iterator<Item = Result<(IVec, IVec), StoreError>>, StoreError> {
        let dir = self.folder.dir();
        let tree = self.old.open_tree(section.name()).map_err(|error| failed(dir, &error))?;
        Ok(tree.iter().map(move |entry| entry.map_err(|error| failed(dir, &error))))
    }

    fn copy(&self, section: Section, also: impl Fn(&[u8], &mut Changes)) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        for entry in self.entries(section)? {
            let (key, value) = entry?;
            also(&key, &mut changes);
            changes.put(section, key.to_vec(), &value);
            self.write_if_many(&mut changes, STEP)?;
        }
        self.write_if_many(&mut changes, 0)
    }

    /// A digest can lie across the parts of a value, so that they are put together first.
    fn mentions(&self) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        let (mut chunk, mut chunk_key) = (Vec::new(), Vec::new());
        for entry in self.entries(Section::Journal)? {
            let (key, value) = entry?;
            let Some((beginning, _)) = key.split_last_chunk::<4>() else { continue };
            if beginning != chunk_key {
                self.mentioned_by(&chunk_key, &chunk, &mut changes)?;
                self.write_if_many(&mut changes, 0)?;
                chunk.clear();
                chunk_key = beginning.to_vec();
            }
            if chunk.len() <= 2 * MAX_RECORD_BYTES {
                chunk.extend_from_slice(&value);
            }
        }
        self.mentioned_by(&chunk_key, &chunk, &mut changes)?;
        self.write_if_many(&mut changes, 0)
    }

    fn mentioned_by(&self, key: &[u8], chunk: &[u8], changes: &mut Changes) -> Result<(), StoreError> {
        let mut found = BTreeSet::new();
        mentions::find(chunk, &mut found);
        if found.is_empty() {
            return Ok(());
        }
        let run = key.split_last_chunk::<8>().and_then(|(run, _sequence)| layout::run_key(run));
        let run = run.ok_or_else(|| damaged(self.folder.dir(), "the journal has a key that is none"))?;
        let mut references = References::new(self.new);
        for digest in found {
            references.mention(&run.organisation, &layout::uses_of(&run), &digest, changes)?;
        }
        references.settle(|_| true, changes)
    }

    fn write_if_many(&self, changes: &mut Changes, many: usize) -> Result<(), StoreError> {
        if changes.len() > many {
            self.new.write(&std::mem::take(changes), self.batches)?;
        }
        Ok(())
    }
}
