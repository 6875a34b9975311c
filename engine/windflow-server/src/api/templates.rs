//! Workflows to start from, which are part of the binary.

use std::sync::LazyLock;

use rust_embed::RustEmbed;
use serde::Serialize;
use utoipa::ToSchema;
use windflow_core::workflow::Workflow;

use super::extract::{Allowed, need};
use super::refusals::Refusals;

#[derive(RustEmbed)]
#[folder = "../../workflows"]
#[include = "*/workflow.yaml"]
struct Shipped;

/// A workflow to start from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TemplateView {
    name: String,
    description: Option<String>,
    /// The node types that it uses, each once.
    uses: Vec<String>,
    /// The YAML text.
    text: String,
}

static TEMPLATES: LazyLock<Vec<TemplateView>> = LazyLock::new(|| {
    let mut names: Vec<_> = Shipped::iter().collect();
    names.sort();
    names.iter().filter_map(|name| view(&Shipped::get(name)?.data)).collect()
});

fn view(text: &[u8]) -> Option<TemplateView> {
    let text = std::str::from_utf8(text).ok()?;
    let workflow = Workflow::parse(text).0?;
    let mut uses: Vec<String> = Vec::new();
    for node in workflow.nodes.values().map(|node| node.uses.value.to_string()) {
        if !uses.contains(&node) {
            uses.push(node);
        }
    }
    Some(TemplateView {
        name: workflow.name.value.to_string(),
        description: workflow.description.map(|text| text.value),
        uses,
        text: text.to_owned(),
    })
}

/// Workflows to start from, by name.
#[utoipa::path(
    get, path = "/templates", tag = "workflows", operation_id = "list_templates",
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Vec<TemplateView>), Refusals)
)]
pub(crate) async fn list(_: Allowed<need::WorkflowsRead>) -> axum::Json<Vec<TemplateView>> {
    axum::Json(TEMPLATES.clone())
}
