//! API keys: for programs.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::run::Timestamp;

use super::extract::{Allowed, Json, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::access::Permission;
use crate::people::{ApiKey, check_key, keep_key};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do; never more than the person who made it.
    #[schema(min_items = 1)]
    scopes: BTreeSet<Permission>,
    /// When it ends; never where nothing is said.
    expires_at: Option<u64>,
}

/// A key. Its secret is not shown again.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    id: String,
    name: String,
    scopes: BTreeSet<Permission>,
    /// Id of the person who made it.
    user: String,
    created_at: u64,
    expires_at: Option<u64>,
}

/// A key that was made just now.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKey {
    #[serde(flatten)]
    key: KeyView,
    /// The token itself. It is shown this once.
    token: String,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            user: key.user,
            created_at: key.created_at.0,
            expires_at: key.expires_at.map(|at| at.0),
        }
    }
}

/// The keys of the organisation.
#[utoipa::path(
    get, path = "/api-keys", tag = "people", operation_id = "list_keys", params(PageQuery),
    security(("token" = ["people:manage"])), responses((status = 200, description = "As asked", body = Page<KeyView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<KeyView>>> {
    let after = query.after()?;
    let (keys, next) = app.people.keys(&allowed.0.organisation, after.as_deref(), query.limit()?)?;
    Ok(axum::Json(Page::new(keys.into_iter().map(Into::into).collect(), next)))
}

/// Make a key.
#[utoipa::path(
    post, path = "/api-keys", tag = "people", operation_id = "add_key",
    security(("token" = ["people:manage"])), request_body = AddKey,
    responses((status = 201, description = "It is made", body = NewKey), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Json(body): Json<AddKey>,
) -> Answer<(StatusCode, axum::Json<NewKey>)> {
    let caller = allowed.0;
    let expires_at = body.expires_at.map(Timestamp);
    let checked = check_key(&body.name, &body.scopes, expires_at, app.now());
    let name = checked.map_err(|why| Problem::invalid("invalid_key", why))?;
    if let Some(scope) = body.scopes.iter().find(|scope| !caller.permissions.contains(scope)) {
        let detail = format!("you may not do {} yourself, so you cannot hand it on", scope.word());
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }
    let (organisation, user) = (&caller.organisation, &caller.user.id);
    let made = keep_key(&*app.records, organisation, user, name, body.scopes, expires_at, app.now()).await?;
    let (key, token) = made;
    Ok((StatusCode::CREATED, axum::Json(NewKey { key: key.into(), token })))
}

/// Take a key away. It is void at once.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "people", operation_id = "remove_key",
    params(("id" = String, Path, description = "Its id")),
    security(("token" = ["people:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::PeopleManage>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    app.people.remove_key(&allowed.0.organisation, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
