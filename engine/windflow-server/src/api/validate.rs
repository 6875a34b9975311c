//! Checking a text without keeping it.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{Allowed, Document, need};
use super::refusals::Refusals;
use crate::catalogue;
use crate::problem::{Answer, DocumentProblem};
use crate::state::App;

/// What is wrong with a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    /// Whether it can be kept and run: warnings do not stand in the way.
    valid: bool,
    problems: Vec<DocumentProblem>,
}

/// Check the text of a workflow: every problem at once, each with its place.
#[utoipa::path(
    post, path = "/validate", tag = "workflows", operation_id = "validate_workflow",
    security(("token" = ["workflows:read"])),
    request_body(content = serde_json::Value, content_type = "application/yaml", description = "The text of a workflow"),
    responses((status = 200, description = "As asked", body = Validation), Refusals)
)]
pub(crate) async fn validate(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Document(text): Document,
) -> Answer<axum::Json<Validation>> {
    let checked = catalogue::check(&app, &allowed.0.organisation, text).await?;
    let problems = checked.problems.iter().map(Into::into).collect();
    Ok(axum::Json(Validation { valid: checked.is_valid(), problems }))
}
