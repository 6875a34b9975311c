//! How runs went over a time: for dashboards.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::RunId;
use windflow_core::ports::store::{RunQuery, RunStatus, RunSummary};
use windflow_core::run::Timestamp;

use super::extract::{Allowed, Query, need};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// Runs that are looked at, the newest first. Beyond, the answer says that it is not complete.
const MOST_RUNS: usize = 20_000;

/// Stretches of an answer.
const MOST_BUCKETS: u64 = 400;

/// Workflows that are told, those with the most runs.
const MOST_WORKFLOWS: usize = 50;

const DAY: u64 = 24 * 3600 * 1000;

/// Of which time.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatisticsQuery {
    /// From this instant on; the last 24 hours where nothing is said.
    since: Option<u64>,
    /// Up to this instant; now where nothing is said.
    until: Option<u64>,
    /// How long each stretch is, in milliseconds: an hour where nothing is said.
    #[param(minimum = 60_000)]
    step: Option<u64>,
}

/// How runs went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    since: u64,
    until: u64,
    step: u64,
    total: Outcomes,
    /// One for each stretch of time, the oldest first, by when runs began.
    stretches: Vec<Stretch>,
    /// Those with the most runs first.
    workflows: Vec<WorkflowStatistics>,
    /// False where there were more runs than are looked at: the oldest are missing.
    complete: bool,
}

/// How many runs ended how.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Outcomes {
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    /// Have not ended.
    running: u64,
}

/// A stretch of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stretch {
    since: u64,
    #[serde(flatten)]
    outcomes: Outcomes,
}

/// How the runs of a workflow went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowStatistics {
    workflow: String,
    #[serde(flatten)]
    outcomes: Outcomes,
    /// Milliseconds from beginning to end, of half of those that ended.
    median: Option<u64>,
    /// Milliseconds, of 95 of a hundred of those that ended.
    p95: Option<u64>,
}

impl Outcomes {
    fn count(&mut self, status: RunStatus) {
        *match status {
            RunStatus::Succeeded => &mut self.succeeded,
            RunStatus::Failed => &mut self.failed,
            RunStatus::Cancelled => &mut self.cancelled,
            _ => &mut self.running,
        } += 1;
    }

    fn all(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled + self.running
    }
}

/// How runs went over a time: how many ended how, and how long those of each workflow took.
#[utoipa::path(
    get, path = "/statistics", tag = "runs", operation_id = "statistics", params(StatisticsQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Statistics), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Query(query): Query<StatisticsQuery>,
) -> Answer<axum::Json<Statistics>> {
    let until = query.until.unwrap_or_else(|| app.now().0.saturating_add(1));
    let since = query.since.unwrap_or_else(|| until.saturating_sub(DAY));
    let step = query.step.unwrap_or(3600 * 1000);
    let refused = |why: &str| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", why.to_owned());
    if step < 60_000 {
        return Err(refused("`step` is a minute at least"));
    }
    if since >= until || (until - since).div_ceil(step) > MOST_BUCKETS {
        return Err(refused(&format!("`since` comes before `until`, by {MOST_BUCKETS} steps at most")));
    }
    let organisation = allowed.0.organisation;
    let statistics = blocking(move || -> Answer<Statistics> {
        let mut counting = Counting::new(since, until, step);
        let (mut after, mut seen) = (None::<RunId>, 0);
        loop {
            let query = RunQuery {
                workflow: None,
                status: None,
                since: Some(Timestamp(since)),
                until: Some(Timestamp(until)),
                after,
                limit: 1000,
            };
            let page = app.store.runs(&organisation, &query)?;
            seen += page.items.len();
            page.items.iter().for_each(|run| counting.count(run));
            after = page.next;
            if after.is_none() || seen >= MOST_RUNS {
                return Ok(counting.finish(after.is_none()));
            }
        }
    });
    Ok(axum::Json(statistics.await??))
}

struct Counting {
    since: u64,
    until: u64,
    step: u64,
    total: Outcomes,
    stretches: Vec<Outcomes>,
    workflows: BTreeMap<String, (Outcomes, Vec<u64>)>,
}

impl Counting {
    fn new(since: u64, until: u64, step: u64) -> Self {
        let stretches =
            (since..until).step_by(usize::try_from(step).unwrap_or(usize::MAX)).map(|_| Outcomes::default());
        Self {
            since,
            until,
            step,
            total: Outcomes::default(),
            stretches: stretches.collect(),
            workflows: BTreeMap::new(),
        }
    }

    fn count(&mut self, run: &RunSummary) {
        self.total.count(run.status);
        let stretch = run.started_at.0.saturating_sub(self.since) / self.step;
        if let Some(stretch) = usize::try_from(stretch).ok().and_then(|at| self.stretches.get_mut(at)) {
            stretch.count(run.status);
        }
        let (outcomes, durations) = self.workflows.entry(run.workflow.to_string()).or_default();
        outcomes.count(run.status);
        durations.extend(run.finished_at.map(|at| at.0.saturating_sub(run.started_at.0)));
    }

    fn finish(self, complete: bool) -> Statistics {
        let starts = (self.since..self.until).step_by(usize::try_from(self.step).unwrap_or(usize::MAX));
        let mut workflows: Vec<WorkflowStatistics> = self
            .workflows
            .into_iter()
            .map(|(workflow, (outcomes, mut durations))| {
                durations.sort_unstable();
                let at = |percent: usize| {
                    durations.get((durations.len() * percent / 100).min(durations.len().saturating_sub(1)))
                };
                let (median, p95) = (at(50).copied(), at(95).copied());
                WorkflowStatistics { workflow, outcomes, median, p95 }
            })
            .collect();
        workflows.sort_by_key(|workflow| std::cmp::Reverse(workflow.outcomes.all()));
        workflows.truncate(MOST_WORKFLOWS);
        Statistics {
            since: self.since,
            until: self.until,
            step: self.step,
            total: self.total,
            stretches: starts.zip(self.stretches).map(|(since, outcomes)| Stretch { since, outcomes }).collect(),
            workflows,
            complete,
        }
    }
}
