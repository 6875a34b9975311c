//! What the containers of a deployment's stack write.

use std::convert::Infallible;
use std::sync::Mutex;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use windflow_core::ports::store::BoxFuture;
use windflow_stacks::driver::{LogLine, LogQuery};

use super::super::extract::{Allowed, Path, Query, need};
use super::super::refusals::Refusals;
use super::super::streams::{self, send};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Which lines.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogsQuery {
    /// Of this service.
    service: Option<String>,
    /// The last so many of each container, 100 where nothing is said.
    #[param(minimum = 1, maximum = 5000)]
    tail: Option<u32>,
}

impl LogsQuery {
    fn asked(self, follow: bool) -> LogQuery {
        let tail = self.tail.unwrap_or(100).min(5000);
        LogQuery { services: self.service.into_iter().collect(), tail: Some(tail), since_seconds: None, follow }
    }
}

/// A line that a container wrote.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineView {
    service: String,
    /// Which of several containers, from 1.
    number: u32,
    /// The engine's time of it.
    at: String,
    stderr: bool,
    text: String,
}

impl From<LogLine> for LineView {
    fn from(line: LogLine) -> Self {
        let LogLine { service, number, at, stderr, text } = line;
        Self { service, number, at, stderr, text }
    }
}

/// Lines of one answer at most.
const MAX_LINES: usize = 10_000;

/// What the containers of a deployment's stack wrote.
#[utoipa::path(
    get, path = "/deployments/{deployment}/logs", tag = "deployments", operation_id = "deployment_logs",
    params(("deployment" = String, Path, description = "Its id"), LogsQuery),
    security(("token" = ["stacks:read"])), responses((status = 200, description = "As asked", body = Vec<LineView>), Refusals)
)]
pub(crate) async fn read(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Answer<axum::Json<Vec<LineView>>> {
    let book = app.book(&allowed.0.organisation);
    let deployment = book.deployment(&id)?;
    let reached = app.reach(&book, &deployment.target).await?;
    let asked = query.asked(false);
    let lines = Mutex::new(Vec::new());
    let hear = |line: LogLine| -> BoxFuture<'_, bool> {
        let more = lines.lock().is_ok_and(|mut lines| {
            lines.push(LineView::from(line));
            lines.len() < MAX_LINES
        });
        Box::pin(std::future::ready(more))
    };
    reached.driver.logs(&deployment.stack, &asked, &hear).await.map_err(Problem::from)?;
    Ok(axum::Json(lines.into_inner().unwrap_or_default()))
}

/// The same, and what they write from now on, with those that begin later: `line` for each (a `LineView`), `error` (`code`, `message`, `remedy`) where
/// the target is gone, and `end` once none of the containers runs any more. A reader who is slow is waited for; nothing is left out.
#[utoipa::path(
    get, path = "/deployments/{deployment}/logs/live", tag = "deployments", operation_id = "watch_deployment_logs",
    params(("deployment" = String, Path, description = "Its id"), LogsQuery),
    security(("token" = ["stacks:read"])),
    responses((status = 200, description = "As asked", body = LineView, content_type = "text/event-stream"), Refusals)
)]
pub(crate) async fn watch(
    allowed: Allowed<need::StacksRead>,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let caller = allowed.0;
    let book = app.book(&caller.organisation);
    let deployment = book.deployment(&id)?;
    let reached = app.reach(&book, &deployment.target).await?;
    let asked = query.asked(true);
    // What cannot be asked is refused before the stream begins.
    let seen = reached.driver.observe(&deployment.stack).await.map_err(Problem::from)?;
    seen.known(&deployment.stack, &asked.services).map_err(Problem::from)?;
    streams::stream(app, caller.until, move |sender| async move {
        let hear = |line: LogLine| -> BoxFuture<'_, bool> {
            let data = serde_json::to_string(&LineView::from(line)).unwrap_or_default();
            let sender = &sender;
            Box::pin(async move { send(sender, Event::default().event("line").data(data)).await.is_ok() })
        };
        let last = match reached.driver.logs(&deployment.stack, &asked, &hear).await {
            Ok(()) => Event::default().event("end").data("{}"),
            Err(error) => {
                let why = json!({ "code": error.code, "message": error.message, "remedy": error.remedy });
                Event::default().event("error").data(why.to_string())
            }
        };
        // Whoever went away is told nothing.
        let _ = send(&sender, last).await;
    })
}
