//! Checking a text without keeping it.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::ports::credentials::Credentials;
use windflow_core::workflow::{self, Known, Reached};

use super::extract::{Allowed, Document, need};
use super::refusals::Refusals;
use crate::access::Permission;
use crate::catalogue::{self, Checked};
use crate::people::Caller;
use crate::problem::{Answer, DocumentProblem};
use crate::state::{App, blocking};

/// What is wrong with a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    /// Whether it can be kept and run: warnings do not stand in the way.
    valid: bool,
    problems: Vec<DocumentProblem>,
    /// Everything that it may reach, and those that it runs; of a text that is valid.
    reach: Vec<ReachedView>,
}

/// One thing that a workflow may reach.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reached)]
pub(crate) struct ReachedView {
    /// `http`, `token_server`, `docker`, `email`, `event`, `state`, `files`, `handed_files`, `clock`, `random`,
    /// `credential` or `run_context`.
    #[schema(example = "http")]
    kind: &'static str,
    /// What it is, by language.
    #[schema(example = json!({ "en": "crm.example.org, by HTTP", "fr": "crm.example.org, par HTTP" }))]
    what: BTreeMap<String, String>,
    /// The nodes that may; those of a workflow that is run stand behind the node that runs it.
    #[schema(example = json!(["fetch", "deploy › push"]))]
    nodes: Vec<String>,
}

impl From<Reached> for ReachedView {
    fn from(reached: Reached) -> Self {
        Self { kind: reached.kind.word(), what: reached.what.0, nodes: reached.nodes }
    }
}

/// Check the text of a workflow: every problem at once, each with its place. Of one that is valid it tells everything that it may
/// reach; where credentials go, to those who may manage them.
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
    let caller = allowed.0;
    let checked = catalogue::check(&app, &caller.organisation, text).await?;
    let (valid, problems) = (checked.is_valid(), checked.problems.iter().map(Into::into).collect());
    let reach = if valid { blocking(move || reach(&app, &caller, &checked)).await? } else { Vec::new() };
    Ok(axum::Json(Validation { valid, problems, reach }))
}

fn reach(app: &App, caller: &Caller, checked: &Checked) -> Vec<ReachedView> {
    let Some(workflow) = &checked.workflow else { return Vec::new() };
    let known = |name: &str| {
        if !caller.permissions.contains(&Permission::SecretsManage) {
            return Known::Hidden;
        }
        match app.credentials.get(&caller.organisation, name) {
            Ok(Some(credential)) => Known::Set(credential),
            Ok(None) => Known::Unset,
            Err(_) => Known::Hidden,
        }
    };
    workflow::reach(workflow, &checked.children, &*app.registry, &known).into_iter().map(Into::into).collect()
}
