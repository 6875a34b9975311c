//! What was appended and is not in the database yet, and what is known of the runs that are being appended to.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::ports::store::{RunStatus, RunSummary, StoreError};
use windflow_core::run::{Record, Sequence};

use super::layout::{self, PART_BYTES};
use super::records::{self, Recent};
use crate::lent::Lent;
use crate::record::Encoded;
use crate::summary;

/// Heads that are kept at least; beyond, those that can be read back are forgotten.
const MIN_HEADS: usize = 1024;

/// All that is guarded by one lock. It is held for moments only, never while the disk is waited for.
#[derive(Debug)]
pub(super) struct State {
    /// The latest summary of every run with something pending, and of others that were appended to lately.
    pub(super) heads: HashMap<RunKey, Head>,
    /// Values that were changed lately.
    pub(super) recent: Recent,
    /// Grows whenever heads are forgotten.
    pub(super) forgotten: u64,
    max_heads: usize,
    /// Runs that are being deleted; whoever appends to one of them waits.
    pub(super) deleting: HashSet<RunKey>,
    /// Keys of content that somebody kept and is about to mention.
    pub(super) lent: Lent<Vec<u8>>,
    pub(super) pending: Pending,
    /// Bytes that were handed to sled and are not durable.
    pub(super) unsynced_bytes: usize,
    /// Position of the last append.
    pub(super) appended: u64,
    /// Position up to which everything is in the database.
    pub(super) applied: u64,
    /// Position up to which everything survives the loss of power.
    pub(super) durable: u64,
    /// Position up to which somebody waits for that.
    pub(super) wanted: u64,
    /// When the oldest append was made that no commit has taken up.
    pub(super) oldest: Option<Instant>,
    /// Batches ever applied to this database.
    pub(super) batches: u64,
    /// Why the store takes no more.
    pub(super) failed: Option<String>,
    /// The store is being dropped.
    pub(super) closing: bool,
}

#[derive(Debug)]
pub(super) struct Head {
    pub(super) summary: RunSummary,
    /// Position of the last append; 0 where it was made before the store was opened, or long ago.
    pub(super) position: u64,
}

/// What the next batch will write.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) runs: HashMap<RunKey, PendingRun>,
    pub(super) blobs: HashMap<(OrganisationId, Digest), Vec<u8>>,
    pub(super) records: records::Pending,
    /// The version of the last change of a value, where there was one.
    pub(super) record_version: Option<u64>,
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct PendingRun {
    /// Under which status the database lists the run, if it does.
    pub(super) stored: Option<RunStatus>,
    /// How the run stands after the chunks; filled in when the batch is taken.
    pub(super) summary: Option<RunSummary>,
    pub(super) chunks: Vec<Chunk>,
    /// What the records mention; one that several appends mention is there as often.
    pub(super) mentions: Vec<Digest>,
}

/// Records that are kept as one value.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) first: Sequence,
    pub(super) bytes: Vec<u8>,
}

impl State {
    pub(super) fn new(batches: u64, record_version: u64) -> Self {
        Self {
            heads: HashMap::new(),
            recent: Recent::new(record_version),
            forgotten: 0,
            max_heads: MIN_HEADS,
            deleting: HashSet::new(),
            lent: Lent::new(),
            pending: Pending::default(),
            unsynced_bytes: 0,
            appended: 0,
            applied: 0,
            durable: 0,
            wanted: 0,
            oldest: None,
            batches,
            failed: None,
            closing: false,
        }
    }

    /// Takes records in. The caller has checked that they follow the run's head, which must be known if there is one.
    pub(super) fn append(
        &mut self,
        run: &RunKey,
        records: &[Record],
        encoded: &[Encoded],
        mentions: &BTreeSet<Digest>,
    ) -> Result<(), StoreError> {
        let position = self.appended + 1;
        let (stored, mut sequence) = match self.heads.get_mut(run) {
            Some(head) => {
                let before = (Some(head.summary.status), head.summary.sequence);
                summary::extend(&mut head.summary, records);
                head.position = position;
                before
            }
            None => {
                let Some(summary) = summary::begin(run.run, records)? else { return Ok(()) };
                self.heads.insert(run.clone(), Head { summary, position });
                (None, 0)
            }
        };
        if !self.pending.runs.contains_key(run) {
            let new = PendingRun { stored, summary: None, chunks: Vec::new(), mentions: Vec::new() };
            self.pending.runs.insert(run.clone(), new);
        }
        let Some(pending) = self.pending.runs.get_mut(run) else { return Ok(()) };
        pending.mentions.extend(mentions);
        for record in encoded {
            sequence += 1;
            pending.push(sequence, &record.json);
            self.pending.bytes += record.json.len() + 1;
        }
        self.note_append();
        Ok(())
    }

    pub(super) fn put_blob(&mut self, organisation: &OrganisationId, digest: Digest, content: &[u8]) {
        self.lent.lend(layout::blob(organisation, &digest));
        self.pending.bytes += content.len();
        self.pending.blobs.insert((organisation.clone(), digest), content.to_vec());
        self.note_append();
    }

    /// Counts something as appended: it has a position, and is committed soon even where nobody waits.
    pub(super) fn note_append(&mut self) {
        self.appended += 1;
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// What would be lost without power.
    pub(super) fn undurable_bytes(&self) -> usize {
        self.pending.bytes + self.unsynced_bytes
    }

    /// Takes all that is pending, as one batch.
    pub(super) fn take(&mut self) -> Pending {
        self.unsynced_bytes += self.pending.bytes;
        let mut batch = std::mem::take(&mut self.pending);
        for (run, pending) in &mut batch.runs {
            pending.summary = self.heads.get(run).map(|head| head.summary.clone());
        }
        batch
    }

    /// The batch is in the database, where what it mentions is safe.
    pub(super) fn give_back(&mut self, batch: &Pending) {
        for (run, pending) in &batch.runs {
            for digest in &pending.mentions {
                self.lent.give_back(&layout::blob(&run.organisation, digest));
            }
        }
    }

    /// Forgets heads that the database knows as well, once there are many.
    pub(super) fn forget_heads(&mut self) {
        if self.heads.len() > self.max_heads {
            let applied = self.applied;
            self.heads.retain(|_, head| head.position > applied);
            self.max_heads = MIN_HEADS.max(2 * self.heads.len());
            self.forgotten += 1;
        }
    }
}

impl PendingRun {
    fn push(&mut self, sequence: Sequence, record: &[u8]) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.bytes.len() + record.len() < PART_BYTES => chunk.push(record),
            _ => {
                let mut chunk = Chunk { first: sequence, bytes: Vec::with_capacity(record.len() + 1) };
                chunk.push(record);
                self.chunks.push(chunk);
            }
        }
    }
}

impl Chunk {
    fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.bytes.push(b'\n');
    }
}
