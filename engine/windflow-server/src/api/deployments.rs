//! Deployments: listed, shown, rolled back, stopped; what their containers are and write.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_stacks::book::Book;
use windflow_stacks::deployment::{Content, Deployment, Status};
use windflow_stacks::driver::{Action, Event};

use super::extract::{Allowed, Json, Path, Query, need};
use super::page::{self, Page};
use super::refusals::Refusals;
use super::stacks::accepted;
use crate::deploying;
use crate::problem::{Answer, Problem};
use crate::state::App;

pub(crate) mod logs;
pub(crate) mod scale;

/// A deployment.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeploymentView {
    pub(super) id: String,
    stack: String,
    /// Number of the stack's version.
    version: Option<u32>,
    target: String,
    /// `running`, `deployed`, `unchanged`, `rolled_back`, `failed` or `abandoned`.
    status: &'static str,
    /// The run that carries it out, whose log says what goes on.
    run: Option<String>,
    /// The deployment to which it rolls back.
    rollback_to: Option<String>,
    by: String,
    started_at: u64,
    ended_at: Option<u64>,
    /// What was to be changed, and why; null until that is known.
    plan: Value,
    /// Why it did not end well: `code`, `message` and `remedy`.
    error: Value,
    /// The last lines of the container that failed.
    log: Vec<String>,
    /// What is left of it on the target.
    left: Vec<String>,
}

impl From<Deployment> for DeploymentView {
    fn from(deployment: Deployment) -> Self {
        let outcome = deployment.outcome;
        let error = deployment.error.as_ref().or_else(|| outcome.as_ref()?.error.as_ref());
        let json = |value: Option<Value>| value.unwrap_or_default();
        Self {
            run: deployment.id.get(..36).filter(|id| id.parse::<RunId>().is_ok()).map(str::to_owned),
            error: json(error.and_then(|error| serde_json::to_value(error).ok())),
            plan: json(outcome.as_ref().and_then(|outcome| serde_json::to_value(&outcome.plan).ok())),
            log: outcome.as_ref().map(|outcome| outcome.log.clone()).unwrap_or_default(),
            left: outcome.map(|outcome| outcome.left).unwrap_or_default(),
            id: deployment.id,
            stack: deployment.stack,
            version: deployment.version,
            target: deployment.target,
            status: deployment.status.word(),
            rollback_to: deployment.rollback_to,
            by: deployment.by,
            started_at: deployment.started_at.0,
            ended_at: deployment.ended_at.map(|at| at.0),
        }
    }
}

/// Which deployments.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeploymentsQuery {
    /// Of this stack.
    stack: Option<String>,
    /// To this target.
    target: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Deployments, the oldest first.
#[utoipa::path(
    get, path = "/deployments", tag = "deployments", operation_id = "list_deployments", params(DeploymentsQuery),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Page<DeploymentView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Query(query): Query<DeploymentsQuery>,
) -> Answer<axum::Json<Page<DeploymentView>>> {
    let limit = page::limit(query.limit)?;
    let mut after = query.cursor.as_deref().map(page::decode).transpose()?;
    let book = app.book(&allowed.0.organisation);
    let fits = |given: &Option<String>, own: &str| given.as_ref().is_none_or(|given| given == own);
    let mut found: Vec<DeploymentView> = Vec::new();
    loop {
        let (deployments, next) = book.deployments(after.as_deref(), 500)?;
        for deployment in deployments {
            if !fits(&query.stack, &deployment.stack) || !fits(&query.target, &deployment.target) {
                continue;
            }
            if found.len() == limit {
                let next = found.last().map(|last| last.id.clone());
                return Ok(axum::Json(Page::new(found, next)));
            }
            found.push(deployment.into());
        }
        after = next;
        if after.is_none() {
            return Ok(axum::Json(Page::new(found, None::<String>)));
        }
    }
}

/// One deployment: what changed, how it ended and why.
#[utoipa::path(
    get, path = "/deployments/{deployment}", tag = "deployments", operation_id = "show_deployment",
    params(("deployment" = String, Path, description = "Its id")),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = DeploymentView), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<axum::Json<DeploymentView>> {
    Ok(axum::Json(app.book(&allowed.0.organisation).deployment(&id)?.into()))
}

/// What was said of the variables of a deployment, to begin the next one with. What took its default is left out, and follows it; passwords are
/// told to nobody.
#[utoipa::path(
    get, path = "/deployments/{deployment}/variables", tag = "deployments", operation_id = "deployment_variables",
    params(("deployment" = String, Path, description = "Its id")),
    security(("token" = ["stacks:deploy"])),
    responses((status = 200, description = "Values by name", body = BTreeMap<String, String>), Refusals)
)]
pub(crate) async fn variables(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<axum::Json<BTreeMap<String, String>>> {
    let book = app.book(&allowed.0.organisation);
    let deployment = book.deployment(&id)?;
    Ok(axum::Json(deploying::said(&book, &deployment)?))
}

/// The containers, networks and volumes of a deployment's stack, as they are now.
#[utoipa::path(
    get, path = "/deployments/{deployment}/status", tag = "deployments", operation_id = "deployment_status",
    params(("deployment" = String, Path, description = "Its id")),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Value), Refusals)
)]
pub(crate) async fn status(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Answer<axum::Json<Value>> {
    let book = app.book(&allowed.0.organisation);
    let deployment = book.deployment(&id)?;
    let reached = app.reach(&book, &deployment.target).await?;
    let seen = reached.driver.observe(&deployment.stack).await.map_err(Problem::from)?;
    Ok(axum::Json(serde_json::to_value(&seen).map_err(Problem::internal)?))
}

/// Where a rollback goes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RollbackQuery {
    /// Id of an earlier deployment of the stack to the target; the one before that is made from something else, where nothing is said.
    to: Option<String>,
}

/// Roll back: the stack is brought again to what the deployment before, or the one that is named, was made from.
#[utoipa::path(
    post, path = "/deployments/{deployment}/rollback", tag = "deployments", operation_id = "rollback_deployment",
    params(("deployment" = String, Path, description = "The deployment that is good at present"), RollbackQuery),
    security(("token" = ["stacks:deploy"])),
    responses((status = 202, description = "It is under way", body = DeploymentView, headers(("Location" = String))), Refusals)
)]
pub(crate) async fn rollback(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RollbackQuery>,
) -> Answer<Response> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let (good, _) = present(&book, &id)?;
    let (before, content) = match &query.to {
        None => book.before(&good.target, &good.stack)?,
        Some(to) => book.earlier(&good.target, &good.stack, to)?,
    };
    let (version, to) = (before.version, Some(before.id));
    let begun = deploying::begin(&app, &caller.organisation, &good.target, version, content, to, caller.name()).await?;
    Ok(accepted(begun.into()))
}

/// The deployment of this id, which has to be the one that is good at present, with what it is made from.
fn present(book: &Book, id: &str) -> Answer<(Deployment, Content)> {
    let deployment = book.deployment(id)?;
    let (good, content) = book.good(&deployment.target, &deployment.stack)?;
    if good.id != id {
        let detail = format!("deployment {} is the present one of {} on {}", good.id, good.stack, good.target);
        return Err(Problem::conflict("not_present", detail).remedy("name that one"));
    }
    Ok((good, content))
}

/// What can be done with what is deployed.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionWord {
    Stop,
    Start,
    Restart,
}

/// What is done with which services.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActOn {
    action: ActionWord,
    /// All where none is named.
    #[serde(default)]
    services: Vec<String>,
}

/// Stop, start or restart the containers of a deployment's stack. What was done with what.
#[utoipa::path(
    post, path = "/deployments/{deployment}/actions", tag = "deployments", operation_id = "act_on_deployment",
    params(("deployment" = String, Path, description = "Its id")),
    security(("token" = ["stacks:deploy"])), request_body = ActOn,
    responses((status = 200, description = "As asked", body = Vec<String>), Refusals)
)]
pub(crate) async fn act(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<ActOn>,
) -> Answer<axum::Json<Vec<String>>> {
    let book = app.book(&allowed.0.organisation);
    let deployment = book.deployment(&id)?;
    idle(&book, &deployment)?;
    let action = match body.action {
        ActionWord::Stop => Action::Stop,
        ActionWord::Start => Action::Start,
        ActionWord::Restart => Action::Restart,
    };
    let reached = app.reach(&book, &deployment.target).await?;
    let quiet = |_: Event| ();
    let done = reached.driver.act(&deployment.stack, &body.services, &action, &quiet).await.map_err(Problem::from)?;
    Ok(axum::Json(done))
}

/// Nothing else is done with a stack while it is being deployed.
fn idle(book: &Book, deployment: &Deployment) -> Answer<()> {
    let current = book.current(&deployment.target, &deployment.stack)?.unwrap_or_default();
    match current.under_way {
        Some(id) => Err(Problem::conflict("under_way", format!("deployment {id} of this stack is under way"))
            .remedy("wait until it has ended, or stop it")),
        None => Ok(()),
    }
}

/// What is taken away with a stack.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemoveQuery {
    /// Its volumes, too, and what is in them.
    #[serde(default)]
    volumes: bool,
}

/// Stop a deployment. One that is under way is undone; of one that is good the containers and networks are taken away, and the
/// volumes where that is asked for.
#[utoipa::path(
    delete, path = "/deployments/{deployment}", tag = "deployments", operation_id = "stop_deployment",
    params(("deployment" = String, Path, description = "Its id"), RemoveQuery),
    security(("token" = ["stacks:deploy"])), responses((status = 202, description = "It is under way, or done"), Refusals)
)]
pub(crate) async fn stop(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RemoveQuery>,
) -> Answer<StatusCode> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let deployment = book.deployment(&id)?;
    if deployment.status == Status::Running {
        cancel(&app, &caller.organisation, &id, &caller.name()).await?;
        return Ok(StatusCode::ACCEPTED);
    }
    idle(&book, &deployment)?;
    let (good, _) = book.good(&deployment.target, &deployment.stack)?;
    if good.id != id {
        return Err(Problem::conflict("not_present", format!("deployment {} came after it", good.id)));
    }
    let reached = app.reach(&book, &deployment.target).await?;
    let action = Action::Remove { volumes: query.volumes };
    let quiet = |_: Event| ();
    reached.driver.act(&deployment.stack, &[], &action, &quiet).await.map_err(Problem::from)?;
    book.removed(&deployment.target, &deployment.stack, false)?;
    book.durable().await?;
    Ok(StatusCode::ACCEPTED)
}

async fn cancel(app: &App, organisation: &OrganisationId, id: &str, by: &str) -> Answer<()> {
    let run = id.get(..36).unwrap_or(id).parse::<RunId>();
    let run = run.map_err(|_| Problem::conflict("not_here", "this deployment was begun elsewhere"))?;
    let key = RunKey { organisation: organisation.clone(), run };
    let (app, by) = (app.clone(), by.to_owned());
    crate::state::blocking(move || app.runtime.cancel(&key, &by).map(drop)).await??;
    Ok(())
}
