//! Versions of workflows: who wrote what, and when.

use axum::extract::State;
use windflow_core::id::WorkflowName;

use super::extract::{Allowed, Path, Query, need};
use super::page::{self, Page, PageQuery};
use super::refusals::Refusals;
use super::views::VersionView;
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
