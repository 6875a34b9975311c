//! Reading everything and comparing it: that nothing is damaged, and that nothing contradicts anything else.
//!
//! Each part is looked at while nothing is written, and others have their turn between two parts; what is pending is
//! written first.

use std::collections::BTreeSet;
use std::ops::Bound;

use sled::IVec;
use windflow_core::id::{Digest, RunKey};
use windflow_core::ports::store::{RunSummary, StoreError};

use super::database::Database;
use super::guard::{failed, guarded};
use super::inner::Inner;
use super::layout::{self, STATUSES, Section};
use super::totals::{Totals, entry_bytes};
use crate::record::{MAX_BLOB_BYTES, encode};
use crate::{mentions, order, summary};

/// Problems that are told. Where there are more, the first ones say what happened.
const MOST_PROBLEMS: usize = 100;

/// Entries that are looked at in one turn.
const STEP: usize = 200;

/// Records of a run that are in memory at a time.
const PAGE: usize = 256;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Runs that were read.
    pub runs: u64,
    /// Their records.
    pub records: u64,
    /// Contents that were read.
    pub blobs: u64,
    /// What is wrong, at most a hundred of it. Empty: nothing is.
    pub problems: Vec<String>,
}

impl Checked {
    fn wrong(&mut self, what: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(what.into());
        }
    }

    fn take<T>(&mut self, done: Result<T, StoreError>) -> Option<T> {
        done.inspect_err(|error| self.wrong(error.to_string())).ok()
    }
}

/// Sums that have to agree.
#[derive(Default)]
struct Sums {
    live: u64,
    uses: u64,
    counted_uses: u64,
    listed: [u64; 3],
    unfinished: u64,
    journals: u64,
    last_journal: Option<RunKey>,
}

impl Inner {
    pub(super) fn check(&self) -> Result<Checked, StoreError> {
        self.apply_unless_failed()?;
        let before = self.database().totals();
        let (mut checked, mut sums) = (Checked::default(), Sums::default());
        for section in Section::ALL {
            let mut last: Option<IVec> = None;
            loop {
                let _turn = self.turn();
                let step = guarded(&self.dir, || {
                    Ok(self.check_step(&self.database(), section, &last, &mut checked, &mut sums))
                });
                match checked.take(step).flatten() {
                    Some(next) => last = Some(next),
                    None => break,
                }
            }
        }
        // Sums over a store that changed meanwhile say nothing.
        if self.database().totals().batches == before.batches {
            compare(&before, &sums, &mut checked);
        }
        Ok(checked)
    }

    /// Looks at the entries behind the last one. Gives the last of them, none at the end.
    fn check_step(
        &self,
        database: &Database,
        section: Section,
        last: &Option<IVec>,
        checked: &mut Checked,
        sums: &mut Sums,
    ) -> Option<IVec> {
        let tree = checked.take(database.tree(section))?;
        let begin = last.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut end = None;
        for entry in tree.range::<IVec, _>((begin, Bound::Unbounded)).take(STEP) {
            let (key, value) = checked.take(entry.map_err(|error| failed(&self.dir, &error)))?;
            if section != Section::Meta {
                sums.live = sums.live.saturating_add(entry_bytes(section, &key, &value));
            }
            let done = self.check_entry(database, section, &key, &value, checked, sums);
            checked.take(done);
            end = Some(key);
        }
        end
    }

    fn check_entry(
        &self,
        database: &Database,
        section: Section,
        key: &[u8],
        value: &[u8],
        checked: &mut Checked,
        sums: &mut Sums,
    ) -> Result<(), StoreError> {
        match section {
            Section::Runs => match layout::run_key(key) {
                Some(run) => self.check_run(database, &run, checked, sums)?,
                None => checked.wrong("a run has a key that is none"),
            },
            Section::Journal => {
                let run = key.len().checked_sub(12).and_then(|end| layout::run_key(key.get(..end)?));
                if run != sums.last_journal {
                    let known = match &run {
                        Some(run) => {
                            database.has(Section::Runs, layout::run(run))?
                                || database.has(Section::Deleted, layout::run(run))?
                        }
                        None => false,
                    };
                    if !known {
                        checked.wrong(format!("there is a journal of {run:?}, but no such run"));
                    }
                    sums.journals += 1;
                    sums.last_journal = run;
                }
            }
            Section::ByStatus => sums.listed[0] += 1,
            Section::ByWorkflow => sums.listed[1] += 1,
            Section::Unfinished => sums.listed[2] += 1,
            Section::BlobUses => {
                let count = value.try_into().map_or(0, u64::from_be_bytes);
                sums.counted_uses = sums.counted_uses.saturating_add(count);
                check_blob(database, key, count, checked)?;
            }
            Section::Uses => {
                sums.uses += 1;
                let blob = key.iter().position(|byte| *byte == 0).zip(layout::used(key));
                let blob = blob.map(|(end, digest)| [key.get(..=end).unwrap_or_default(), &digest.0].concat());
                if !database.has(Section::BlobUses, blob.unwrap_or_default())? {
                    checked.wrong("a run mentions content that is not counted");
                }
            }
            Section::Blobs | Section::Unused | Section::Deleted | Section::Records | Section::Meta => {}
        }
        Ok(())
    }

    fn check_run(
        &self,
        database: &Database,
        run: &RunKey,
        checked: &mut Checked,
        sums: &mut Sums,
    ) -> Result<(), StoreError> {
        let Some(found) = database.summary(run)? else { return Ok(()) };
        checked.runs += 1;
        let mut told: Option<RunSummary> = None;
        let mut digests = BTreeSet::new();
        loop {
            let after = summary::end(told.as_ref());
            let page = self.read_kept(database, run, after, found.sequence, PAGE)?;
            if page.is_empty() {
                break;
            }
            let mut records = Vec::with_capacity(page.len());
            for (_, kept) in page {
                digests.extend(kept.large());
                let record = self.whole(database, run, kept)?;
                mentions::find(&encode(&record)?, &mut digests);
                records.push(record);
            }
            checked.records += records.len() as u64;
            match &mut told {
                Some(told) => summary::extend(told, &records),
                None => told = summary::begin(run.run, &records)?,
            }
        }
        if told.as_ref() != Some(&found) {
            checked.wrong(format!("the summary of run {} does not say what its journal says", run.run));
        }
        for status in STATUSES {
            for (section, workflow) in [(Section::ByStatus, None), (Section::ByWorkflow, Some(&found.workflow))] {
                let key = layout::at_place(layout::index(&run.organisation, workflow, status), order::place(&found));
                if database.has(section, key)? != (status == found.status) {
                    checked.wrong(format!("run {} is listed wrongly as {status:?}", run.run));
                }
            }
        }
        sums.unfinished += u64::from(!found.status.is_ended());
        if database.has(Section::Unfinished, layout::run(run))? == found.status.is_ended() {
            checked.wrong(format!("whether run {} has ended is not clear", run.run));
        }
        for digest in digests {
            let kept = database.has(Section::BlobUses, layout::blob(&run.organisation, &digest))?;
            if kept && !database.has(Section::Uses, layout::one_use(&layout::uses_of(run), &digest))? {
                checked.wrong(format!("that run {} mentions {digest} is not counted", run.run));
            }
        }
        Ok(())
    }
}

fn check_blob(database: &Database, key: &[u8], count: u64, checked: &mut Checked) -> Result<(), StoreError> {
    checked.blobs += 1;
    let digest = layout::used(key);
    match database.parts(Section::Blobs, key, MAX_BLOB_BYTES)? {
        Some(content) if Some(Digest::of(&content)) == digest => {}
        Some(_) => checked.wrong(format!("the content of blob {digest:?} does not fit its digest")),
        None => checked.wrong(format!("the content of blob {digest:?} is missing")),
    }
    if database.has(Section::Unused, key)? != (count == 0) {
        checked.wrong(format!("whether anything mentions blob {digest:?} is not clear"));
    }
    Ok(())
}

fn compare(totals: &Totals, sums: &Sums, checked: &mut Checked) {
    let runs = checked.runs;
    let pairs = [
        ("runs that are counted", totals.runs, runs),
        ("bytes that are counted", totals.live, sums.live),
        ("runs that are listed by status", sums.listed[0], runs),
        ("runs that are listed by workflow", sums.listed[1], runs),
        ("runs that are listed as unfinished", sums.listed[2], sums.unfinished),
        ("mentions of content that are counted", sums.counted_uses, sums.uses),
    ];
    for (what, counted, there) in pairs {
        if counted != there {
            checked.wrong(format!("the number of {what} is {counted}, and there are {there}"));
        }
    }
}
