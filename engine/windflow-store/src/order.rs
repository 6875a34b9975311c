//! The order of lists: by the time of the start, then by the run's id; the newest first.

use windflow_core::id::RunId;
use windflow_core::ports::store::{RunQuery, RunSummary};
use windflow_core::run::Timestamp;

/// A run's place in a list.
pub(crate) type Place = (Timestamp, RunId);

/// Largest page. Who asks for more gets this many, and where to go on.
pub(crate) const MAX_PAGE: usize = 1000;

/// How many items a page may have.
pub(crate) fn page_size(query: &RunQuery) -> usize {
    query.limit.min(MAX_PAGE)
}

pub(crate) fn place(summary: &RunSummary) -> Place {
    (summary.started_at, summary.run)
}

/// Where a page begins: before this place, if anywhere. `started_at` knows when the run that the last page ended with
/// began; where that run is gone by now, the time inside its id is as good.
pub(crate) fn before(query: &RunQuery, started_at: impl FnOnce(RunId) -> Option<Timestamp>) -> Option<Place> {
    let run = query.after?;
    Some((started_at(run).unwrap_or_else(|| time_of_id(run)), run))
}

/// The milliseconds that a UUID of version 7 begins with.
fn time_of_id(run: RunId) -> Timestamp {
    let [a, b, c, d, e, f, ..] = run.0.into_bytes();
    Timestamp(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}
