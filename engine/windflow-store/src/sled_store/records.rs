//! Values under keys: changed in memory, written with the same batches as the journal, read from both.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{
    Change, Changed, MAX_RECORD_PAGE, MAX_RECORD_VALUE_BYTES, RecordPage, RecordVersion, Records, RecordsError, Stored,
    check_changes, check_expected,
};
use windflow_core::ports::store::{BoxFuture, Journal, Position, StoreError};

use super::changes::Changes;
use super::database::Database;
use super::guard::{damaged, failed, guarded};
use super::inner::Inner;
use super::layout::Section;
use super::pack::unpack;
use super::{SledStore, layout};
use crate::memory::records::PAGE_BYTES;

/// Largest value with its version.
const MOST: usize = 8 + MAX_RECORD_VALUE_BYTES;

/// Where a value lies.
pub(super) type Place = (OrganisationId, String);

/// A value as it is kept: 8 bytes of its version, then the value.
pub(super) type Kept = Arc<Vec<u8>>;

/// What the next batch will do to values; none takes one away.
pub(super) type Pending = HashMap<Place, Option<Kept>>;

/// Values that were changed lately and may not be in the database yet.
#[derive(Debug, Default)]
pub(super) struct Recent {
    values: HashMap<Place, (u64, Option<Kept>)>,
    /// The version of the last change ever made.
    pub(super) last: RecordVersion,
}

impl Recent {
    /// Nothing, after a change of this version.
    pub(super) fn new(last: RecordVersion) -> Self {
        Self { last, ..Self::default() }
    }

    /// Forgets what the database knows as well.
    pub(super) fn forget(&mut self, applied: u64) {
        self.values.retain(|_, (position, _)| *position > applied);
    }
}

fn version_of(kept: &[u8]) -> Option<(RecordVersion, &[u8])> {
    let (version, value) = kept.split_first_chunk::<8>()?;
    Some((RecordVersion::from_be_bytes(*version), value))
}

/// Writes what a batch does to one value.
pub(super) fn write(
    database: &Database,
    (organisation, key): &Place,
    value: Option<&Vec<u8>>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let prefix = layout::record(organisation, key);
    let mut number = 0;
    if let Some(value) = value {
        changes.put_parts(Section::Records, &prefix, value);
        number = u32::try_from(value.len().div_ceil(layout::PART_BYTES)).unwrap_or(u32::MAX);
    }
    // What was there before may have had more parts.
    while database.has(Section::Records, layout::part(&prefix, number))? {
        changes.remove(Section::Records, layout::part(&prefix, number));
        number += 1;
    }
    Ok(())
}

/// The version of the last change that was ever made to a value.
pub(super) fn last_version(dir: &Path, database: &Database) -> Result<RecordVersion, StoreError> {
    let Some(packed) = database.get(Section::Records, layout::RECORD_VERSION)? else { return Ok(0) };
    let bytes = unpack(&packed, 8).map_err(|why| damaged(dir, why))?;
    let bytes =
        <[u8; 8]>::try_from(bytes.as_ref()).map_err(|_| damaged(dir, "the version of its values is no number"))?;
    Ok(RecordVersion::from_be_bytes(bytes))
}

impl Inner {
    fn record(&self, organisation: &OrganisationId, key: &str) -> Result<Option<Stored>, StoreError> {
        let recent = self.state().recent.values.get(&(organisation.clone(), key.to_owned())).cloned();
        let kept = match recent {
            Some((_, kept)) => kept.map(|kept| kept.to_vec()),
            None => guarded(&self.dir, || self.kept(&layout::record(organisation, key)))?,
        };
        kept.map(|kept| self.stored(key, &kept)).transpose()
    }

    /// The parts of a value, all of the same version.
    fn kept(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let database = self.database();
        let Some(first) = database.get(Section::Records, layout::part(prefix, 0))? else { return Ok(None) };
        let first = unpack(&first, layout::PART_BYTES).map_err(|why| damaged(&self.dir, why))?;
        if first.len() < layout::PART_BYTES {
            return Ok(Some(first.to_vec()));
        }
        // A batch that is applied between two parts would give the beginning of one value and the end of another.
        let _turn = self.turn();
        self.database().parts(Section::Records, prefix, MOST)
    }

    fn stored(&self, key: &str, kept: &[u8]) -> Result<Stored, StoreError> {
        let (version, value) = version_of(kept)
            .ok_or_else(|| damaged(&self.dir, format_args!("the record {key:?} is without a version")))?;
        Ok(Stored { key: key.to_owned(), version, value: value.to_vec() })
    }

    fn change_records(&self, changes: Vec<Change>) -> Result<Changed, RecordsError> {
        check_changes(&changes)?;
        // One at a time, so that what was found is still so when it is changed.
        let _turn = self.record_turn.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &changes {
            let found = self.record(&change.organisation, &change.key)?;
            check_expected(change, found.map(|found| found.version))?;
        }
        let mut state = self.writable()?;
        let position = state.appended + 1;
        let mut version = state.recent.last;
        for change in changes {
            version += 1;
            let kept = change.value.map(|value| Arc::new([&version.to_be_bytes()[..], &value].concat()));
            state.pending.bytes += change.key.len() + kept.as_ref().map_or(0, |kept| kept.len());
            let place = (change.organisation, change.key);
            state.recent.values.insert(place.clone(), (position, kept.clone()));
            state.pending.records.insert(place, kept);
        }
        state.recent.last = version;
        state.pending.record_version = Some(version);
        state.note_append();
        self.wake_committer(&state);
        Ok(Changed { position: Position(position), version })
    }

    fn scan_records(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        let mut turn = self.turn();
        if self.state().failed.is_none() {
            self.apply_in_turn(&mut turn)?;
        }
        let database = self.database();
        let bad = || damaged(&self.dir, "a record has a key that is none");
        guarded(&self.dir, || {
            let all = layout::records(organisation, prefix);
            let low = match after {
                // Behind every part of it.
                Some(after) if after >= prefix => layout::part(&layout::record(organisation, after), u32::MAX),
                _ => all.clone(),
            };
            let mut page = RecordPage::default();
            let mut bytes = 0;
            for entry in database.tree(Section::Records)?.range(low..) {
                let (at, _) = entry.map_err(|error| failed(&self.dir, &error))?;
                if !at.starts_with(&all) {
                    break;
                }
                let (key, part) = layout::record_key(organisation, &at).ok_or_else(bad)?;
                if part > 0 {
                    continue;
                }
                if page.items.len() >= limit.min(MAX_RECORD_PAGE) || bytes > PAGE_BYTES {
                    page.next = page.items.last().map(|last: &Stored| last.key.clone());
                    break;
                }
                let place = layout::record(organisation, key);
                let kept = database.parts(Section::Records, &place, MOST)?.ok_or_else(bad)?;
                bytes += kept.len();
                page.items.push(self.stored(key, &kept)?);
            }
            Ok(page)
        })
    }
}

impl Records for SledStore {
    fn get(&self, organisation: &OrganisationId, key: &str) -> Result<Option<Stored>, StoreError> {
        self.inner.record(organisation, key)
    }

    fn scan(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        self.inner.scan_records(organisation, prefix, after, limit)
    }

    fn batch(&self, changes: Vec<Change>) -> Result<Changed, RecordsError> {
        self.inner.change_records(changes)
    }

    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Journal::durable(self, position)
    }
}
