//! Registries by address, from which templates come beside those that the server brings along.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Allowed, Json, Path, need};
use super::page::Page;
use super::refusals::Refusals;
use crate::marketplace::registries::{self, Registered};
use crate::problem::Answer;
use crate::state::App;

/// A registry to take templates from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddRegistry {
    /// a-z, 0-9 and -.
    #[schema(example = "acme")]
    name: String,
    /// Where `index.json`, `index.json.sig` and `packages/` lie: https, or http on this very machine.
    #[schema(example = "https://templates.example.org")]
    address: String,
    /// The key that its index has to be signed with, as whoever runs it tells. Nothing else is believed.
    #[schema(example = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")]
    key: String,
}

/// A registry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Registry)]
pub(crate) struct RegistryView {
    name: String,
    address: String,
    key: String,
    /// The number of its index. A lower one than was seen is refused.
    sequence: u64,
    /// How many templates it has.
    templates: usize,
    fetched_at: u64,
    /// Why its index could not be got the last time.
    error: Option<String>,
    added_by: String,
}

impl From<Registered> for RegistryView {
    fn from(registered: Registered) -> Self {
        Self {
            name: registered.name,
            address: registered.address,
            key: registered.key.to_string(),
            sequence: registered.sequence,
            templates: registered.templates,
            fetched_at: registered.fetched_at.0,
            error: registered.error,
            added_by: registered.added_by,
        }
    }
}

/// The registries, by name. There are few: they are one page.
#[utoipa::path(
    get, path = "/registries", tag = "templates", operation_id = "list_registries",
    security(("token" = ["registries:manage"])),
    responses((status = 200, description = "As asked", body = Page<RegistryView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::RegistriesManage>,
    State(app): State<App>,
) -> Answer<axum::Json<Page<RegistryView>>> {
    let all = registries::all(&app, &allowed.0.organisation)?;
    Ok(axum::Json(Page::new(all.into_iter().map(|kept| kept.value.into()).collect(), None::<String>)))
}

/// Add a registry. Its index is got at once, and refused unless it is signed with the key.
#[utoipa::path(
    post, path = "/registries", tag = "templates", operation_id = "add_registry",
    security(("token" = ["registries:manage"])), request_body = AddRegistry,
    responses((status = 201, description = "It is kept", body = RegistryView), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::RegistriesManage>,
    State(app): State<App>,
    Json(body): Json<AddRegistry>,
) -> Answer<(StatusCode, axum::Json<RegistryView>)> {
    let caller = allowed.0;
    let wanted = (&*body.name, &*body.address, &*body.key);
    let added = registries::add(&app, &caller.organisation, wanted, &caller.name()).await?;
    Ok((StatusCode::CREATED, axum::Json(added.into())))
}

/// Get the index of a registry anew. It happens by itself once an hour.
#[utoipa::path(
    post, path = "/registries/{name}/refresh", tag = "templates", operation_id = "refresh_registry",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["registries:manage"])),
    responses((status = 200, description = "As it is now", body = RegistryView), Refusals)
)]
pub(crate) async fn refresh(
    allowed: Allowed<need::RegistriesManage>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<axum::Json<RegistryView>> {
    Ok(axum::Json(registries::refresh(&app, &allowed.0.organisation, &name).await?.into()))
}

/// Forget a registry. What was installed from it stays.
#[utoipa::path(
    delete, path = "/registries/{name}", tag = "templates", operation_id = "remove_registry",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["registries:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::RegistriesManage>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    registries::remove(&app, &allowed.0.organisation, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
