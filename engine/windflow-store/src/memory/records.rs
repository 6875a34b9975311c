//! Values under keys, in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{
    Change, Changed, MAX_RECORD_PAGE, RecordPage, RecordVersion, Records, RecordsError, Stored, check_changes,
    check_expected,
};
use windflow_core::ports::store::{BoxFuture, Journal, Position, StoreError};

use super::MemoryStore;

/// Every value with its version.
#[derive(Debug, Default)]
pub(super) struct Values {
    values: BTreeMap<(OrganisationId, String), (RecordVersion, Vec<u8>)>,
    last: RecordVersion,
}

/// Bytes of values that a page holds, apart from the last one.
pub(crate) const PAGE_BYTES: usize = 8 << 20;

impl Values {
    fn change(&mut self, changes: Vec<Change>) -> Result<RecordVersion, RecordsError> {
        check_changes(&changes)?;
        for change in &changes {
            let place = (change.organisation.clone(), change.key.clone());
            check_expected(change, self.values.get(&place).map(|(version, _)| *version))?;
        }
        for change in changes {
            self.last += 1;
            let place = (change.organisation, change.key);
            match change.value {
                Some(value) => drop(self.values.insert(place, (self.last, value))),
                None => drop(self.values.remove(&place)),
            }
        }
        Ok(self.last)
    }

    fn scan(&self, organisation: &OrganisationId, prefix: &str, after: Option<&str>, limit: usize) -> RecordPage {
        let place = |key: &str| (organisation.clone(), key.to_owned());
        let low = match after {
            Some(after) if after >= prefix => Bound::Excluded(place(after)),
            _ => Bound::Included(place(prefix)),
        };
        let mut page = RecordPage::default();
        let mut bytes = 0;
        for ((owner, key), (version, value)) in self.values.range((low, Bound::Unbounded)) {
            if owner != organisation || !key.starts_with(prefix) {
                break;
            }
            if page.items.len() >= limit.min(MAX_RECORD_PAGE) || bytes > PAGE_BYTES {
                page.next = page.items.last().map(|last| last.key.clone());
                break;
            }
            bytes += value.len();
            page.items.push(Stored { key: key.clone(), version: *version, value: value.clone() });
        }
        page
    }
}

impl Records for MemoryStore {
    fn get(&self, organisation: &OrganisationId, key: &str) -> Result<Option<Stored>, StoreError> {
        let state = self.state();
        let found = state.values.values.get(&(organisation.clone(), key.to_owned()));
        Ok(found.map(|(version, value)| Stored { key: key.to_owned(), version: *version, value: value.clone() }))
    }

    fn scan(
        &self,
        organisation: &OrganisationId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, StoreError> {
        Ok(self.state().values.scan(organisation, prefix, after, limit))
    }

    fn batch(&self, changes: Vec<Change>) -> Result<Changed, RecordsError> {
        let mut state = self.state();
        let version = state.values.change(changes)?;
        state.position += 1;
        Ok(Changed { position: Position(state.position), version })
    }

    fn durable(&self, position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Journal::durable(self, position)
    }
}
