//! Targets: places to deploy to. Their credentials are set and never read.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::OrganisationId;
use windflow_stacks::target::Target;

use self::described::{AddTarget, ChangeTarget, EnvironmentWord};
use super::extract::{Allowed, Json, Path, Query, need};
use super::page::{self, Page};
use super::refusals::Refusals;
use crate::deploying;
use crate::problem::{Answer, Problem};
use crate::state::App;

mod described;
pub(crate) mod import;
pub(crate) mod test;

/// The sockets and the SSH keys of the server's machine are the installation's own, not every organisation's.
fn check_reach(organisation: &OrganisationId, address: &str) -> Result<(), String> {
    if address.starts_with("tcp://") || *organisation == OrganisationId::local() {
        return Ok(());
    }
    Err("sockets and SSH of the server's machine are for the organisation `local` alone; use tcp:// with TLS"
        .to_owned())
}

/// A target.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetView {
    name: String,
    address: String,
    /// `development`, `staging` or `production`.
    environment: &'static str,
    groups: BTreeSet<String>,
    tags: BTreeSet<String>,
    description: String,
    /// Whether it has credentials, which nobody gets to see.
    has_credentials: bool,
    created_at: u64,
    updated_at: u64,
    updated_by: String,
}

impl From<Target> for TargetView {
    fn from(target: Target) -> Self {
        Self {
            environment: target.environment.word(),
            has_credentials: target.sealed.is_some(),
            name: target.name,
            address: target.address,
            groups: target.groups,
            tags: target.tags,
            description: target.description,
            created_at: target.created_at.0,
            updated_at: target.updated_at.0,
            updated_by: target.updated_by,
        }
    }
}

/// Which targets.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TargetsQuery {
    /// With this in name, address or description.
    search: Option<String>,
    /// Of this group.
    group: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// For this.
    #[param(inline)]
    environment: Option<EnvironmentWord>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl TargetsQuery {
    fn fits(&self, target: &Target) -> bool {
        let found = |text: &str| {
            let text = text.to_lowercase();
            [&target.name, &target.address, &target.description].iter().any(|part| part.to_lowercase().contains(&text))
        };
        self.search.as_deref().is_none_or(found)
            && self.group.as_ref().is_none_or(|group| target.groups.contains(group))
            && self.tag.as_ref().is_none_or(|tag| target.tags.contains(tag))
            && self.environment.is_none_or(|environment| target.environment == environment.into())
    }
}

/// Targets, by name.
#[utoipa::path(
    get, path = "/targets", tag = "targets", operation_id = "list_targets", params(TargetsQuery),
    security(("token" = ["targets:read"])), responses((status = 200, description = "As asked", body = Page<TargetView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::TargetsRead>,
    State(app): State<App>,
    Query(query): Query<TargetsQuery>,
) -> Answer<axum::Json<Page<TargetView>>> {
    let limit = page::limit(query.limit)?;
    let mut after = query.cursor.as_deref().map(page::decode).transpose()?;
    let book = app.book(&allowed.0.organisation);
    let mut found = Vec::new();
    loop {
        let (targets, next) = book.targets(after.as_deref(), 500)?;
        for target in targets.into_iter().filter(|target| query.fits(target)) {
            if found.len() == limit {
                let next = found.last().map(|last: &TargetView| last.name.clone());
                return Ok(axum::Json(Page::new(found, next)));
            }
            found.push(target.into());
        }
        after = next;
        if after.is_none() {
            return Ok(axum::Json(Page::new(found, None::<String>)));
        }
    }
}

/// Describe a target.
#[utoipa::path(
    post, path = "/targets", tag = "targets", operation_id = "add_target",
    security(("token" = ["targets:manage"])), request_body = AddTarget,
    responses((status = 201, description = "It is made", body = TargetView), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Json(body): Json<AddTarget>,
) -> Answer<(StatusCode, axum::Json<TargetView>)> {
    let caller = allowed.0;
    let AddTarget { name, address, environment, groups, tags, description, credentials } = body;
    check_reach(&caller.organisation, &address).map_err(|why| Problem::invalid("invalid_address", why))?;
    let change = ChangeTarget { address, environment, groups, tags, description, credentials };
    let (new, credentials) = change.split(name);
    let book = app.book(&caller.organisation);
    let target = book.add_target(&new, &credentials.unwrap_or_default(), &caller.name(), app.now())?;
    book.durable().await?;
    app.watching.changed(&caller.organisation);
    Ok((StatusCode::CREATED, axum::Json(target.into())))
}

/// One target.
#[utoipa::path(
    get, path = "/targets/{name}", tag = "targets", operation_id = "show_target",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["targets:read"])), responses((status = 200, description = "As asked", body = TargetView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::TargetsRead>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<axum::Json<TargetView>> {
    let book = app.book(&allowed.0.organisation);
    deploying::known(&book, &name)?;
    Ok(axum::Json(book.target(&name)?.into()))
}

/// Change a target. Credentials that are not given stay.
#[utoipa::path(
    put, path = "/targets/{name}", tag = "targets", operation_id = "change_target",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["targets:manage"])), request_body = ChangeTarget,
    responses((status = 200, description = "As asked", body = TargetView), Refusals)
)]
pub(crate) async fn change(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(body): Json<ChangeTarget>,
) -> Answer<axum::Json<TargetView>> {
    let caller = allowed.0;
    check_reach(&caller.organisation, &body.address).map_err(|why| Problem::invalid("invalid_address", why))?;
    let book = app.book(&caller.organisation);
    deploying::known(&book, &name)?;
    let (new, credentials) = body.split(name);
    let target = book.change_target(&new, credentials.as_ref(), &caller.name(), app.now())?;
    book.durable().await?;
    app.watching.changed(&caller.organisation);
    Ok(axum::Json(target.into()))
}

/// Forget a target, to which nothing is deployed.
#[utoipa::path(
    delete, path = "/targets/{name}", tag = "targets", operation_id = "remove_target",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["targets:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    let book = app.book(&allowed.0.organisation);
    deploying::known(&book, &name)?;
    book.remove_target(&name)?;
    book.durable().await?;
    app.watching.changed(&allowed.0.organisation);
    Ok(StatusCode::NO_CONTENT)
}
