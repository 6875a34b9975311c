//! What nodes can be.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::NodeTypeRef;
use windflow_core::manifest::reach;
use windflow_core::native::WithNative;
use windflow_core::ports::host::{InstalledNodeType, Registry as _};
use windflow_core::workflow;

use super::extract::{Allowed, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// A node type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeTypeView {
    /// What workflows write: `http@1`.
    #[schema(example = "http@1")]
    uses: String,
    /// Name, version, description and licence of the plugin that offers it.
    plugin: Value,
    /// SHA-256 of the component behind it.
    component: String,
    /// It only computes: it cannot read a clock, a file or a socket.
    pure: bool,
    /// What it asks for.
    capabilities: Value,
    /// What it may touch, in one sentence, by language.
    #[schema(example = json!({ "en": "It only computes: it can reach nothing outside of itself." }))]
    reach: Value,
    /// Title, description, category, icon and ports, in English and French.
    #[serde(rename = "type")]
    about: Value,
    /// JSON Schema of `with:`.
    config: Value,
    /// JSON Schema of what it emits.
    output: Option<Value>,
}

fn view((uses, installed): &(NodeTypeRef, InstalledNodeType)) -> Answer<NodeTypeView> {
    let json = |value: serde_json::Result<Value>| value.map_err(Problem::internal);
    let node_type = installed.node_type();
    let mut about = json(serde_json::to_value(node_type))?;
    if let Value::Object(fields) = &mut about {
        fields.remove("config");
        fields.remove("output");
    }
    Ok(NodeTypeView {
        uses: uses.to_string(),
        plugin: json(serde_json::to_value(&installed.manifest.plugin))?,
        component: installed.component.to_string(),
        pure: installed.pure,
        capabilities: json(serde_json::to_value(&installed.manifest.capabilities))?,
        reach: json(serde_json::to_value(reach(&installed.manifest.capabilities, installed.pure)))?,
        about,
        config: node_type.config.clone(),
        output: node_type.output.clone(),
    })
}

/// The installed node types, by name.
#[utoipa::path(
    get, path = "/node-types", tag = "node types", operation_id = "list_node_types", params(PageQuery),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Page<NodeTypeView>), Refusals)
)]
pub(crate) async fn list(
    _: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<NodeTypeView>>> {
    let (limit, after) = (query.limit()?, query.after()?);
    let all = WithNative(&*app.registry).list();
    let rest: Vec<_> =
        all.iter().filter(|(uses, _)| after.as_ref().is_none_or(|after| uses.to_string() > *after)).collect();
    let shown = rest.get(..limit.min(rest.len())).unwrap_or_default();
    let next = shown.last().filter(|_| rest.len() > limit).map(|(uses, _)| uses.to_string());
    let items = shown.iter().map(|found| view(found)).collect::<Answer<_>>()?;
    Ok(axum::Json(Page::new(items, next)))
}

/// One node type.
#[utoipa::path(
    get, path = "/node-types/{uses}", tag = "node types", operation_id = "show_node_type",
    params(("uses" = String, Path, description = "What workflows write: `http@1`")),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = NodeTypeView), Refusals)
)]
pub(crate) async fn show(
    _: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(uses): Path<NodeTypeRef>,
) -> Answer<axum::Json<NodeTypeView>> {
    let installed =
        WithNative(&*app.registry).get(&uses).ok_or_else(|| Problem::not_found(format!("node type {uses}")))?;
    Ok(axum::Json(view(&(uses, installed))?))
}

/// JSON Schema of the text of workflows, with the configurations of the installed node types: for editors.
#[utoipa::path(
    get, path = "/workflow-schema", tag = "node types", operation_id = "workflow_schema",
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Value), Refusals)
)]
pub(crate) async fn schema(_: Allowed<need::WorkflowsRead>, State(app): State<App>) -> axum::Json<Value> {
    axum::Json(workflow::document_schema(&*app.registry))
}
