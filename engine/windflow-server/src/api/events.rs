//! Events, as outsiders publish them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::capability::is_public_event;
use windflow_core::id::Digest;

use super::extract::{Allowed, Json, need};
use super::refusals::Refusals;
use crate::events::{Event, Heard, Told, tell};
use crate::launch::{key_of, promise};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Something that happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishEvent {
    /// Words with dots between them. Those that begin with `run.` are the engine's own.
    #[schema(example = "order.placed", min_length = 1, max_length = 100)]
    name: String,
    /// What it brings, as `trigger.data` in expressions.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Value,
}

/// What came of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedEvent {
    /// Each trigger that listens, and whose filter it passed.
    started: Vec<StartedByEvent>,
    /// Each `callback` that waited for it.
    answered: Vec<AnsweredByEvent>,
}

/// A question that waited for the event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnsweredByEvent {
    run: String,
    node: String,
    /// The item, where the node runs for each of several.
    item: Option<u32>,
    /// Why it was no answer; the question stays open then.
    error: Option<String>,
}

impl From<Heard> for AnsweredByEvent {
    fn from(heard: Heard) -> Self {
        let Heard { run, node, item, refused } = heard;
        Self { run: run.to_string(), node: node.to_string(), item, error: refused }
    }
}

/// A trigger that an event has fired.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedByEvent {
    workflow: String,
    trigger: String,
    /// The run; none where it could not be started.
    run: Option<String>,
    /// Why not.
    error: Option<String>,
}

impl From<Told> for StartedByEvent {
    fn from(told: Told) -> Self {
        let (run, error) = match told.started {
            Ok(run) => (Some(run.to_string()), None),
            Err(why) => (None, Some(why)),
        };
        Self { workflow: told.workflow, trigger: told.trigger, run, error }
    }
}

/// Tell an event to the enabled workflows that listen to it, and to the runs that wait for it. The same `Idempotency-Key` tells each of them once.
#[utoipa::path(
    post, path = "/events", tag = "workflows", operation_id = "publish_event",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]*$", description = "The same key is the same event, for two days at least")),
    security(("token" = ["runs:start"])), request_body = PublishEvent,
    responses((status = 202, description = "It was told, durably", body = PublishedEvent), Refusals)
)]
pub(crate) async fn publish(
    allowed: Allowed<need::RunsStart>,
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<PublishEvent>,
) -> Answer<(StatusCode, axum::Json<PublishedEvent>)> {
    if !is_public_event(&body.name) {
        return Err(Problem::invalid(
            "invalid_event",
            format!("`{}` is no name that an event can have here", body.name),
        )
        .remedy("write words with dots between them, as in order.placed; `run.` belongs to the engine"));
    }
    let caller = allowed.0;
    let (cause, at, repeated) = match key_of(&headers)? {
        Some(key) => {
            let asked = Digest::of(format!("{}\0{}", body.name, body.data).as_bytes());
            let key = format!("event/{}/{key}", caller.user.id);
            let promise = promise(&app, &caller.organisation, &key, asked)?;
            (promise.run, promise.at, promise.repeated)
        }
        None => (app.clock.new_run_id(), app.now(), false),
    };
    let event = Event {
        organisation: caller.organisation,
        name: body.name,
        at,
        cause: cause.to_string(),
        data: body.data,
        repeated,
        depth: 1,
    };
    let told = tell(&app, &event).await?;
    let started = told.started.into_iter().map(Into::into).collect();
    let answered = told.answered.into_iter().map(Into::into).collect();
    Ok((StatusCode::ACCEPTED, axum::Json(PublishedEvent { started, answered })))
}
