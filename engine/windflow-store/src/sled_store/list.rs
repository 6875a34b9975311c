//! Lists of runs, read in the order of the keys: a page costs what is on it, however many runs there are.

use std::iter::{Peekable, Rev};

use sled::Tree;
use windflow_core::id::{OrganisationId, RunId, RunKey, WorkflowName};
use windflow_core::ports::store::{Page, RunQuery, RunStatus, RunSummary, StoreError};
use windflow_core::run::Timestamp;

use super::database::Database;
use super::guard::{damaged, failed, guarded};
use super::inner::Inner;
use super::layout::{self, Section};
use crate::order::{self, Place};

impl Inner {
    pub(super) fn runs(&self, organisation: &OrganisationId, query: &RunQuery) -> Result<Page<RunSummary>, StoreError> {
        // While a batch moves a run from one status to another, it could show twice or not at all.
        let mut turn = self.turn();
        if self.state().failed.is_none() {
            self.apply_in_turn(&mut turn)?;
        }
        guarded(&self.dir, || self.list(&self.database(), organisation, query))
    }

    fn list(
        &self,
        database: &Database,
        organisation: &OrganisationId,
        query: &RunQuery,
    ) -> Result<Page<RunSummary>, StoreError> {
        let summary = |run: RunId| database.summary(&RunKey { organisation: organisation.clone(), run });
        let before = match query.after {
            None => None,
            Some(run) => {
                let found = summary(run)?;
                order::before(query, |_| found.map(|summary| summary.started_at))
            }
        };
        let one;
        let statuses = match query.status {
            Some(status) => {
                one = [status];
                one.as_slice()
            }
            None => &layout::STATUSES,
        };
        let section = if query.workflow.is_some() { Section::ByWorkflow } else { Section::ByStatus };
        let tree = database.tree(section)?;
        let mut lists: Vec<_> =
            statuses.iter().map(|status| index(tree, organisation, query, *status, before)).collect();
        let size = order::page_size(query);
        let mut items = Vec::new();
        while let Some((_, run)) = self.newest(&mut lists)? {
            if items.len() == size {
                let next = items.last().map(|last: &RunSummary| last.run);
                return Ok(Page { items, next });
            }
            let found = summary(run)?;
            items.push(found.ok_or_else(|| damaged(&self.dir, format_args!("run {run} is listed but not there")))?);
        }
        Ok(Page { items, next: None })
    }

    /// The next of several lists in their common order.
    fn newest(&self, lists: &mut [Index]) -> Result<Option<Place>, StoreError> {
        let mut best: Option<(Place, usize)> = None;
        for (number, list) in lists.iter_mut().enumerate() {
            match list.peek() {
                None => {}
                Some(Err(error)) => return Err(failed(&self.dir, error)),
                Some(Ok((key, _))) => {
                    let place = layout::place(key)
                        .ok_or_else(|| damaged(&self.dir, "a list of runs has a key that is none"))?;
                    if best.is_none_or(|(best, _)| place > best) {
                        best = Some((place, number));
                    }
                }
            }
        }
        let Some((place, number)) = best else { return Ok(None) };
        if let Some(list) = lists.get_mut(number) {
            list.next();
        }
        Ok(Some(place))
    }

    /// Jumps from one workflow to the next: costs what there are workflows, not what there are runs.
    pub(super) fn workflows(&self, organisation: &OrganisationId) -> Result<Vec<WorkflowName>, StoreError> {
        self.apply_unless_failed()?;
        guarded(&self.dir, || {
            let database = self.database();
            let tree = database.tree(Section::ByWorkflow)?;
            let prefix = layout::organisation(organisation, 0);
            let mut names = Vec::new();
            let mut next = prefix.clone();
            while let Some(entry) = tree.range(next..).next() {
                let (key, _) = entry.map_err(|error| failed(&self.dir, &error))?;
                let Some(rest) = key.strip_prefix(prefix.as_slice()) else { break };
                let name = rest.split(|byte| *byte == 0).next().and_then(|name| std::str::from_utf8(name).ok());
                let name: Option<WorkflowName> = name.and_then(|name| name.parse().ok());
                let name = name.ok_or_else(|| damaged(&self.dir, "a list of runs has a key that is none"))?;
                // Behind all keys of this workflow, which go on with a zero byte.
                next = [prefix.as_slice(), name.as_str().as_bytes(), &[1]].concat();
                names.push(name);
            }
            Ok(names)
        })
    }

    pub(super) fn unfinished(&self) -> Result<Vec<RunKey>, StoreError> {
        self.apply_unless_failed()?;
        guarded(&self.dir, || {
            let mut runs = Vec::new();
            for entry in self.database().tree(Section::Unfinished)? {
                let (key, at) = entry.map_err(|error| failed(&self.dir, &error))?;
                let bad = || damaged(&self.dir, "the list of unfinished runs has a key that is none");
                let at = <[u8; 8]>::try_from(&*at).map_err(|_| bad())?;
                runs.push((u64::from_be_bytes(at), layout::run_key(&key).ok_or_else(bad)?));
            }
            runs.sort();
            Ok(runs.into_iter().map(|(_, key)| key).collect())
        })
    }
}

type Index = Peekable<Rev<sled::Iter>>;

/// The keys of one status, the newest first.
fn index(
    tree: &Tree,
    organisation: &OrganisationId,
    query: &RunQuery,
    status: RunStatus,
    before: Option<Place>,
) -> Index {
    let prefix = layout::index(organisation, query.workflow.as_ref(), status);
    let start = |at: Timestamp| layout::at_place(prefix.clone(), (at, RunId(uuid::Uuid::nil())));
    let low = start(query.since.unwrap_or_default());
    // Just behind the last key that there can be.
    let mut high = layout::at_place(prefix.clone(), (Timestamp(u64::MAX), RunId(uuid::Uuid::max())));
    high.push(0);
    for end in [query.until.map(start), before.map(|place| layout::at_place(prefix.clone(), place))] {
        high = end.map_or(high.clone(), |end| end.min(high));
    }
    // A range must not end before it begins.
    let high = high.max(low.clone());
    tree.range(low..high).rev().peekable()
}
