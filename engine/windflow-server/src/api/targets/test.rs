//! Whether a target is reached, and what it is like then.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use windflow_stacks::driver::Facts;

use super::super::extract::{Allowed, Path, need};
use super::super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::state::App;

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
