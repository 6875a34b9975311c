//! What a database counts about itself, in the same transaction as what it counts.

use super::changes::Change;
use super::layout::Section;
use super::pack;

/// Sums over the whole database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    /// Batches that were ever applied.
    pub(super) batches: u64,
    /// Bytes of all keys and of all values before they were packed, but those of `meta`. Keys of the journal do not count,
    /// since a compaction makes them fewer.
    pub(super) live: u64,
    pub(super) runs: u64,
}

impl Totals {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.batches, self.live, self.runs].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (batches, rest) = bytes.split_first_chunk()?;
        let (live, rest) = rest.split_first_chunk()?;
        let (runs, []) = rest.split_first_chunk()? else { return None };
        Some(Self {
            batches: u64::from_be_bytes(*batches),
            live: u64::from_be_bytes(*live),
            runs: u64::from_be_bytes(*runs),
        })
    }

    /// Takes a change in, knowing what was there before.
    pub(super) fn count(&mut self, change: &Change, before: Option<&[u8]>) {
        let bytes = |value: &[u8]| entry_bytes(change.section, &change.key, value);
        self.live = self.live.saturating_sub(before.map_or(0, bytes));
        self.live = self.live.saturating_add(change.value.as_deref().map_or(0, bytes));
        if change.section == Section::Runs {
            self.runs = self.runs.saturating_sub(u64::from(before.is_some()));
            self.runs = self.runs.saturating_add(u64::from(change.value.is_some()));
        }
    }
}

/// What an entry counts for in [`Totals::live`].
pub(super) fn entry_bytes(section: Section, key: &[u8], value: &[u8]) -> u64 {
    let value = if section.is_packed() { pack::unpacked_len(value) } else { value.len() };
    let key = if section == Section::Journal { 0 } else { key.len() };
    u64::try_from(key + value).unwrap_or(u64::MAX)
}
