//! Which runs are kept. Runs that have not ended always are.

use crate::id::{OrganisationId, RunId, RunKey, WorkflowName};
use crate::ports::store::{Position, ReadModel, Retention, RunQuery, StoreError};
use crate::run::Timestamp;

/// Runs that are looked at in one go.
const PAGE: usize = 500;

/// What to keep of the runs that have ended. A run stays that every limit which is set keeps; without any all stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keep {
    /// The limits are about this workflow; none: about all runs of the organisation together.
    pub workflow: Option<WorkflowName>,
    /// Those that ended at this time or later.
    pub ended_since: Option<Timestamp>,
    /// The newest so many, by their start.
    pub newest: Option<usize>,
}

/// What [`prune`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Runs that were deleted.
    pub deleted: usize,
    /// Whether there were more than `most`: another call goes on.
    pub more: bool,
    /// What to wait for, where the deletions have to be durable.
    pub position: Option<Position>,
}

/// Deletes runs that are not to be kept, at most so many. Memory and the time between two looks at other work are bounded
/// by `most`; a limit by number reads as many lines as it keeps.
///
/// # Errors
/// As the store's. What was deleted before the error stays deleted.
pub fn prune<S: ReadModel + Retention + ?Sized>(
    store: &S,
    organisation: &OrganisationId,
    keep: &Keep,
    most: usize,
) -> Result<Pruned, StoreError> {
    // Found first and deleted then: a page goes on after a run that must still be there.
    let mut doomed = doomed(store, organisation, keep, most.saturating_add(1))?;
    let mut pruned = Pruned { more: doomed.len() > most, ..Pruned::default() };
    doomed.truncate(most);
    for run in doomed {
        match store.delete(&RunKey { organisation: organisation.clone(), run }) {
            Ok(position) => {
                pruned.deleted += 1;
                pruned.position = Some(position);
            }
            // Somebody else was faster.
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pruned)
}

fn doomed<S: ReadModel + ?Sized>(
    store: &S,
    organisation: &OrganisationId,
    keep: &Keep,
    most: usize,
) -> Result<Vec<RunId>, StoreError> {
    let mut doomed = Vec::new();
    if keep.newest.is_none() && keep.ended_since.is_none() {
        return Ok(doomed);
    }
    // Nothing ends before it starts. Where the number counts as well, newer runs have to be seen to be counted.
    let until = if keep.newest.is_none() { keep.ended_since } else { None };
    let mut query = RunQuery { workflow: keep.workflow.clone(), until, limit: PAGE, ..RunQuery::default() };
    let mut seen = 0;
    loop {
        let page = store.runs(organisation, &query)?;
        for run in page.items.iter().filter(|run| run.status.is_ended()) {
            seen += 1;
            let too_many = keep.newest.is_some_and(|newest| seen > newest);
            let too_old = keep.ended_since.is_some_and(|since| run.finished_at.is_some_and(|end| end < since));
            if too_many || too_old {
                doomed.push(run.run);
            }
            if doomed.len() == most {
                return Ok(doomed);
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(doomed);
        }
    }
}
