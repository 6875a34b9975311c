//! The read model's line of a run, projected from its events.

use windflow_core::id::RunId;
use windflow_core::ports::store::{RunStatus, RunSummary, StoreError};
use windflow_core::run::{Event, Record, Sequence};

/// The summary after the first records of a run.
///
/// # Errors
/// [`StoreError::Invalid`] where they begin with anything but the start of the run: without it there is nothing to
/// list the run by.
pub(crate) fn begin(run: RunId, records: &[Record]) -> Result<Option<RunSummary>, StoreError> {
    let Some((first, rest)) = records.split_first() else { return Ok(None) };
    let Event::RunStarted(started) = &first.event else {
        return Err(StoreError::Invalid(format!("the journal of run {run} must begin with the start of the run")));
    };
    let mut summary = RunSummary {
        run,
        workflow: started.workflow.clone(),
        document: started.document,
        status: RunStatus::Running,
        started_by: started.started_by.clone(),
        started_at: first.at,
        finished_at: None,
        failure: None,
        sequence: 1,
    };
    extend(&mut summary, rest);
    Ok(Some(summary))
}

/// Brings a summary up to date with the records that follow.
pub(crate) fn extend(summary: &mut RunSummary, records: &[Record]) {
    for record in records {
        step(summary, record);
    }
}

/// The last sequence of a run's journal.
pub(crate) fn end(summary: Option<&RunSummary>) -> Sequence {
    summary.map_or(0, |summary| summary.sequence)
}

/// Whether a run may be deleted.
///
/// # Errors
/// [`StoreError::Invalid`] where it has not ended.
pub(crate) fn deletable(summary: &RunSummary) -> Result<(), StoreError> {
    if summary.status.is_ended() {
        return Ok(());
    }
    let run = summary.run;
    Err(StoreError::Invalid(format!(
        "run {run} has not ended and cannot be deleted: cancel it first (windflow runs cancel {run})"
    )))
}

fn step(summary: &mut RunSummary, record: &Record) {
    summary.sequence += 1;
    match &record.event {
        // A run that has ended stays so; no engine appends more to it.
        _ if summary.status.is_ended() => {}
        Event::CancelRequested { .. } => summary.status = RunStatus::Cancelling,
        Event::RunFinished { status, failure, .. } => {
            summary.status = (*status).into();
            summary.finished_at = Some(record.at);
            summary.failure.clone_from(failure);
        }
        // What happens to nodes does not show in a list of runs, and whether an event may happen at all is the core's
        // to say.
        _ => {}
    }
}
