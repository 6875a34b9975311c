//! Texts that are not finished: kept for everybody of the organisation, run by nobody.
//!
//! A draft may be wrong in every way that a text can be wrong. It is of the workflow of its name, or of one that is not there
//! yet, and is gone once a text is kept as that workflow.

use serde::{Deserialize, Serialize};
use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::records::{Change, Expected, RecordVersion, RecordsError};
use windflow_core::run::Timestamp;

use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Longest draft, in bytes: what a workflow may have, too.
const MAX_BYTES: usize = 1 << 20;

/// A text that is not finished.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) name: WorkflowName,
    pub(crate) text: String,
    /// The version of the workflow that it began from, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) based_on: Option<u32>,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
}

fn key(name: &WorkflowName) -> String {
    format!("drafts/{name}")
}

/// What takes a draft away in the batch that keeps its text for good.
pub(crate) fn gone(organisation: &OrganisationId, name: &WorkflowName) -> Change {
    Change::delete(organisation, key(name), Expected::Any)
}

pub(crate) fn find(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<Option<Kept<Draft>>> {
    Ok(kept::read(&*app.records, organisation, &key(name))?)
}

pub(crate) fn show(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<Kept<Draft>> {
    find(app, organisation, name)?.ok_or_else(|| Problem::not_found(format!("draft of a workflow {name}")))
}

/// The drafts of a page, by name, and the key after which the next page begins.
pub(crate) fn list(
    app: &App,
    organisation: &OrganisationId,
    after: Option<&str>,
    limit: usize,
) -> Answer<(Vec<Kept<Draft>>, Option<String>)> {
    Ok(kept::scan(&*app.records, organisation, "drafts/", after, limit)?)
}

/// Which draft whoever keeps one has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// None: there must be none.
    Nothing,
    /// Whichever there is.
    Any,
    /// This one.
    Version(RecordVersion),
}

/// Keeps a draft; durable when it returns.
pub(crate) async fn keep(app: &App, organisation: &OrganisationId, draft: Draft, seen: Seen) -> Answer<Kept<Draft>> {
    if draft.text.len() > MAX_BYTES {
        let detail = format!("a draft has at most {} KiB", MAX_BYTES >> 10);
        return Err(Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    let expected = match seen {
        Seen::Nothing => Expected::Absent,
        Seen::Any => Expected::Any,
        Seen::Version(version) => Expected::Version(version),
    };
    let changed = match app.records.put(organisation, &key(&draft.name), expected, kept::encode(&draft)?) {
        Ok(changed) => changed,
        Err(RecordsError::Conflict { .. }) => return Err(changed_meanwhile(app, organisation, &draft.name)),
        Err(error) => return Err(error.into()),
    };
    app.records.durable(changed.position).await?;
    Ok(Kept { version: changed.version, value: draft })
}

fn changed_meanwhile(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Problem {
    let detail = match find(app, organisation, name) {
        Ok(Some(draft)) => format!("there is another draft of {name}, by {}", draft.value.by),
        _ => format!("the draft of {name} is not there any more"),
    };
    Problem::new(axum::http::StatusCode::PRECONDITION_FAILED, "changed_meanwhile", detail)
        .remedy("get it, bring both together, and send it with `If-Match` and its ETag")
}

/// Throws a draft away; durable when it returns.
pub(crate) async fn discard(app: &App, organisation: &OrganisationId, name: &WorkflowName) -> Answer<()> {
    let draft = show(app, organisation, name)?;
    let changed = app.records.delete(organisation, &key(name), Expected::Version(draft.version))?;
    app.records.durable(changed.position).await?;
    Ok(())
}
