//! Stacks: Compose documents with versions, previewed, planned and deployed.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_stacks::book::{Book, BookError};
use windflow_stacks::compose::{self, Loaded};
use windflow_stacks::deployment::{Stack, StackVersion};
use windflow_stacks::risk::risks;

use super::deployments::DeploymentView;
use super::extract::{Allowed, Json, Path, Query, also, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::access::Permission;
use crate::deploying::{self, Wanted};
use crate::marketplace::{first, install};
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::App;

pub(crate) mod versions;

/// A stack.
#[derive(Serialize, ToSchema)]
pub(crate) struct StackView {
    name: String,
    description: String,
    /// Number of its latest version, from 1.
    version: u32,
    created_at: u64,
    updated_at: u64,
    updated_by: String,
}

impl From<Stack> for StackView {
    fn from(stack: Stack) -> Self {
        Self {
            name: stack.name,
            description: stack.description,
            version: stack.version,
            created_at: stack.created_at.0,
            updated_at: stack.updated_at.0,
            updated_by: stack.updated_by,
        }
    }
}

/// A version of a stack.
#[derive(Serialize, ToSchema)]
pub(crate) struct StackVersionView {
    version: u32,
    /// The Compose document.
    text: String,
    created_at: u64,
    created_by: String,
}

impl From<StackVersion> for StackVersionView {
    fn from(version: StackVersion) -> Self {
        Self { version: version.version, text: version.text, created_at: version.at.0, created_by: version.by }
    }
}

/// A stack to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddStack {
    /// a-z, 0-9, - and _. The document's own `name:` where nothing is said.
    name: Option<String>,
    #[serde(default)]
    description: String,
    /// A Compose document.
    text: String,
}

/// A new version of a stack.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeStack {
    /// As it was where nothing is said.
    description: Option<String>,
    /// A Compose document.
    text: String,
}

/// Checks a document that is to be kept; its name. Variables that nobody gives a value yet are no fault of it: they are checked with
/// samples.
fn check(text: &str, name: Option<&str>) -> Answer<Option<String>> {
    let samples = compose::declared(text).iter().map(|variable| (variable.name.clone(), variable.sample())).collect();
    let loaded = deploying::read(text, name, &samples, &["*".to_owned()]);
    let faults = || loaded.problems.iter().filter(|problem| problem.is_error() && problem.code != "unset_variable");
    if faults().next().is_some() {
        return Err(Problem::stack(&loaded.problems));
    }
    Ok(name.map(str::to_owned).or_else(|| compose::written_name(text)))
}

/// Stacks, by name.
#[utoipa::path(
    get, path = "/stacks", tag = "stacks", operation_id = "list_stacks", params(PageQuery),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Page<StackView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<StackView>>> {
    let (stacks, next) = app.book(&allowed.0.organisation).stacks(query.after()?.as_deref(), query.limit()?)?;
    Ok(axum::Json(Page::new(stacks.into_iter().map(Into::into).collect(), next)))
}

/// Keep a stack.
#[utoipa::path(
    post, path = "/stacks", tag = "stacks", operation_id = "add_stack",
    security(("token" = ["stacks:write"])), request_body = AddStack,
    responses((status = 201, description = "It is made", body = StackView), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::StacksWrite>,
    State(app): State<App>,
    Json(body): Json<AddStack>,
) -> Answer<Response> {
    let caller = allowed.0;
    let Some(name) = check(&body.text, body.name.as_deref())? else {
        return Err(Problem::invalid("no_name", "the name of the stack needs variables").remedy("say it by `name`"));
    };
    made(&app, &app.book(&caller.organisation), &caller.name(), &name, &body.description, &body.text).await
}

/// Keeps a stack of a name that is free.
async fn made(app: &App, book: &Book, by: &str, name: &str, description: &str, text: &str) -> Answer<Response> {
    match book.stack(name) {
        Err(BookError::NotFound(_)) => {}
        Ok(_) => return Err(Problem::conflict("exists", format!("there is a stack {name} already"))),
        Err(error) => return Err(error.into()),
    }
    let stack = book.keep_stack(name, description, text, by, app.now())?;
    book.durable().await?;
    let location = format!("/api/v1/stacks/{name}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(StackView::from(stack))).into_response())
}

/// One stack.
#[utoipa::path(
    get, path = "/stacks/{name}", tag = "stacks", operation_id = "show_stack",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = StackView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<axum::Json<StackView>> {
    Ok(axum::Json(app.book(&allowed.0.organisation).stack(&name)?.into()))
}

/// Keep a new version of a stack. What is deployed stays as it is.
#[utoipa::path(
    put, path = "/stacks/{name}", tag = "stacks", operation_id = "change_stack",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["stacks:write"])), request_body = ChangeStack,
    responses((status = 200, description = "As asked", body = StackView), Refusals)
)]
pub(crate) async fn change(
    allowed: Allowed<need::StacksWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(body): Json<ChangeStack>,
) -> Answer<axum::Json<StackView>> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let old = book.stack(&name)?;
    check(&body.text, Some(&name))?;
    let description = body.description.unwrap_or(old.description);
    let stack = book.keep_stack(&name, &description, &body.text, &caller.name(), app.now())?;
    book.durable().await?;
    Ok(axum::Json(stack.into()))
}

/// Forget a stack. Its versions stay, and what is deployed, too.
#[utoipa::path(
    delete, path = "/stacks/{name}", tag = "stacks", operation_id = "remove_stack",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["stacks:write"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::StacksWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    let book = app.book(&allowed.0.organisation);
    book.remove_stack(&name)?;
    book.durable().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A document to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewStack {
    /// Instead of the document's own.
    name: Option<String>,
    /// A Compose document.
    text: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    profiles: Vec<String>,
}

/// What a document comes to.
#[derive(Serialize, ToSchema)]
pub(crate) struct StackPreview {
    /// Its services, networks and volumes with everything filled in; null where something is wrong.
    project: Value,
    /// The variables that it declares.
    variables: Value,
    /// What it could do to the machine that it runs on. Each has to be confirmed by its name.
    risks: Vec<RiskView>,
    /// What is wrong, each with its place.
    problems: Vec<DocumentProblem>,
}

/// Something that reaches beyond containers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskView {
    /// What confirms it.
    pub(super) name: String,
    /// What it is.
    pub(super) what: String,
}

/// What is in files does not leave the server again.
fn preview(loaded: &Loaded) -> Answer<StackPreview> {
    let mut project = loaded.project.clone();
    let services = project.iter_mut().flat_map(|project| project.services.values_mut());
    services.flat_map(|service| &mut service.files).for_each(|file| file.content.clear());
    Ok(StackPreview {
        risks: project
            .iter()
            .flat_map(risks)
            .map(|risk| RiskView { name: risk.name(), what: risk.to_string() })
            .collect(),
        project: serde_json::to_value(&project).map_err(Problem::internal)?,
        variables: serde_json::to_value(&loaded.variables).map_err(Problem::internal)?,
        problems: loaded.problems.iter().map(Into::into).collect(),
    })
}

/// Check a Compose document, and show what it comes to. Keeps nothing.
#[utoipa::path(
    post, path = "/stacks/preview", tag = "stacks", operation_id = "preview_stack",
    security(("token" = ["stacks:read"])), request_body = PreviewStack,
    responses((status = 200, description = "As asked", body = StackPreview), Refusals)
)]
pub(crate) async fn preview_text(
    _: Allowed<need::StacksRead>,
    Json(body): Json<PreviewStack>,
) -> Answer<axum::Json<StackPreview>> {
    deploying::are_known(&body.text, &body.variables)?;
    let loaded = deploying::read(&body.text, body.name.as_deref(), &body.variables, &body.profiles);
    Ok(axum::Json(preview(&loaded)?))
}

/// What is to be deployed of a stack.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeployStack {
    /// Number of the version; the latest where nothing is said.
    version: Option<u32>,
    /// Values of variables.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Profiles that are switched on.
    #[serde(default)]
    profiles: Vec<String>,
    /// Another number of containers, by service.
    #[serde(default)]
    replicas: BTreeMap<String, u32>,
    /// Risks that are confirmed, by their names in the preview.
    #[serde(default)]
    confirm: Vec<String>,
}

impl DeployStack {
    fn split(self) -> (Wanted, Vec<String>) {
        let Self { version, variables, profiles, replicas, confirm } = self;
        (Wanted { version, variables, profiles, replicas }, confirm)
    }
}

/// Deploy a stack to a target. The deployment is a run: it survives whatever happens to the server once this has answered, rolls back
/// where it does not become healthy, and changes nothing where all is as wanted.
#[utoipa::path(
    post, path = "/stacks/{name}/deploy/{target}", tag = "stacks", operation_id = "deploy_stack",
    params(("name" = String, Path, description = "Name of the stack"), ("target" = String, Path, description = "Name of the target")),
    security(("token" = ["stacks:deploy"])), request_body = DeployStack,
    responses((status = 202, description = "It is under way", body = DeploymentView, headers(("Location" = String))), Refusals)
)]
pub(crate) async fn deploy(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path((name, target)): Path<(String, String)>,
    Json(body): Json<DeployStack>,
) -> Answer<Response> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    deploying::known(&book, &target)?;
    let (wanted, confirmed) = body.split();
    let (content, version) = deploying::content(&book, &name, &target, &wanted)?;
    install::confirmed(&content.project, &confirmed)?;
    let again = first::is_undone(&app, &caller.organisation, &name)?;
    if again {
        also(&caller, Permission::StacksWrite)?;
        first::again(&app, &caller.organisation, &name, &caller.name())?;
    }
    let begun =
        deploying::begin(&app, &caller.organisation, &target, Some(version), content, None, caller.name()).await;
    if again && begun.is_err() {
        first::not_begun(&app, &caller.organisation, &name).await?;
    }
    Ok(accepted(begun?.into()))
}

pub(super) fn accepted(deployment: DeploymentView) -> Response {
    let location = format!("/api/v1/deployments/{}", deployment.id);
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], axum::Json(deployment)).into_response()
}

/// What a deployment is planned of.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanStack {
    /// A Compose document in place of a version that is kept: the stack need not be there yet.
    text: Option<String>,
    /// Number of the version; the latest where nothing is said.
    version: Option<u32>,
    /// Values of variables.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Profiles that are switched on.
    #[serde(default)]
    profiles: Vec<String>,
    /// Another number of containers, by service.
    #[serde(default)]
    replicas: BTreeMap<String, u32>,
    /// Not looked at, so that what is to be deployed can be planned as it is.
    #[serde(default, rename = "confirm")]
    _confirm: Vec<String>,
}

/// What a deployment of a stack to a target would change, and why. Changes nothing.
#[utoipa::path(
    post, path = "/stacks/{name}/plan/{target}", tag = "stacks", operation_id = "plan_stack",
    params(("name" = String, Path, description = "Name of the stack"), ("target" = String, Path, description = "Name of the target")),
    security(("token" = ["stacks:deploy"])), request_body = PlanStack,
    responses((status = 200, description = "As asked", body = Value), Refusals)
)]
pub(crate) async fn plan(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path((name, target)): Path<(String, String)>,
    Json(body): Json<PlanStack>,
) -> Answer<axum::Json<Value>> {
    let book = app.book(&allowed.0.organisation);
    deploying::known(&book, &target)?;
    let PlanStack { text, version, variables, profiles, replicas, .. } = body;
    let wanted = Wanted { version, variables, profiles, replicas };
    let content = match text {
        Some(text) => deploying::content_of(&book, &name, &text, &target, &wanted)?,
        None => deploying::content(&book, &name, &target, &wanted)?.0,
    };
    let reached = app.reach(&book, &target).await?;
    let plan = reached.driver.plan(&content.project).await.map_err(Problem::from)?;
    Ok(axum::Json(serde_json::to_value(&plan).map_err(Problem::internal)?))
}
