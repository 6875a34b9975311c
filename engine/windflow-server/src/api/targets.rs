//! Targets: places to deploy to. Their credentials are set and never read.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::OrganisationId;
use windflow_stacks::driver::{Facts, RegistryLogin};
use windflow_stacks::target::{self, Credentials, Environment, New, Target};

use super::extract::{Allowed, Json, Path, Query, need};
use super::page::{self, Page};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What a target is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnvironmentWord {
    #[default]
    Development,
    Staging,
    Production,
}

impl From<EnvironmentWord> for Environment {
    fn from(word: EnvironmentWord) -> Self {
        match word {
            EnvironmentWord::Development => Self::Development,
            EnvironmentWord::Staging => Self::Staging,
            EnvironmentWord::Production => Self::Production,
        }
    }
}

/// The login of a registry of images.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryAccess {
    username: String,
    #[schema(format = "password")]
    password: String,
}

/// How a target is reached, and what it reaches. Never given back.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCredentials {
    /// Who signed the engine's certificate, in PEM form.
    ca: Option<String>,
    /// Our certificate, in PEM form.
    certificate: Option<String>,
    /// Its key, in PEM form.
    key: Option<String>,
    /// A private key for SSH without a passphrase, as OpenSSH writes it.
    ssh_private_key: Option<String>,
    /// The keys that the SSH server may have, a line each, as `ssh-keyscan` prints them; none: those that the server's account knows.
    ssh_host_keys: Option<String>,
    /// Logins of registries by host.
    #[serde(default)]
    registries: BTreeMap<String, RegistryAccess>,
}

impl From<SetCredentials> for Credentials {
    fn from(set: SetCredentials) -> Self {
        let login = |RegistryAccess { username, password }| RegistryLogin { username, password };
        let registries = set.registries.into_iter().map(|(host, given)| (host, login(given))).collect();
        Self {
            ca: set.ca,
            certificate: set.certificate,
            key: set.key,
            // Files of the server are the operator's, not a caller's.
            ssh_key: None,
            ssh_private_key: set.ssh_private_key,
            ssh_host_keys: set.ssh_host_keys,
            registries,
        }
    }
}

/// A target to describe.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddTarget {
    /// a-z, 0-9, -, _ and .
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `unix:///…`, `tcp://host:port` or `ssh://user@host`.
    address: String,
    #[serde(default)]
    environment: EnvironmentWord,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    description: String,
    credentials: Option<SetCredentials>,
}

/// What a target is to be like.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeTarget {
    /// `unix:///…`, `tcp://host:port` or `ssh://user@host`.
    address: String,
    #[serde(default)]
    environment: EnvironmentWord,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    description: String,
    /// Each that is not given stays; an empty text takes one away.
    credentials: Option<SetCredentials>,
}

impl ChangeTarget {
    fn split(self, name: String) -> (New, Option<Credentials>) {
        let Self { address, environment, groups, tags, description, credentials } = self;
        let environment = environment.into();
        (New { name, address, environment, groups, tags, description }, credentials.map(Into::into))
    }
}

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
    Ok(axum::Json(app.book(&allowed.0.organisation).target(&name)?.into()))
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
    let (new, credentials) = body.split(name);
    let book = app.book(&caller.organisation);
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
    book.remove_target(&name)?;
    book.durable().await?;
    app.watching.changed(&allowed.0.organisation);
    Ok(StatusCode::NO_CONTENT)
}

/// What a target is like.
#[derive(Serialize, ToSchema)]
pub(crate) struct FactsView {
    /// The engine with its version.
    engine: String,
    platform: String,
    cpus: u32,
    /// Bytes.
    memory: u64,
    /// Containers that run.
    running: u32,
    containers: u32,
    images: u32,
}

impl From<Facts> for FactsView {
    fn from(facts: Facts) -> Self {
        let Facts { engine, platform, cpus, memory, running, containers, images } = facts;
        Self { engine, platform, cpus, memory, running, containers, images }
    }
}

/// Reach a target, and tell what it is like or why it is not reached.
#[utoipa::path(
    post, path = "/targets/{name}/test", tag = "targets", operation_id = "test_target",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["targets:manage"])), responses((status = 200, description = "As asked", body = FactsView), Refusals)
)]
pub(crate) async fn test(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<axum::Json<FactsView>> {
    let organisation = allowed.0.organisation;
    let reached = app.reach(&app.book(&organisation), &name).await;
    // Who looks is told the same.
    app.watching.again(&organisation, &name);
    Ok(axum::Json(reached?.driver.facts().await.map_err(Problem::from)?.into()))
}

/// Targets as comma-separated lines. The first line names the columns: `name,address`, and where wanted
/// `environment,groups,tags,description`; several groups or tags are separated by `;`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportTargets {
    csv: String,
}

/// What became of a line.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedLine {
    /// Its number, from 1.
    line: u64,
    /// The target that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Why it made none.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// Describe many targets. Each line is taken or refused for itself.
#[utoipa::path(
    post, path = "/targets/import", tag = "targets", operation_id = "import_targets",
    security(("token" = ["targets:manage"])), request_body = ImportTargets,
    responses((status = 200, description = "As asked", body = Vec<ImportedLine>), Refusals)
)]
pub(crate) async fn import(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
    Json(body): Json<ImportTargets>,
) -> Answer<axum::Json<Vec<ImportedLine>>> {
    let caller = allowed.0;
    let lines = target::read_csv(&body.csv).map_err(|why| Problem::invalid("invalid_csv", why))?;
    let (book, by, now) = (app.book(&caller.organisation), caller.name(), app.now());
    let made = lines.into_iter().map(|line| {
        let added = line.target.and_then(|new| {
            check_reach(&caller.organisation, &new.address)?;
            let added = book.add_target(&new, &Credentials::default(), &by, now);
            added.map(|target| target.name).map_err(|error| error.to_string())
        });
        let (name, refused) = match added {
            Ok(name) => (Some(name), None),
            Err(why) => (None, Some(why)),
        };
        ImportedLine { line: line.line, name, refused }
    });
    let made = made.collect();
    book.durable().await?;
    app.watching.changed(&caller.organisation);
    Ok(axum::Json(made))
}
