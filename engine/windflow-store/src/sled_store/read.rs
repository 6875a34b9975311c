//! Reading journals and blobs.

use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::ports::store::{RunSummary, StoreError};
use windflow_core::run::{Record, Sequence};

use super::database::Database;
use super::guard::{damaged, failed, guarded};
use super::inner::Inner;
use super::layout::{self, Section};
use crate::memory::{not_found_blob, not_found_run};
use crate::record::{Kept, MAX_BLOB_BYTES, decode_all};

impl Inner {
    pub(super) fn run(&self, key: &RunKey) -> Result<RunSummary, StoreError> {
        if let Some(head) = self.state().heads.get(key) {
            return Ok(head.summary.clone());
        }
        self.stored_summary(key)?.ok_or_else(|| not_found_run(key.run))
    }

    pub(super) fn read(
        &self,
        run: &RunKey,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<(Sequence, Record)>, StoreError> {
        let unapplied = {
            let state = self.state();
            state.failed.is_none() && state.heads.get(run).is_some_and(|head| head.position > state.applied)
        };
        if unapplied {
            self.apply()?;
        }
        self.steadily(|database| {
            let summary = database.summary(run)?.ok_or_else(|| self.not_there(run))?;
            let kept = self.read_kept(database, run, after, summary.sequence, limit)?;
            kept.into_iter().map(|(sequence, kept)| Ok((sequence, self.whole(database, run, kept)?))).collect()
        })
    }

    /// Why a run is not in the database: there is none, or it was appended to and could not be written.
    fn not_there(&self, run: &RunKey) -> StoreError {
        let state = self.state();
        match &state.failed {
            Some(why) if state.heads.contains_key(run) => StoreError::ReadOnly(why.clone()),
            _ => not_found_run(run.run),
        }
    }

    /// Reads. What is written or deleted meanwhile can look like damage, so that damage is believed only where it shows
    /// once more while nothing is written. Whoever has the turn must not call this.
    pub(super) fn steadily<T>(&self, read: impl Fn(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match guarded(&self.dir, || read(&self.database())) {
            Err(StoreError::Corrupted(_)) => {
                let _turn = self.turn();
                guarded(&self.dir, || read(&self.database()))
            }
            done => done,
        }
    }

    /// The records as they are kept: without their large values.
    pub(super) fn read_kept(
        &self,
        database: &Database,
        run: &RunKey,
        after: Sequence,
        end: Sequence,
        limit: usize,
    ) -> Result<Vec<(Sequence, Kept)>, StoreError> {
        let mut records = Vec::new();
        if after >= end || limit == 0 {
            return Ok(records);
        }
        let hole = |at: Sequence| {
            damaged(&self.dir, format_args!("event {at} of run {} is missing from the journal", run.run))
        };
        let prefix = layout::run(run);
        let journal = database.tree(Section::Journal)?;
        let before = journal.range(prefix.clone()..=layout::journal(run, after + 1, u32::MAX)).next_back();
        let before = before.transpose().map_err(|error| failed(&self.dir, &error))?;
        let (mut first, _) =
            before.and_then(|(key, _)| layout::journal_entry(&prefix, &key)).ok_or_else(|| hole(after + 1))?;
        loop {
            let chunk = database.chunk(&prefix, first)?.ok_or_else(|| hole(first))?;
            // Those up to `after` are in front of those that are wanted.
            let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
            let wanted = limit - records.len();
            let chunk = decode_all(&chunk, skip.saturating_add(wanted)).map_err(|error| in_run(error, run))?;
            if chunk.is_empty() {
                return Err(hole(first));
            }
            let next = first + chunk.len() as u64;
            records.extend((first..).zip(chunk).skip(skip));
            if records.len() >= limit || next > end {
                return Ok(records);
            }
            first = next;
        }
    }

    /// The record with its large values.
    pub(super) fn whole(&self, database: &Database, run: &RunKey, kept: Kept) -> Result<Record, StoreError> {
        kept.whole(|digest| {
            let content = self.content(database, &run.organisation, digest)?;
            content.ok_or_else(|| damaged(&self.dir, format_args!("the large value {digest} is missing")))
        })
        .map_err(|error| in_run(error, run))
    }

    /// The content under a digest, where it is in the database; it is checked.
    fn content(
        &self,
        database: &Database,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let content = database.parts(Section::Blobs, &layout::blob(organisation, digest), MAX_BLOB_BYTES)?;
        match content {
            Some(content) if Digest::of(&content) != *digest => {
                Err(damaged(&self.dir, format_args!("the content of blob {digest} does not fit its digest")))
            }
            content => Ok(content),
        }
    }

    pub(super) fn blob(&self, organisation: &OrganisationId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let stored = || self.steadily(|database| self.content(database, organisation, digest));
        if let Some(content) = stored()? {
            return Ok(content);
        }
        self.apply_unless_failed()?;
        stored()?.ok_or_else(|| not_found_blob(digest))
    }

    /// Makes what is pending readable. After a failed commit only what was applied before it can be read.
    pub(super) fn apply_unless_failed(&self) -> Result<(), StoreError> {
        if self.state().failed.is_some() { Ok(()) } else { self.apply() }
    }
}

fn in_run(error: StoreError, run: &RunKey) -> StoreError {
    match error {
        StoreError::Corrupted(why) => StoreError::Corrupted(format!("in the journal of run {}: {why}", run.run)),
        other => other,
    }
}
