//! Answers to what runs ask: approvals of people, data of other systems.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::{NodeId, RunId, RunKey};
use windflow_runtime::{Answer as Given, AnswerError, Reply};

use super::extract::{Allowed, Json, Path, Raw, need};
use super::refusals::Refusals;
use super::runs::find;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What is answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveAnswer {
    /// The node that asks.
    node: String,
    /// The item, where the node runs for each of several.
    item: Option<u32>,
    /// The decision, where a person is asked.
    approved: Option<bool>,
    /// Why it was decided so.
    comment: Option<String>,
    /// What the form asks for, or what another system reports.
    data: Option<Value>,
}

/// The answer was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Its place in the journal of the run.
    sequence: u64,
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        let detail = error.to_string();
        match error {
            AnswerError::UnknownNode { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            AnswerError::NotAsked { .. } => Self::conflict("not_asked", detail),
            AnswerError::WrongToken(_) => Self::not_found("such question"),
            AnswerError::WrongKind { .. } | AnswerError::Invalid { .. } => Self::invalid("invalid_answer", detail),
            AnswerError::Resume(error) => error.into(),
        }
    }
}

/// Answer what a run asks: approve or reject, or report back in place of another system.
#[utoipa::path(
    post, path = "/runs/{run}/answers", tag = "runs", operation_id = "answer_run",
    params(("run" = String, Path, format = "uuid", description = "Id of the run")),
    security(("token" = ["runs:operate"])), request_body = GiveAnswer,
    responses((status = 200, description = "It was taken, durably", body = Taken), Refusals)
)]
pub(crate) async fn answer(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(run): Path<RunId>,
    Json(body): Json<GiveAnswer>,
) -> Answer<axum::Json<Taken>> {
    let caller = allowed.0;
    let key = find(&app, &caller.organisation, run)?;
    let node: NodeId = body.node.parse().map_err(|error| Problem::invalid("invalid_answer", format!("{error}")))?;
    let reply = match body.approved {
        Some(approved) => Reply::Decision { approved, by: caller.name(), comment: body.comment, data: body.data },
        None => Reply::Data(body.data.unwrap_or_default()),
    };
    let sequence = app.runtime.answer(&key, Given { node, item: body.item, token: None, reply }).await?;
    Ok(axum::Json(Taken { sequence }))
}

/// The address at which another system reports back: the token in it is all that it has to show.
pub(crate) async fn callback(
    State(app): State<App>,
    Path((organisation, run, node, token)): Path<(String, RunId, NodeId, String)>,
    Raw(body): Raw,
) -> Answer<axum::Json<Taken>> {
    let unknown = || Problem::not_found("such question");
    let organisation = organisation.parse().map_err(|_| unknown())?;
    let key = RunKey { organisation, run };
    // Only what was asked can be answered from outside; nobody is told which runs there are.
    if app.store.run(&key).map_err(|_| unknown())?.finished_at.is_some() {
        return Err(unknown());
    }
    let data = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is no JSON: {error}"))
        })?
    };
    let given = Given { node, item: None, token: Some(token), reply: Reply::Data(data) };
    match app.runtime.answer(&key, given).await {
        Ok(sequence) => Ok(axum::Json(Taken { sequence })),
        Err(error @ AnswerError::Invalid { .. }) => Err(error.into()),
        Err(AnswerError::Resume(error)) => Err(error.into()),
        Err(_) => Err(unknown()),
    }
}
