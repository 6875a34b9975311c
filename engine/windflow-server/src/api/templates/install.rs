//! Installing a template.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_marketplace::manifest::Kind;

use super::{KindView, version};
use crate::access::Permission;
use crate::api::extract::{Allowed, Json, Path, also, need};
use crate::api::refusals::Refusals;
use crate::marketplace::install::{self, Wish};
use crate::marketplace::{self, Which};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// How a template is to be installed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstallTemplate {
    /// What the stack or workflow is to be called.
    #[serde(rename = "as")]
    #[schema(example = "blog")]
    name: String,
    /// The latest where nothing is said.
    version: Option<String>,
    /// As `GET /templates/{name}` has it.
    registry: Option<String>,
    /// Values of variables: kept with the deployment. Without one they are only checked.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Where to deploy a stack.
    target: Option<String>,
    /// Deploy the stack to the target at once.
    #[serde(default)]
    deploy: bool,
    /// Risks that are confirmed, by their names.
    #[serde(default)]
    confirm: Vec<String>,
    /// Switch the triggers of the workflow on at once.
    #[serde(default)]
    enable: bool,
}

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstalledTemplate {
    kind: KindView,
    /// Name of the stack or workflow.
    name: String,
    /// Version of the template.
    version: String,
    /// Id of the deployment that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<String>,
}

/// Install a template: a stack or a workflow is made of it, and deployed where that is wanted. Where something is wrong, nothing is
/// left behind.
#[utoipa::path(
    post, path = "/templates/{name}/install", tag = "templates", operation_id = "install_template",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["templates:write"])), request_body = InstallTemplate,
    responses((status = 201, description = "It is made", body = InstalledTemplate, headers(("Location" = String))), Refusals)
)]
pub(crate) async fn install(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(body): Json<InstallTemplate>,
) -> Answer<Response> {
    let caller = allowed.0;
    let which = Which { registry: body.registry, name, version: version(body.version.as_deref())? };
    let target = match (body.target, body.deploy) {
        (Some(target), true) => Some(target),
        (None, true) => {
            return Err(Problem::invalid("no_target", "it does not say where to deploy").remedy("name a `target`"));
        }
        (_, false) => None,
    };
    let found = marketplace::template(&app, &caller.organisation, &which).await?;
    let manifest = &found.template.manifest;
    let kind = manifest.kind;
    also(&caller, if kind == Kind::Stack { Permission::StacksWrite } else { Permission::WorkflowsWrite })?;
    if target.is_some() {
        also(&caller, Permission::StacksDeploy)?;
    }
    if body.enable {
        also(&caller, Permission::WorkflowsEnable)?;
    }
    let wish = Wish { name: body.name, variables: body.variables, target, confirm: body.confirm, enable: body.enable };
    let deployment = install::install(&app, &caller.organisation, &found, &wish, &caller.name()).await?;
    let location = format!("/api/v1/{}s/{}", kind.word(), wish.name);
    let made = InstalledTemplate {
        kind: kind.into(),
        name: wish.name,
        version: manifest.version.to_string(),
        deployment: deployment.map(|deployment| deployment.id),
    };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(made)).into_response())
}
