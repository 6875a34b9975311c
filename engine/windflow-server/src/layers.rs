//! What holds for every request: it ends in time, nothing of it brings the server down, it is counted, and its answer tells
//! browsers to trust it with nothing.

use std::any::Any;
use std::time::Instant;

use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::audit::{self, Asker, Changed, Entry};
use crate::problem::Problem;
use crate::state::App;

/// Ends requests that take too long. A client that sends its body too slowly is one of them.
pub(crate) async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    // A webhook may make its caller wait for the result.
    let reply = request.uri().path().starts_with("/hooks/").then_some(app.settings.reply_timeout);
    let bound = app.settings.request_timeout + reply.unwrap_or_default();
    tokio::time::timeout(bound, next.run(request)).await.unwrap_or_else(|_| {
        let detail = format!("this took longer than {} seconds", bound.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail).into_response()
    })
}

/// What changes nothing although it is sent by POST, and what says for itself who did it: runs.
const NOT_AUDITED: [&str; 11] = [
    "/api/v1/auth/refresh",
    "/api/v1/plugins/preview",
    "/api/v1/validate",
    "/api/v1/preview",
    "/api/v1/workflows/{name}/presence",
    "/api/v1/stacks/preview",
    "/api/v1/stacks/{name}/plan/{target}",
    "/api/v1/targets/{name}/test",
    "/api/v1/workflows/{name}/runs",
    "/api/v1/workflows/{name}/nodes/{node}/runs",
    "/api/v1/events",
];

/// Keeps who asked to change something, before they hear that it was done.
pub(crate) async fn audited(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let changes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if !changes || route.is_none_or(|route| !route.starts_with("/api/v1/") || NOT_AUDITED.contains(&route)) {
        return next.run(request).await;
    }
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let response = next.run(request).await;
    // Nobody shows who they are by a request that is refused for that; the log of requests has it.
    let Some((organisation, by)) = asker.get() else { return response };
    let path = response.extensions().get::<Changed>().map_or(path, |Changed(path)| path.clone());
    let entry = Entry { at: app.now(), by: by.clone(), method, path, status: response.status().as_u16() };
    match audit::keep(&*app.records, organisation, &entry).await {
        Ok(()) => response,
        // It was done, and nobody would know who did it.
        Err(problem) if response.status().is_success() => problem.into_response(),
        Err(_) => response,
    }
}

/// Counts requests by their route, never by their path, which anybody can make up.
pub(crate) async fn counted(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let class = match response.status().as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    // Methods can be made up as well.
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let method = known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
    app.metrics.requests.with_label_values(&[method, &route, class]).inc();
    app.metrics.seconds.with_label_values(&[&route]).observe(begun.elapsed().as_secs_f64());
    response
}

/// Headers that every answer carries.
pub(crate) async fn guarded(State(app): State<App>, request: Request, next: Next) -> Response {
    let may_be_unread = request.version() <= Version::HTTP_11 && !request.body().is_end_stream();
    let mut response = next.run(request).await;
    // Refused before the body was read: the connection ends, and whoever sent it is not to begin another request on it.
    if may_be_unread && matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if app.settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://")) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}

/// A handler that panicked.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over so")]
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let why = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|why| (*why).to_owned()))
        .unwrap_or_default();
    Problem::internal(format!("a handler panicked: {why}")).into_response()
}
