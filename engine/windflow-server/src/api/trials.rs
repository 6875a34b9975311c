//! Trying things: one node of a workflow alone, and what expressions come to.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use windflow_core::alone::alone;
use windflow_core::expression::preview::{self, Scope};
use windflow_core::id::WorkflowName;
use windflow_core::json::Json;
use windflow_core::manifest::DEFAULT_PORT;
use windflow_core::run::Emitted;

use super::extract::{self, Allowed, Path, also, need};
use super::refusals::Refusals;
use super::runs::{StartedRun, tried_by};
use crate::access::Permission;
use crate::launch::{Launch, launch};
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::{App, blocking};
use crate::{catalogue, traces};

/// What a node is tried with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TryNode {
    /// The workflow's inputs by name; those with defaults may be left out.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// What the nodes that it reads have put out, by their ids; null where nothing is said.
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
    /// What `input` is, where that is to be something else than what those nodes have put out.
    #[serde(default, deserialize_with = "given")]
    input: Option<Value>,
    /// The text to take the node from, instead of the workflow's latest version. Needs `workflows:write` as well.
    #[schema(max_length = 1048576)]
    document: Option<String>,
}

/// A value that may be null, which is not the same as none.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Run one node alone. It is a run like any other, of this node and nothing else; it tells no events.
#[utoipa::path(
    post, path = "/workflows/{name}/nodes/{node}/runs", tag = "runs", operation_id = "try_node",
    params(
        ("name" = String, Path, description = "Name of the workflow"),
        ("node" = String, Path, description = "Id of the node")
    ),
    security(("token" = ["runs:start"])), request_body = TryNode,
    responses((status = 201, description = "It is made", body = StartedRun, headers(("Location" = String))), Refusals)
)]
pub(crate) async fn node(
    allowed: Allowed<need::RunsStart>,
    State(app): State<App>,
    Path((name, node)): Path<(WorkflowName, String)>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<TryNode>,
) -> Answer<Response> {
    let caller = allowed.0;
    let document = match body.document {
        Some(document) => {
            also(&caller, Permission::WorkflowsWrite)?;
            document
        }
        None => catalogue::latest(&app, &caller.organisation, &name)?.1.text,
    };
    let with_input = body.input.is_some();
    let alone = blocking(move || alone(&document, &node, with_input)).await?.map_err(|problem| {
        if problem.code == "unknown_node" {
            return Problem::not_found("such node").remedy(problem.remedy.unwrap_or(problem.message));
        }
        Problem::document(&[problem])
    })?;
    let mut outputs = body.outputs;
    let mut pinned = BTreeMap::new();
    let emitted = |output: Value| -> Answer<Emitted> {
        Ok(Emitted { port: DEFAULT_PORT.parse().map_err(Problem::internal)?, output: Json::from(output) })
    };
    for id in alone.stand_ins {
        let output = match &alone.input {
            Some(input) if *input == id => body.input.clone(),
            _ => outputs.remove(id.as_str()),
        };
        pinned.insert(id, emitted(output.unwrap_or_default())?);
    }
    let inputs = body.inputs;
    let trace = traces::context(&app, &headers);
    let started = Launch::new(&caller.organisation, alone.document, inputs, tried_by(&caller));
    let what = Launch { pinned, trace, ..started };
    let launched = launch(&app, what).await?;
    let location = format!("/api/v1/runs/{}", launched.run);
    let body = StartedRun { run: launched.run.to_string(), repeated: false };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// What is evaluated, and on which data.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preview {
    /// A value with expressions anywhere in it.
    template: Value,
    /// What expressions read: `inputs`, `nodes` (each with `output`, `error`, `status`), `input`, `item`, `item_index`, `trigger`,
    /// `run`.
    #[serde(default)]
    #[schema(value_type = Object)]
    scope: Scope,
}

/// What a value with expressions comes to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Previewed {
    /// The value; null where there is none.
    value: Value,
    /// Why there is none; its place is that in the template, where that is one text.
    problem: Option<DocumentProblem>,
}

/// Evaluate a value with expressions. Nothing is run.
#[utoipa::path(
    post, path = "/preview", tag = "workflows", operation_id = "preview_expression",
    security(("token" = ["workflows:read"])), request_body = Preview,
    responses((status = 200, description = "As asked", body = Previewed), Refusals)
)]
pub(crate) async fn preview(
    _: Allowed<need::WorkflowsRead>,
    extract::Json(body): extract::Json<Preview>,
) -> Answer<axum::Json<Previewed>> {
    let previewed = blocking(move || match preview::preview(&body.template, &body.scope) {
        Ok(value) => Previewed { value, problem: None },
        Err(problem) => Previewed { value: Value::Null, problem: Some((&problem).into()) },
    });
    Ok(axum::Json(previewed.await?))
}
