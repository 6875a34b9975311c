//! Another number of containers of services that are deployed.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::extract::{Allowed, Json, Path, need};
use super::super::refusals::Refusals;
use super::super::stacks::accepted;
use super::{DeploymentView, present};
use crate::deploying;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// How many containers are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScaleTo {
    /// By service, one at least; the others stay as they are.
    replicas: BTreeMap<String, u32>,
}

/// Scale: another number of containers of some services. All else stays as it was deployed, variables and version included. It is a deployment of its own.
#[utoipa::path(
    post, path = "/deployments/{deployment}/scale", tag = "deployments", operation_id = "scale_deployment",
    params(("deployment" = String, Path, description = "The deployment that is good at present")),
    security(("token" = ["stacks:deploy"])), request_body = ScaleTo,
    responses((status = 202, description = "It is under way", body = DeploymentView, headers(("Location" = String))), Refusals)
)]
pub(crate) async fn scale(
    allowed: Allowed<need::StacksDeploy>,
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<ScaleTo>,
) -> Answer<Response> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let (good, mut content) = present(&book, &id)?;
    let scaled = match body.replicas.is_empty() {
        true => Err("say of which services another number is wanted".to_owned()),
        false => content.project.scale(&body.replicas),
    };
    scaled.map_err(|why| Problem::invalid("invalid_scale", why))?;
    let (target, version) = (good.target, good.version);
    let begun = deploying::begin(&app, &caller.organisation, &target, version, content, None, caller.name()).await?;
    Ok(accepted(begun.into()))
}
