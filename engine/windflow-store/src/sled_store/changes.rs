//! What one transaction changes, decided before it begins. Whoever decides holds the turn, so that nothing that was read for
//! it changes meanwhile; and the same changes can be made to a second database.

use sled::IVec;

use super::layout::{self, PART_BYTES, Section};
use super::pack::pack;

/// One key and its new value; none removes it.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) section: Section,
    pub(super) key: IVec,
    pub(super) value: Option<IVec>,
}

/// Changes in the order in which they were decided; of several to one key the last counts.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub(super) fn put(&mut self, section: Section, key: Vec<u8>, value: &[u8]) {
        let value = if section.is_packed() { IVec::from(pack(value)) } else { IVec::from(value) };
        self.0.push(Change { section, key: key.into(), value: Some(value) });
    }

    /// The same for an entry as another database has it.
    pub(super) fn copy(&mut self, section: Section, key: IVec, value: IVec) {
        self.0.push(Change { section, key, value: Some(value) });
    }

    pub(super) fn remove(&mut self, section: Section, key: impl Into<IVec>) {
        self.0.push(Change { section, key: key.into(), value: None });
    }

    /// Puts content under as many keys as it needs.
    pub(super) fn put_parts(&mut self, section: Section, prefix: &[u8], content: &[u8]) {
        // Content without a byte has one part, so that it can be found.
        let first = content.get(..PART_BYTES.min(content.len())).unwrap_or_default();
        self.put(section, layout::part(prefix, 0), first);
        for (number, part) in (1..).zip(content.chunks(PART_BYTES).skip(1)) {
            self.put(section, layout::part(prefix, number), part);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}
