//! Edits of a workflow's text: the very ones that the browser makes, with the same code, for programs that have no browser.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::edit::{self, Edit};
use windflow_core::id::WorkflowName;

use self::schema::EditSchema;
use super::extract::{Allowed, Json, Path, Query, need};
use super::refusals::Refusals;
use super::views::WorkflowView;
use super::workflows;
use crate::catalogue::{self, Seen};
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::{App, blocking};

mod schema;

/// Edits of one request.
const MOST_EDITS: usize = 1000;

/// Each edit costs time in proportion to the text that it is made on: so many bytes are worked through for one request, which is
/// five hundred edits of a text of 8 KiB, and below a second.
const MOST_WORK: usize = 4 << 20;

/// What is to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edits {
    /// One after the other; all of them are made, or none.
    #[schema(value_type = Vec<EditSchema>, max_items = 1000)]
    edits: Vec<Edit>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EditQuery {
    /// Only tell what would become of it.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
}

/// What came of edits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Edited {
    /// The workflow as it is kept now.
    workflow: WorkflowView,
    /// The text as it was made.
    text: String,
    /// Whether the text is kept; if so it is that of the workflow's version. Of a dry run nothing is.
    kept: bool,
    /// The ids of nodes that were added.
    added: Vec<String>,
    /// The ids of notes that were added.
    added_notes: Vec<String>,
    /// What is wrong with the text. Where something is and it is no warning, only a dry run comes that far.
    problems: Vec<DocumentProblem>,
}

/// Edit the text of a workflow: add, rename and connect nodes, set values. The smallest change of the text is made, so that comments and
/// order stay; the result is checked as any text is, and becomes the next version.
#[utoipa::path(
    post, path = "/workflows/{name}/edits", tag = "workflows", operation_id = "edit_workflow",
    params(
        ("name" = String, Path, description = "Its name"),
        ("If-Match" = String, Header, description = "The ETag that was seen, or `*`"),
        EditQuery
    ),
    security(("token" = ["workflows:write"])), request_body = Edits,
    responses((status = 200, description = "They are made", body = Edited, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn edit(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    Query(query): Query<EditQuery>,
    headers: HeaderMap,
    Json(body): Json<Edits>,
) -> Answer<Response> {
    let caller = allowed.0;
    let seen = workflows::seen(&headers, true)?;
    if body.edits.len() > MOST_EDITS {
        let detail = format!("these are {} edits; {MOST_EDITS} at most are made at once", body.edits.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_edits", detail));
    }
    let (before, version) = catalogue::latest(&app, &caller.organisation, &name)?;
    catalogue::check_seen(&before, seen)?;
    let made = blocking(move || make(version.text, &body.edits)).await??;
    // Whatever was seen, the edits were made on this version.
    let seen = Seen::Version(before.version);
    let (entry, problems) = if query.dry_run {
        let problems = catalogue::rehearse(&app, &caller.organisation, &name, made.text.clone(), seen).await?;
        (before, problems)
    } else {
        let text = made.text.clone();
        let entry = catalogue::replace(&app, &caller.organisation, &name, text.clone(), seen, caller.name()).await?;
        (entry, catalogue::check(&app, &caller.organisation, text).await?.problems)
    };
    let tag = [workflows::etag(&entry)];
    let edited = Edited {
        workflow: entry.value.into(),
        text: made.text,
        kept: !query.dry_run,
        added: made.added,
        added_notes: made.added_notes,
        problems: problems.iter().map(Into::into).collect(),
    };
    Ok((tag, axum::Json(edited)).into_response())
}

struct Made {
    text: String,
    added: Vec<String>,
    added_notes: Vec<String>,
}

/// Makes edits, each by itself, so that it can be said which one cannot be made, and how much was worked through.
fn make(text: String, edits: &[Edit]) -> Answer<Made> {
    let mut made = Made { text, added: Vec::new(), added_notes: Vec::new() };
    let mut work = 0;
    for (at, one) in edits.iter().enumerate() {
        work += made.text.len();
        if work > MOST_WORK {
            let detail = format!("edit {at} and those after it are too much to do at once on a text of this length");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_edits", detail)
                .remedy("send them in several requests"));
        }
        let edited = edit::apply(&made.text, std::slice::from_ref(one))
            .map_err(|error| Problem::invalid(error.code, format!("edit {at}, from 0: {error}")))?;
        made.text = edited.text;
        made.added.extend(edited.added);
        made.added_notes.extend(edited.added_notes);
    }
    Ok(made)
}
