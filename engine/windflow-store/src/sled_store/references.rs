//! Who mentions which content. Counted in the same transaction as what mentions it, so that no crash can make it wrong.

use std::collections::BTreeMap;

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::store::StoreError;

use super::changes::Changes;
use super::database::Database;
use super::layout::{self, Section};

/// The counts that a transaction changes.
pub(super) struct References<'a> {
    database: &'a Database,
    counts: BTreeMap<Vec<u8>, Count>,
}

/// How many mention some content; none: it is not there.
#[derive(Clone, Copy)]
struct Count {
    stored: Option<u64>,
    now: Option<u64>,
}

impl<'a> References<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        Self { database, counts: BTreeMap::new() }
    }

    /// Keeps content, unless it is there.
    pub(super) fn keep(&mut self, key: &[u8], content: &[u8], changes: &mut Changes) -> Result<(), StoreError> {
        let count = self.count(key)?;
        if count.now.is_none() {
            count.now = Some(0);
            changes.put_parts(Section::Blobs, key, content);
        }
        Ok(())
    }

    /// Something mentions a digest; `user` is the beginning of its keys in `uses`. Digests of what the store does not keep
    /// are nothing to it. Must be called once at most for a use.
    pub(super) fn mention(
        &mut self,
        organisation: &OrganisationId,
        user: &[u8],
        digest: &Digest,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let database = self.database;
        let count = self.count(&layout::blob(organisation, digest))?;
        let Some(now) = count.now.as_mut() else { return Ok(()) };
        let key = layout::one_use(user, digest);
        if !database.has(Section::Uses, &key)? {
            *now += 1;
            changes.put(Section::Uses, key, &[]);
        }
        Ok(())
    }

    /// A use of the content is being removed.
    pub(super) fn release(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let count = self.count(key)?;
        count.now = count.now.map(|now| now.saturating_sub(1));
        Ok(())
    }

    /// Content that nothing mentions, and that is not lent any more, may go.
    pub(super) fn reconsider(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let count = self.count(key)?;
        if count.now == Some(0) {
            // As if its last use went only now.
            count.stored = Some(1);
        }
        Ok(())
    }

    /// Writes the counts down. Content goes with its last use, unless it is lent.
    pub(super) fn settle(
        &mut self,
        is_lent: impl Fn(&Vec<u8>) -> bool,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        for (key, Count { stored, now }) in std::mem::take(&mut self.counts) {
            match now {
                Some(now) if stored == Some(now) => {}
                Some(0) if stored.is_some() && !is_lent(&key) => {
                    for entry in self.database.scan(Section::Blobs, &key)? {
                        changes.remove(Section::Blobs, entry?.0);
                    }
                    changes.remove(Section::Unused, key.as_slice());
                    changes.remove(Section::BlobUses, key);
                }
                Some(now) => {
                    changes.put(Section::BlobUses, key.clone(), &now.to_be_bytes());
                    if now == 0 {
                        changes.put(Section::Unused, key, &[]);
                    } else if stored == Some(0) {
                        changes.remove(Section::Unused, key);
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, key: &[u8]) -> Result<&mut Count, StoreError> {
        if !self.counts.contains_key(key) {
            let stored = self.database.get(Section::BlobUses, key)?;
            // A number that is none is found by the check; taken for one use too many, it loses nothing.
            let stored = stored.map(|stored| <[u8; 8]>::try_from(&*stored).map_or(u64::MAX, u64::from_be_bytes));
            self.counts.insert(key.to_vec(), Count { stored, now: stored });
        }
        Ok(self.counts.entry(key.to_vec()).or_insert(Count { stored: None, now: None }))
    }
}
