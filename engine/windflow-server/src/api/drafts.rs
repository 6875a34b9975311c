//! Drafts: texts that may still be wrong, kept beside the workflows.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::id::WorkflowName;

use super::extract::{Allowed, Document, NewName, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::catalogue;
use crate::drafts::{self, Draft, Seen};
use crate::kept::Kept;
use crate::problem::Answer;
use crate::state::App;

/// A draft.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftView {
    /// The workflow that it is to become, or to change.
    name: String,
    /// The version that it began from; null where the workflow is new.
    based_on: Option<u32>,
    updated_at: u64,
    updated_by: String,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl DraftView {
    pub(crate) fn new(draft: Draft, with_text: bool) -> Self {
        Self {
            name: draft.name.to_string(),
            based_on: draft.based_on,
            updated_at: draft.at.0,
            updated_by: draft.by,
            text: with_text.then_some(draft.text),
        }
    }
}

fn answer(draft: Kept<Draft>, with_text: bool) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", draft.version)).unwrap_or(HeaderValue::from_static("\"0\""));
    ([(header::ETAG, tag)], axum::Json(DraftView::new(draft.value, with_text))).into_response()
}

/// The drafts, by name, without their texts.
#[utoipa::path(
    get, path = "/drafts", tag = "workflows", operation_id = "list_drafts", params(PageQuery),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Page<DraftView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<DraftView>>> {
    let after = query.after()?;
    let (items, next) = drafts::list(&app, &allowed.0.organisation, after.as_deref(), query.limit()?)?;
    let items = items.into_iter().map(|draft| DraftView::new(draft.value, false)).collect();
    Ok(axum::Json(Page::new(items, next)))
}

/// A draft with its text.
#[utoipa::path(
    get, path = "/drafts/{name}", tag = "workflows", operation_id = "show_draft",
    params(("name" = String, Path, description = "Name of the workflow")),
    security(("token" = ["workflows:read"])),
    responses((status = 200, description = "As asked", body = DraftView, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
) -> Answer<Response> {
    Ok(answer(drafts::show(&app, &allowed.0.organisation, &name)?, true))
}

/// Keep a text as it is, however wrong. Nothing runs it; it is gone once a text is kept as the workflow itself.
#[utoipa::path(
    put, path = "/drafts/{name}", tag = "workflows", operation_id = "keep_draft",
    params(
        ("name" = String, Path, description = "Name of the workflow that it is to become, or to change"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the draft that was seen, or `*`; left out where there was none")
    ),
    security(("token" = ["workflows:write"])),
    request_body(content = serde_json::Value, content_type = "application/yaml", description = "Any text"),
    responses((status = 200, description = "As asked", body = DraftView, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn keep(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    NewName(name): NewName<WorkflowName>,
    headers: HeaderMap,
    Document(text): Document,
) -> Answer<Response> {
    let caller = allowed.0;
    let seen = match headers.get(header::IF_MATCH).map(|given| given.to_str().unwrap_or_default().trim()) {
        None => Seen::Nothing,
        Some("*") => Seen::Any,
        // Whatever else it is, it is the tag of nothing that there is.
        Some(tag) => Seen::Version(tag.trim_matches('"').parse().unwrap_or(0)),
    };
    let before = drafts::find(&app, &caller.organisation, &name)?;
    let based_on = match before {
        Some(draft) => draft.value.based_on,
        None => catalogue::find(&app, &caller.organisation, &name)?.map(|entry| entry.value.version),
    };
    let draft = Draft { name, text, based_on, at: app.now(), by: caller.name() };
    Ok(answer(drafts::keep(&app, &caller.organisation, draft, seen).await?, false))
}

/// Throw a draft away.
#[utoipa::path(
    delete, path = "/drafts/{name}", tag = "workflows", operation_id = "discard_draft",
    params(("name" = String, Path, description = "Name of the workflow")),
    security(("token" = ["workflows:write"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn discard(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
) -> Answer<StatusCode> {
    drafts::discard(&app, &allowed.0.organisation, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
