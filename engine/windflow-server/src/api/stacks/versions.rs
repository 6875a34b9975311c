//! Versions of stacks: shown, compared, made the latest again; and copies under another name.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use windflow_stacks::compose;

use super::super::changes::{Changes, ChangesQuery};
use super::super::extract::{Allowed, Json, Path, Query, need};
use super::super::page::{self, Page, PageQuery};
use super::super::refusals::Refusals;
use super::{StackVersionView, StackView, made};
use crate::problem::Answer;
use crate::state::App;

/// The versions of a stack, the first one first.
#[utoipa::path(
    get, path = "/stacks/{name}/versions", tag = "stacks", operation_id = "stack_versions",
    params(("name" = String, Path, description = "Its name"), PageQuery),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Page<StackVersionView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<StackVersionView>>> {
    let book = app.book(&allowed.0.organisation);
    // A stack that was forgotten has versions still: of them is what was deployed.
    if !compose::is_project_name(&name) {
        book.stack(&name)?;
    }
    let after = query.after()?.map(|cursor| cursor.parse::<u32>().map_err(|_| page::invalid())).transpose()?;
    let (versions, next) = book.stack_versions(&name, after, query.limit()?)?;
    if versions.is_empty() {
        book.stack(&name)?;
    }
    Ok(axum::Json(Page::new(versions.into_iter().map(Into::into).collect(), next.map(|next| next.to_string()))))
}

/// One version of a stack.
#[utoipa::path(
    get, path = "/stacks/{name}/versions/{version}", tag = "stacks", operation_id = "show_stack_version",
    params(
        ("name" = String, Path, description = "Its name"),
        ("version" = u32, Path, description = "Number of the version, from 1")
    ),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = StackVersionView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path((name, version)): Path<(String, u32)>,
) -> Answer<axum::Json<StackVersionView>> {
    Ok(axum::Json(app.book(&allowed.0.organisation).stack_version(&name, version)?.into()))
}

/// What a version of a stack changed. The plan of a deployment tells what would change on a target.
#[utoipa::path(
    get, path = "/stacks/{name}/versions/{version}/changes", tag = "stacks", operation_id = "stack_changes",
    params(
        ("name" = String, Path, description = "Its name"),
        ("version" = u32, Path, description = "Number of the newer version, from 1"),
        ChangesQuery
    ),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Changes), Refusals)
)]
pub(crate) async fn changes(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path((name, version)): Path<(String, u32)>,
    Query(query): Query<ChangesQuery>,
) -> Answer<axum::Json<Changes>> {
    let book = app.book(&allowed.0.organisation);
    let text = |number| Ok(book.stack_version(&name, number)?.text);
    Ok(axum::Json(query.compare(version, text, compose::difference).await?))
}

/// Make the text of a version the stack's text again: as its next version, so that nothing is lost. What is deployed stays as it is.
#[utoipa::path(
    post, path = "/stacks/{name}/versions/{version}/restore", tag = "stacks", operation_id = "restore_stack_version",
    params(
        ("name" = String, Path, description = "Its name"),
        ("version" = u32, Path, description = "Number of the version, from 1")
    ),
    security(("token" = ["stacks:write"])), responses((status = 200, description = "As asked", body = StackView), Refusals)
)]
pub(crate) async fn restore(
    allowed: Allowed<need::StacksWrite>,
    State(app): State<App>,
    Path((name, version)): Path<(String, u32)>,
) -> Answer<axum::Json<StackView>> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let old = book.stack(&name)?;
    let text = book.stack_version(&name, version)?.text;
    let stack = book.keep_stack(&name, &old.description, &text, &caller.name(), app.now())?;
    book.durable().await?;
    Ok(axum::Json(stack.into()))
}

/// What a copy is called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloneStack {
    /// a-z, 0-9, - and _.
    name: String,
    /// That of the stack where nothing is said.
    description: Option<String>,
    /// Number of the version that is copied; the latest where nothing is said.
    version: Option<u32>,
}

/// Copy a stack under another name, as the first version of a stack of its own.
#[utoipa::path(
    post, path = "/stacks/{name}/clone", tag = "stacks", operation_id = "clone_stack",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["stacks:write"])), request_body = CloneStack,
    responses((status = 201, description = "It is made", body = StackView), Refusals)
)]
pub(crate) async fn clone(
    allowed: Allowed<need::StacksWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(body): Json<CloneStack>,
) -> Answer<Response> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let old = book.stack(&name)?;
    let text = book.stack_version(&name, body.version.unwrap_or(old.version))?.text;
    let description = body.description.unwrap_or(old.description);
    made(&app, &book, &caller.name(), &body.name, &description, &text).await
}
