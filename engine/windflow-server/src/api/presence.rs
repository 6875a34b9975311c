//! Who else looks at a workflow.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::WorkflowName;

use super::extract::{Allowed, Json, Path, need};
use super::refusals::Refusals;
use crate::catalogue;
use crate::presence::LASTS;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// That somebody is there, or is not any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Here {
    /// Chosen by the client, for each window another: who has two is there twice.
    #[schema(min_length = 1, max_length = 64)]
    window: String,
    /// Something was changed and is not saved.
    #[serde(default)]
    editing: bool,
    /// The window is being closed.
    #[serde(default)]
    leaving: bool,
}

/// Somebody else who is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PresentView {
    /// Their id: names tell nobody apart.
    person: String,
    /// It is another window of whoever asks.
    own: bool,
    /// Their name, or their e-mail address where they have none.
    name: String,
    /// They have changed something and not saved it.
    editing: bool,
    since: u64,
}

/// Who else is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Others {
    others: Vec<PresentView>,
    /// Say again that you are there within so many milliseconds.
    lasts: u64,
}

/// Say that you look at a workflow, and hear who else does.
#[utoipa::path(
    post, path = "/workflows/{name}/presence", tag = "workflows", operation_id = "be_present",
    params(("name" = String, Path, description = "Name of the workflow")),
    security(("token" = ["workflows:read"])), request_body = Here,
    responses((status = 200, description = "As asked", body = Others), Refusals)
)]
pub(crate) async fn here(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    Json(body): Json<Here>,
) -> Answer<axum::Json<Others>> {
    let caller = allowed.0;
    if body.window.is_empty() || body.window.len() > 64 {
        return Err(Problem::invalid("invalid_body", "`window` has 1 to 64 characters"));
    }
    catalogue::entry(&app, &caller.organisation, &name)?;
    // Nobody speaks for a window of somebody else.
    let person = caller.user.id.to_string();
    let window = format!("{person}/{}", body.window);
    let workflow = (caller.organisation.clone(), name);
    if body.leaving {
        app.presence.gone(&workflow, &window);
        return Ok(axum::Json(Others { others: Vec::new(), lasts: LASTS }));
    }
    let called = if caller.user.name.is_empty() { caller.user.email } else { caller.user.name };
    let others = app.presence.here(workflow, &window, person.clone(), called, body.editing, app.now());
    let view = |other: crate::presence::Present| PresentView {
        own: other.person == person,
        person: other.person,
        name: other.name,
        editing: other.editing,
        since: other.since.0,
    };
    Ok(axum::Json(Others { others: others.into_iter().map(view).collect(), lasts: LASTS }))
}
