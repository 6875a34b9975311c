//! The people of an organisation.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{Allowed, Json, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use super::views::UserView;
use crate::access::Role;
use crate::people::NewUser;
use crate::problem::Answer;
use crate::state::App;

/// Somebody to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddUser {
    #[schema(example = "grace@example.org", format = "email", max_length = 254)]
    email: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    name: String,
    role: Role,
    /// At least ten characters.
    #[schema(min_length = 10, max_length = 256)]
    password: String,
}

/// What is to be another way.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeUser {
    role: Role,
}

/// The people.
#[utoipa::path(
    get, path = "/users", tag = "people", operation_id = "list_users", params(PageQuery),
    security(("token" = ["people:manage"])), responses((status = 200, description = "As asked", body = Page<UserView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<UserView>>> {
    let after = query.after()?;
    let (users, next) = app.people.users(&allowed.0.organisation, after.as_deref(), query.limit()?)?;
    Ok(axum::Json(Page::new(users.into_iter().map(Into::into).collect(), next)))
}

/// Let somebody in.
#[utoipa::path(
    post, path = "/users", tag = "people", operation_id = "add_user",
    security(("token" = ["people:manage"])), request_body = AddUser,
    responses((status = 201, description = "It is made", body = UserView), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Json(body): Json<AddUser>,
) -> Answer<(StatusCode, axum::Json<UserView>)> {
    let AddUser { email, name, role, password } = body;
    let new = NewUser { organisation: allowed.0.organisation, email, name, role, password };
    let user = app.people.add(new, app.now()).await?;
    Ok((StatusCode::CREATED, axum::Json(user.into())))
}

/// Give somebody another role. It holds at once.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "people", operation_id = "change_user",
    params(("id" = String, Path, description = "Their id")),
    security(("token" = ["people:manage"])), request_body = ChangeUser,
    responses((status = 200, description = "As asked", body = UserView), Refusals)
)]
pub(crate) async fn change(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<ChangeUser>,
) -> Answer<axum::Json<UserView>> {
    let user = app.people.set_role(&allowed.0.organisation, &id, body.role).await?;
    Ok(axum::Json(user.into()))
}

/// Take somebody away. Their sessions and keys are void at once.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "people", operation_id = "remove_user",
    params(("id" = String, Path, description = "Their id")),
    security(("token" = ["people:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    app.people.remove(&allowed.0.organisation, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
