//! The store in its simplest form, for tests and for runs that nobody needs to remember.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windflow_core::id::{Digest, OrganisationId, RunId, RunKey, WorkflowName};
use windflow_core::ports::store::{
    Blobs, BoxFuture, Journal, Page, Position, ReadModel, Retention, RunQuery, RunSummary, StoreError,
};
use windflow_core::run::{Record, Sequence};

use crate::lent::Lent;
use crate::record::{MAX_BLOB_BYTES, encode_all};
use crate::{order, summary};

pub(crate) mod records;

/// A store that forgets everything when it is dropped. What it has taken counts as durable at once.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    runs: BTreeMap<RunKey, Run>,
    blobs: HashMap<(OrganisationId, Digest), Vec<u8>>,
    values: records::Values,
    lent: Lent<(OrganisationId, Digest)>,
    position: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            runs: BTreeMap::new(),
            blobs: HashMap::new(),
            values: records::Values::default(),
            lent: Lent::new(),
            position: 0,
        }
    }
}

#[derive(Debug)]
struct Run {
    summary: RunSummary,
    records: Vec<Record>,
    mentioned: BTreeSet<Digest>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does what opening a store again does: content that nothing mentions goes.
    pub fn reopen(&self) {
        let mut state = self.state();
        state.lent = Lent::new();
        state.collect();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryStore {
    fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError> {
        let mut mentioned = BTreeSet::new();
        // Large values stay in the records: what they are beside them for is room on a disk.
        encode_all(records)?.iter().for_each(|record| record.mentions(&mut mentioned));
        let mut state = self.state();
        let actual = summary::end(state.runs.get(run).map(|run| &run.summary));
        if actual != expected {
            return Err(StoreError::Conflict { run: run.run, expected, actual });
        }
        let begun = if state.runs.contains_key(run) { None } else { summary::begin(run.run, records)? };
        for digest in &mentioned {
            state.lent.give_back(&(run.organisation.clone(), *digest));
        }
        match state.runs.get_mut(run) {
            Some(run) => {
                summary::extend(&mut run.summary, records);
                run.records.extend_from_slice(records);
                run.mentioned.extend(mentioned);
            }
            None => {
                if let Some(summary) = begun {
                    state.runs.insert(run.clone(), Run { summary, records: records.to_vec(), mentioned });
                }
            }
        }
        state.position += 1;
        Ok(Position(state.position))
    }

    fn durable(&self, _position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn read(&self, run: &RunKey, after: Sequence, limit: usize) -> Result<Vec<(Sequence, Record)>, StoreError> {
        let state = self.state();
        let found = state.runs.get(run).ok_or_else(|| not_found_run(run.run))?;
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        Ok((1..)
            .zip(&found.records)
            .skip(skip)
            .take(limit)
            .map(|(sequence, record)| (sequence, record.clone()))
            .collect())
    }
}

impl Blobs for MemoryStore {
    fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError> {
        check_blob_size(content)?;
        let digest = Digest::of(content);
        let mut state = self.state();
        state.lent.lend((organisation.clone(), digest));
        state.blobs.entry((organisation.clone(), digest)).or_insert_with(|| content.to_vec());
        Ok(digest)
    }

    fn blob(&self, organisation: &OrganisationId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let state = self.state();
        state.blobs.get(&(organisation.clone(), *digest)).cloned().ok_or_else(|| not_found_blob(digest))
    }
}

impl ReadModel for MemoryStore {
    fn runs(&self, organisation: &OrganisationId, query: &RunQuery) -> Result<Page<RunSummary>, StoreError> {
        let state = self.state();
        let before = order::before(query, |run| {
            state.runs.get(&RunKey { organisation: organisation.clone(), run }).map(|run| run.summary.started_at)
        });
        let mut items: Vec<_> = state
            .runs
            .iter()
            .filter(|(key, _)| key.organisation == *organisation)
            .map(|(_, run)| &run.summary)
            .filter(|run| query.workflow.as_ref().is_none_or(|workflow| *workflow == run.workflow))
            .filter(|run| query.status.is_none_or(|status| status == run.status))
            .filter(|run| query.since.is_none_or(|since| run.started_at >= since))
            .filter(|run| query.until.is_none_or(|until| run.started_at < until))
            .filter(|run| before.is_none_or(|before| order::place(run) < before))
            .cloned()
            .collect();
        items.sort_by_key(|run| std::cmp::Reverse(order::place(run)));
        let more = items.len() > order::page_size(query);
        items.truncate(order::page_size(query));
        let next = items.last().filter(|_| more).map(|last| last.run);
        Ok(Page { items, next })
    }

    fn run(&self, key: &RunKey) -> Result<RunSummary, StoreError> {
        self.state().runs.get(key).map(|run| run.summary.clone()).ok_or_else(|| not_found_run(key.run))
    }

    fn unfinished(&self) -> Result<Vec<RunKey>, StoreError> {
        let state = self.state();
        let mut keys: Vec<_> = state
            .runs
            .iter()
            .filter(|(_, run)| !run.summary.status.is_ended())
            .map(|(key, run)| (run.summary.started_at, key.clone()))
            .collect();
        keys.sort();
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    fn workflows(&self, organisation: &OrganisationId) -> Result<Vec<WorkflowName>, StoreError> {
        let state = self.state();
        let ours = state.runs.iter().filter(|(key, _)| key.organisation == *organisation);
        let names: BTreeSet<_> = ours.map(|(_, run)| run.summary.workflow.clone()).collect();
        Ok(names.into_iter().collect())
    }
}

impl Retention for MemoryStore {
    fn delete(&self, run: &RunKey) -> Result<Position, StoreError> {
        let mut state = self.state();
        let found = state.runs.get(run).ok_or_else(|| not_found_run(run.run))?;
        summary::deletable(&found.summary)?;
        state.runs.remove(run);
        state.collect();
        state.position += 1;
        Ok(Position(state.position))
    }
}

impl State {
    /// Lets go of content that nothing mentions and that is not lent.
    fn collect(&mut self) {
        let Self { runs, blobs, lent, .. } = self;
        blobs.retain(|blob, _| {
            let (organisation, digest) = blob;
            let mentions =
                |(key, run): (&RunKey, &Run)| key.organisation == *organisation && run.mentioned.contains(digest);
            lent.contains(blob) || runs.iter().any(mentions)
        });
    }
}

pub(crate) fn not_found_run(run: RunId) -> StoreError {
    StoreError::NotFound(format!("run {run}"))
}

pub(crate) fn not_found_blob(digest: &Digest) -> StoreError {
    StoreError::NotFound(format!("blob {digest}"))
}

pub(crate) fn check_blob_size(content: &[u8]) -> Result<(), StoreError> {
    if content.len() > MAX_BLOB_BYTES {
        let bytes = content.len();
        return Err(StoreError::TooLarge(format!(
            "a blob of {bytes} bytes is too large: {MAX_BLOB_BYTES} is the most"
        )));
    }
    Ok(())
}
