//! Where one is signed in.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{Known, Path};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// A session of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: String,
    /// When its tokens were last renewed, or when it began.
    used_at: u64,
    expires_at: u64,
    /// It is the one that asks.
    current: bool,
}

/// Where I am signed in, the newest session last. API keys are not among them.
#[utoipa::path(
    get, path = "/auth/sessions", tag = "auth", operation_id = "list_sessions", security(("token" = [])),
    responses((status = 200, description = "As asked", body = Vec<SessionView>), Refusals)
)]
pub(crate) async fn list(Known(caller): Known, State(app): State<App>) -> Answer<axum::Json<Vec<SessionView>>> {
    let sessions = app.people.sessions(&caller.organisation, &caller.user.id, app.now())?;
    let view = |session: crate::people::SessionOf| SessionView {
        current: caller.session.as_ref() == Some(&session.id),
        id: session.id,
        used_at: session.used_at.0,
        expires_at: session.expires_at.0,
    };
    Ok(axum::Json(sessions.into_iter().map(view).collect()))
}

/// End a session of mine: its tokens are void at once.
#[utoipa::path(
    delete, path = "/auth/sessions/{session}", tag = "auth", operation_id = "end_session",
    params(("session" = String, Path, description = "Its id")),
    security(("token" = [])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn end(
    Known(caller): Known,
    State(app): State<App>,
    Path(session): Path<String>,
) -> Answer<StatusCode> {
    if !app.people.end_session(&caller.organisation, &caller.user.id, &session).await? {
        return Err(Problem::not_found("such session of yours"));
    }
    Ok(StatusCode::NO_CONTENT)
}
