//! How the server is: for those who watch over it.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Expected;

use super::extract::{Allowed, need};
use super::refusals::Refusals;
use crate::problem::{Answer, Problem, ProblemBody};
use crate::state::App;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, description = "As asked", body = String)))]
pub(crate) async fn healthy() -> &'static str {
    "ok"
}

fn starting() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "the runs that had not ended are being taken up")
        .retry_after(1)
}

/// It has taken up what it had left: runs go on, triggers are watched.
#[utoipa::path(
    get, path = "/startupz", tag = "health", security(()),
    responses((status = 200, description = "As asked", body = String), (status = 503, description = "Not at present", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(crate) async fn started(State(app): State<App>) -> Answer<&'static str> {
    if app.started.load(Ordering::Acquire) { Ok("ok") } else { Err(starting()) }
}

/// It can take work: it has started, is not stopping, and what it keeps is kept.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "As asked", body = String), (status = 503, description = "Not at present", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(crate) async fn ready(State(app): State<App>) -> Answer<&'static str> {
    if !app.started.load(Ordering::Acquire) {
        return Err(starting());
    }
    if *app.stopping.borrow() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is stopping"));
    }
    // A store that takes no more says so at once, before anything is written.
    let probe = app.records.delete(&OrganisationId::installation(), "readiness", Expected::Any);
    probe.map_err(Problem::from)?;
    Ok("ok")
}

/// Metrics in the format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health", security(("token" = ["metrics:read"])),
    responses((status = 200, description = "As asked", body = String, content_type = "text/plain"), Refusals)
)]
pub(crate) async fn metrics(
    State(app): State<App>,
    allowed: Result<Allowed<need::MetricsRead>, Problem>,
) -> Answer<Response> {
    if !app.settings.public_metrics {
        allowed?;
    }
    app.metrics.runs_stalled.set(i64::try_from(app.runtime.stalled_count()).unwrap_or(i64::MAX));
    let text = app.metrics.text()?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
