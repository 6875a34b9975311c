//! Making the journals of a copy smaller: records that were appended one by one lie under a key each, and are packed each
//! for itself. Together they take a third.

use sled::IVec;

use super::changes::Changes;
use super::layout::{PART_BYTES, Section};
use super::pack::{unpack, unpacked_len};

/// Neighbours in a journal that become one entry, under the key of the first.
#[derive(Default)]
pub(super) struct Merge {
    first: Option<(IVec, IVec)>,
    /// The records of all, once there is more than one.
    together: Vec<u8>,
}

impl Merge {
    /// Takes an entry of the journal that follows the last one. What does not fit together is written.
    pub(super) fn add(&mut self, key: IVec, value: IVec, changes: &mut Changes) -> Result<(), String> {
        if !is_whole(&key, &value) {
            self.finish(changes);
            changes.copy(Section::Journal, key, value);
            return Ok(());
        }
        let Some((first_key, first)) = &self.first else {
            self.first = Some((key, value));
            return Ok(());
        };
        let so_far = if self.together.is_empty() { unpacked_len(first) } else { self.together.len() };
        if run_of(first_key) != run_of(&key) || so_far + unpacked_len(&value) >= PART_BYTES {
            self.finish(changes);
            self.first = Some((key, value));
            return Ok(());
        }
        if self.together.is_empty() {
            self.together = unpack(first, PART_BYTES)?.into_owned();
        }
        self.together.extend_from_slice(&unpack(&value, PART_BYTES)?);
        // It may have been appended since the copy was begun, and so be in it already.
        changes.remove(Section::Journal, key);
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self, changes: &mut Changes) {
        let together = std::mem::take(&mut self.together);
        match self.first.take() {
            Some((key, _)) if !together.is_empty() => changes.put(Section::Journal, key.to_vec(), &together),
            Some((key, value)) => changes.copy(Section::Journal, key, value),
            None => {}
        }
    }
}

/// Whether the entry is all of a chunk, and so can be part of a larger one.
fn is_whole(key: &[u8], value: &[u8]) -> bool {
    key.ends_with(&[0; 4]) && unpacked_len(value) < PART_BYTES
}

/// The key without sequence and part.
fn run_of(key: &[u8]) -> Option<&[u8]> {
    key.split_last_chunk::<12>().map(|(run, _)| run)
}
