//! Versions of workflows: who wrote what, and when.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use windflow_core::difference::between;
use windflow_core::id::WorkflowName;

use super::changes::{Changes, ChangesQuery};
use super::extract::{Allowed, Path, Query, need};
use super::page::{self, Page, PageQuery};
use super::refusals::Refusals;
use super::views::{VersionView, WorkflowView};
use super::workflows;
use crate::catalogue;
use crate::problem::Answer;
use crate::state::App;

/// The versions of a workflow, the first one first, without their texts. Those of a deleted workflow stay.
#[utoipa::path(
    get, path = "/workflows/{name}/versions", tag = "workflows", operation_id = "list_versions",
    params(("name" = String, Path, description = "Name of the workflow"), PageQuery),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Page<VersionView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<VersionView>>> {
    let organisation = allowed.0.organisation;
    let after = query.after()?.map(|cursor| cursor.parse::<u32>().map_err(|_| page::invalid())).transpose()?;
    let (items, next) = catalogue::versions(&app, &organisation, &name, after, query.limit()?)?;
    if items.is_empty() {
        // A workflow that never was has no empty list of versions: it is not there.
        catalogue::entry(&app, &organisation, &name)?;
    }
    let items = items.into_iter().map(|version| VersionView::new(version, false)).collect();
    Ok(axum::Json(Page::new(items, next.map(|number| number.to_string()))))
}

/// One version, with its text.
#[utoipa::path(
    get, path = "/workflows/{name}/versions/{version}", tag = "workflows", operation_id = "show_version",
    params(
        ("name" = String, Path, description = "Name of the workflow"),
        ("version" = u32, Path, description = "Number of the version, from 1")
    ),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = VersionView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path((name, version)): Path<(WorkflowName, u32)>,
) -> Answer<axum::Json<VersionView>> {
    let version = catalogue::version(&app, &allowed.0.organisation, &name, version)?;
    Ok(axum::Json(VersionView::new(version, true)))
}

/// What a version changed.
#[utoipa::path(
    get, path = "/workflows/{name}/versions/{version}/changes", tag = "workflows", operation_id = "version_changes",
    params(
        ("name" = String, Path, description = "Name of the workflow"),
        ("version" = u32, Path, description = "Number of the newer version, from 1"),
        ChangesQuery
    ),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Changes), Refusals)
)]
pub(crate) async fn changes(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path((name, version)): Path<(WorkflowName, u32)>,
    Query(query): Query<ChangesQuery>,
) -> Answer<axum::Json<Changes>> {
    let organisation = allowed.0.organisation;
    let text = |number| catalogue::version(&app, &organisation, &name, number).map(|version| version.text);
    Ok(axum::Json(query.compare(version, text, between).await?))
}

/// Make the text of a version the workflow's text again: as its next version, so that nothing is lost.
#[utoipa::path(
    post, path = "/workflows/{name}/versions/{version}/restore", tag = "workflows", operation_id = "restore_version",
    params(
        ("name" = String, Path, description = "Name of the workflow"),
        ("version" = u32, Path, description = "Number of the version, from 1"),
        ("If-Match" = String, Header, description = "The ETag of the workflow that was seen, or `*`")
    ),
    security(("token" = ["workflows:write"])),
    responses((status = 200, description = "As asked", body = WorkflowView, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn restore(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Path((name, version)): Path<(WorkflowName, u32)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = allowed.0;
    let seen = workflows::seen(&headers, true)?;
    let text = catalogue::version(&app, &caller.organisation, &name, version)?.text;
    catalogue::replace(&app, &caller.organisation, &name, text, seen, caller.name()).await.map(workflows::answer)
}
