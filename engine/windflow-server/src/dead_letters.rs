//! Runs that failed for good and that nobody has looked after yet.
//!
//! A run that failed is one until somebody repeats or dismisses it. Runs that somebody tried something with are none, nor are
//! those that another run started: they are that one's business.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{OrganisationId, RunId, RunKey, WorkflowName};
use windflow_core::ports::records::{Expected, RecordsError};
use windflow_core::ports::store::{RunStatus, RunSummary, StoreError};
use windflow_core::run::{RunFailure, Timestamp};

use crate::kept::{self, Kept};
use crate::launch;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// A run that failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    pub(crate) run: RunId,
    pub(crate) workflow: WorkflowName,
    pub(crate) started_by: String,
    pub(crate) at: Timestamp,
    pub(crate) error: Value,
    /// Who has looked after it. It stays then for as long as its run does, so that it is not found a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settled: Option<Settled>,
}

/// How somebody looked after a run that failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    /// The run that repeats it; none where it was dismissed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunId>,
}

const PREFIX: &str = "dead-letters/";

/// The newest first: ids begin with the time, and lists are in the order of their keys.
fn key(run: RunId) -> String {
    format!("{PREFIX}{:032x}", !run.0.as_u128())
}

/// Keeps a run that failed; once, however often it is told.
pub(crate) fn keep(app: &App, organisation: &OrganisationId, run: &RunSummary) -> Result<(), StoreError> {
    let business_of_another = ["run ", launch::TEST].iter().any(|by| run.started_by.starts_with(by));
    let (Some(at), false) = (run.finished_at, business_of_another) else { return Ok(()) };
    let error = match run.status {
        RunStatus::Failed => serde_json::to_value(&run.failure).unwrap_or_default(),
        RunStatus::Cancelled => match not_undone(app, organisation, run.run) {
            Some(error) => error,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    let letter = DeadLetter {
        run: run.run,
        workflow: run.workflow.clone(),
        started_by: run.started_by.clone(),
        at,
        error,
        settled: None,
    };
    match app.records.put(organisation, &key(run.run), Expected::Absent, kept::encode(&letter)?) {
        Ok(_) | Err(RecordsError::Conflict { .. }) => Ok(()),
        Err(RecordsError::Store(error)) => Err(error),
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}

/// Why somebody has to look after a run that was cancelled: something that it did could not be undone.
fn not_undone(app: &App, organisation: &OrganisationId, run: RunId) -> Option<Value> {
    let key = RunKey { organisation: organisation.clone(), run };
    let report = app.runtime.report(&key).ok()?;
    let node = report.uncompensated.first()?;
    let message = format!("the run was cancelled, and what node `{node}` did could not be undone");
    let failure = Failure { code: "not_undone".into(), ..Failure::new(FailureKind::Node, message) };
    serde_json::to_value(RunFailure { node: Some(node.clone()), failure }).ok()
}

/// Those that nobody has looked after, of one workflow or of all, and the key after which the next page begins.
pub(crate) fn list(
    app: &App,
    organisation: &OrganisationId,
    workflow: Option<&WorkflowName>,
    mut after: Option<String>,
    limit: usize,
) -> Answer<(Vec<DeadLetter>, Option<String>)> {
    let mut found = Vec::new();
    loop {
        let wanted = limit - found.len();
        let (items, next) = kept::scan::<DeadLetter>(&*app.records, organisation, PREFIX, after.as_deref(), wanted)?;
        let open =
            |letter: &DeadLetter| letter.settled.is_none() && workflow.is_none_or(|name| *name == letter.workflow);
        found.extend(items.into_iter().map(|kept| kept.value).filter(open));
        if next.is_none() || found.len() == limit {
            return Ok((found, next));
        }
        after = next;
    }
}

/// Somebody looks after it: by a run that repeats it, or by saying that nothing is to be done. False: it is none, or it is settled.
pub(crate) fn settle(
    app: &App,
    organisation: &OrganisationId,
    run: RunId,
    by: String,
    repeated: Option<RunId>,
) -> Answer<bool> {
    let Some(Kept { version, mut value }) = kept::read::<DeadLetter>(&*app.records, organisation, &key(run))? else {
        return Ok(false);
    };
    if value.settled.is_some() {
        return Ok(false);
    }
    value.settled = Some(Settled { by, at: app.now(), run: repeated });
    app.records.put(organisation, &key(run), Expected::Version(version), kept::encode(&value)?)?;
    Ok(true)
}

/// Forgets it together with its run. What a crash leaves between the two is found by [`prune`].
pub(crate) fn forget(app: &App, run: &RunKey) -> Result<(), RecordsError> {
    let key = key(run.run);
    // Most runs were never one: for those nothing is written.
    if app.records.get(&run.organisation, &key)?.is_some() {
        app.records.delete(&run.organisation, &key, Expected::Any)?;
    }
    Ok(())
}

/// Forgets those whose runs are gone.
pub(crate) fn prune(app: &App, organisation: &OrganisationId) -> Result<(), Problem> {
    let mut after = None::<String>;
    loop {
        let (items, next) = kept::scan::<DeadLetter>(&*app.records, organisation, PREFIX, after.as_deref(), 500)?;
        for Kept { value, .. } in items {
            let run = RunKey { organisation: organisation.clone(), run: value.run };
            if matches!(app.store.run(&run), Err(StoreError::NotFound(_))) {
                forget(app, &run)?;
            }
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}
