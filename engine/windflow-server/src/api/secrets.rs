//! Secrets: set and removed, never read.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::NodeId;

use super::extract::{Allowed, Json, NewName, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::secrets::{MAX_BYTES, Secret};
use crate::state::App;

/// A secret's value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetSecret {
    #[schema(min_length = 1, max_length = 16384)]
    value: String,
}

/// A secret. Nobody gets to see its value.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretView {
    name: String,
    updated_at: u64,
    updated_by: String,
}

impl From<Secret> for SecretView {
    fn from(secret: Secret) -> Self {
        Self { name: secret.name, updated_at: secret.updated_at.0, updated_by: secret.updated_by }
    }
}

/// The names of secrets.
#[utoipa::path(
    get, path = "/secrets", tag = "people", operation_id = "list_secrets", params(PageQuery),
    security(("token" = ["secrets:manage"])), responses((status = 200, description = "As asked", body = Page<SecretView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<SecretView>>> {
    let after = query.after()?;
    let (secrets, next) = app.secrets.list(&allowed.0.organisation, after.as_deref(), query.limit()?)?;
    Ok(axum::Json(Page::new(secrets.into_iter().map(Into::into).collect(), next)))
}

/// Set a secret, or replace it.
#[utoipa::path(
    put, path = "/secrets/{name}", tag = "people", operation_id = "set_secret",
    params(("name" = String, Path, description = "a-z, 0-9 and _, beginning with a letter")),
    security(("token" = ["secrets:manage"])), request_body = SetSecret,
    responses((status = 200, description = "As asked", body = SecretView), Refusals)
)]
pub(crate) async fn set(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    // The names of secrets have the form of the names of nodes.
    NewName(name): NewName<NodeId>,
    Json(body): Json<SetSecret>,
) -> Answer<axum::Json<SecretView>> {
    if body.value.is_empty() || body.value.len() > MAX_BYTES {
        return Err(Problem::invalid("invalid_secret", format!("a secret has 1 to {MAX_BYTES} bytes")));
    }
    let caller = allowed.0;
    let by = caller.name();
    let kept = app.secrets.set(&caller.organisation, name.as_str(), &body.value, by, app.now()).await?;
    Ok(axum::Json(kept.into()))
}

/// Remove a secret. What needs it is refused from now on.
#[utoipa::path(
    delete, path = "/secrets/{name}", tag = "people", operation_id = "remove_secret",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["secrets:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::SecretsManage>,
    State(app): State<App>,
    Path(name): Path<NodeId>,
) -> Answer<StatusCode> {
    app.secrets.remove(&allowed.0.organisation, name.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
