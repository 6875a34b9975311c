//! A store whose commits take their time and fail, and that forgets at a crash what was not durable.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use windflow_core::id::{Digest, NodeId, OrganisationId, RunKey, WorkflowName};
use windflow_core::ports::store::{
    Blobs, BoxFuture, Journal, Page, Position, ReadModel, Retention, RunQuery, RunSummary, StoreError,
};
use windflow_core::run::{Event, Record, Sequence};
use windflow_store::MemoryStore;

/// What was written, in its order.
#[derive(Clone)]
pub(crate) enum Write {
    Append(RunKey, Sequence, Vec<Record>),
    Blob(OrganisationId, Vec<u8>),
}

/// How bad the disk is.
#[derive(Clone, Copy)]
pub(crate) struct Disk {
    /// The longest that a commit takes, as a rule.
    pub(crate) slow: Duration,
    /// How likely a commit fails.
    pub(crate) fails: f64,
}

pub(crate) struct UnsteadyStore {
    memory: MemoryStore,
    disk: Disk,
    state: Mutex<State>,
}

struct State {
    writes: Vec<Write>,
    durable: usize,
    failed: bool,
    chance: StdRng,
}

impl UnsteadyStore {
    /// A store that holds what survived.
    pub(crate) fn new(writes: Vec<Write>, disk: Disk, seed: u64) -> Self {
        let memory = MemoryStore::default();
        for write in &writes {
            match write {
                Write::Append(run, expected, records) => {
                    memory.append(run, *expected, records).expect("what was written is written again");
                }
                Write::Blob(organisation, content) => {
                    memory.put_blob(organisation, content).expect("what was kept is kept again");
                }
            }
        }
        let durable = writes.len();
        let chance = StdRng::seed_from_u64(seed);
        Self { memory, disk, state: Mutex::new(State { writes, durable, failed: false, chance }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is read-only.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// What a crash leaves: all that is durable, and as much of the rest as had reached the disk by chance.
    pub(crate) fn survivors(&self) -> Vec<Write> {
        let mut state = self.state();
        let (durable, all) = (state.durable, state.writes.len());
        let left = state.chance.random_range(durable..=all);
        state.writes[..left].to_vec()
    }

    /// Whether this attempt's beginning is durable, and whether its success was ever written.
    pub(crate) fn attempt(&self, run: &RunKey, node: &NodeId, item: Option<u32>, attempt: u32) -> (bool, bool) {
        let state = self.state();
        let (mut begun, mut succeeded) = (false, false);
        for (at, write) in state.writes.iter().enumerate() {
            let Write::Append(of, _, records) = write else { continue };
            for record in records.iter().filter(|_| of == run) {
                match &record.event {
                    Event::AttemptStarted { node: n, item: i, attempt: a, .. } if n == node && *i == item => {
                        begun |= *a == attempt && at < state.durable;
                    }
                    Event::AttemptSucceeded { node: n, item: i, .. } if n == node && *i == item => succeeded = true,
                    _ => {}
                }
            }
        }
        (begun, succeeded)
    }

    fn read_only() -> StoreError {
        StoreError::ReadOnly("the simulated disk failed".into())
    }
}

impl Journal for UnsteadyStore {
    fn append(&self, run: &RunKey, expected: Sequence, records: &[Record]) -> Result<Position, StoreError> {
        let mut state = self.state();
        if state.failed {
            return Err(Self::read_only());
        }
        self.memory.append(run, expected, records)?;
        state.writes.push(Write::Append(run.clone(), expected, records.to_vec()));
        Ok(Position(state.writes.len() as u64))
    }

    fn durable(&self, mut position: Position) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let (reaches, takes, fails) = {
                let mut state = self.state();
                position.0 = position.0.min(state.writes.len() as u64);
                if state.durable as u64 >= position.0 {
                    return Ok(());
                }
                // Now and then a disk takes long.
                let factor = if state.chance.random_bool(0.05) { 50.0 } else { 1.0 };
                let takes = self.disk.slow.mul_f64(state.chance.random::<f64>() * factor);
                (state.writes.len(), takes, state.chance.random_bool(self.disk.fails))
            };
            tokio::time::sleep(takes).await;
            let mut state = self.state();
            state.failed |= fails;
            if state.durable as u64 >= position.0 {
                return Ok(());
            }
            if state.failed {
                return Err(Self::read_only());
            }
            state.durable = state.durable.max(reaches);
            Ok(())
        })
    }

    fn read(&self, run: &RunKey, after: Sequence, limit: usize) -> Result<Vec<(Sequence, Record)>, StoreError> {
        self.memory.read(run, after, limit)
    }
}

impl Blobs for UnsteadyStore {
    fn put_blob(&self, organisation: &OrganisationId, content: &[u8]) -> Result<Digest, StoreError> {
        let mut state = self.state();
        if state.failed {
            return Err(Self::read_only());
        }
        let digest = self.memory.put_blob(organisation, content)?;
        state.writes.push(Write::Blob(organisation.clone(), content.to_vec()));
        Ok(digest)
    }

    fn blob(&self, organisation: &OrganisationId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.memory.blob(organisation, digest)
    }
}

impl ReadModel for UnsteadyStore {
    fn runs(&self, organisation: &OrganisationId, query: &RunQuery) -> Result<Page<RunSummary>, StoreError> {
        self.memory.runs(organisation, query)
    }

    fn run(&self, key: &RunKey) -> Result<RunSummary, StoreError> {
        self.memory.run(key)
    }

    fn unfinished(&self) -> Result<Vec<RunKey>, StoreError> {
        self.memory.unfinished()
    }

    fn workflows(&self, organisation: &OrganisationId) -> Result<Vec<WorkflowName>, StoreError> {
        self.memory.workflows(organisation)
    }
}

impl Retention for UnsteadyStore {
    fn delete(&self, run: &RunKey) -> Result<Position, StoreError> {
        self.memory.delete(run)
    }
}
