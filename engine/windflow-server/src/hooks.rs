//! Webhooks: requests from outside that start runs.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use windflow_core::id::{Digest, OrganisationId, RunId, RunKey};
use windflow_core::ports::store::Position;
use windflow_triggers::{Presented, Reply, Webhook};

use crate::active::Armed;
use crate::launch::{Launch, key_of, launch, launch_awaited, launch_once};
use crate::problem::{Answer, Problem};
use crate::state::App;
use crate::traces;

/// What stands in the names of headers that show who somebody is. They are checked and then forgotten: inputs are kept, and anybody who may see
/// runs sees them.
const WITHHELD: [&str; 8] =
    ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "credential"];

fn is_withheld(header: &str) -> bool {
    WITHHELD.iter().any(|word| header.contains(word))
}

/// Answers a request to a webhook.
pub(crate) async fn receive(
    State(app): State<App>,
    Path((organisation, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = answer(&app, &organisation, &path, request).await;
    let outcome = match &answer {
        Ok(_) => "started",
        Err(problem) if problem.status() == 401 => "denied",
        Err(problem) if problem.status() == 404 => "unknown",
        Err(problem) if problem.status() < 500 => "refused",
        Err(_) => "failed",
    };
    app.metrics.hooks.with_label_values(&[outcome]).inc();
    answer.into_response()
}

async fn answer(app: &App, organisation: &str, path: &str, request: Request) -> Answer<Response> {
    let unknown = || Problem::not_found("webhook here, or its workflow is not enabled");
    let organisation: OrganisationId = organisation.parse().map_err(|_| unknown())?;
    let hooks = app.active.hooks(&organisation, path.trim_end_matches('/'));
    if hooks.is_empty() {
        return Err(unknown());
    }
    let method = request.method().clone();
    let method = method.as_str();
    let Some(hook) = hooks.iter().find(|hook| hook.trigger.method == method).cloned() else {
        let detail = format!("this webhook takes {}", hooks[0].trigger.method);
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, app.settings.max_body_bytes).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than this server takes")
    })?;
    admit(app, &hook, &parts.headers, &body)?;
    let data = data(&hook.trigger, &parts.uri, &parts.headers, path, &body)?;
    let inputs = windflow_triggers::inputs(&hook.trigger.inputs, &data).map_err(|error| {
        let detail = format!("the request does not have what the workflow makes its inputs from: {}", error.message);
        Problem::invalid("webhook_inputs", detail)
    })?;
    let by = format!("webhook:{}", hook.trigger.name);
    let trace = traces::context(app, &parts.headers);
    let what = Launch { trace, ..Launch::new(&organisation, &*hook.document, inputs, by) };
    let key = key_of(&parts.headers)?;
    let run = match (key, hook.trigger.reply) {
        (Some(key), _) => {
            let asked = asked(method, path, parts.uri.query(), &body);
            launch_once(app, what, &format!("webhook/{}/{path}/{key}", hook.workflow), asked).await?.run
        }
        (None, Reply::Accepted) => launch(app, what).await?.run,
        // Its end is durable together with its beginning: one wait for the disk instead of two.
        (None, Reply::Result) => launch_awaited(app, what)?,
    };
    match hook.trigger.reply {
        Reply::Accepted => Ok(accepted(run)),
        Reply::Result => result(app, RunKey { organisation, run }).await,
    }
}

/// What is the same whenever a request is sent again. Its headers are not: each sending may have a trace, a date and a length of its own.
fn asked(method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Digest {
    let head = format!("{method}\0{path}\0{}\0", query.unwrap_or_default());
    Digest::of(&[head.as_bytes(), body].concat())
}

/// Whether the request shows what it has to.
fn admit(app: &App, hook: &Arc<Armed<Webhook>>, headers: &HeaderMap, body: &[u8]) -> Answer<()> {
    let auth = &hook.trigger.auth;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let secret = match auth.secret() {
        Some(name) => {
            let secret = app.secrets.open(&hook.organisation, name)?;
            if secret.is_none() {
                tracing::warn!(workflow = %hook.workflow, webhook = %hook.trigger.name, secret = name, "a webhook needs a secret that is not set: nobody gets in");
            }
            secret
        }
        None => None,
    };
    let authorization = text(header::AUTHORIZATION.as_str());
    let presented = Presented { authorization, header: auth.header().and_then(text), body };
    auth.check(secret.as_deref(), &presented)
        .map_err(|_| Problem::unauthorized(format!("this webhook asks for a valid `{}`", auth.word())))
}

/// What the webhook brings, as `trigger` in expressions.
fn data(hook: &Webhook, uri: &Uri, headers: &HeaderMap, path: &str, body: &[u8]) -> Answer<Value> {
    let mut shown = Map::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !is_withheld(name)
            && hook.auth.header() != Some(name)
            && let Ok(value) = value.to_str()
        {
            shown.insert(name.to_owned(), value.into());
        }
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = if body.is_empty() {
        Value::Null
    } else if kind == "application/json" || kind.ends_with("+json") {
        serde_json::from_slice(body).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is no JSON: {error}"))
        })?
    } else if kind == "application/x-www-form-urlencoded" {
        Value::Object(pairs(std::str::from_utf8(body).unwrap_or_default()))
    } else {
        let text = std::str::from_utf8(body).map_err(|_| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body is neither JSON nor text",
            )
        })?;
        text.into()
    };
    Ok(json!({
        "name": &*hook.name,
        "method": hook.method,
        "path": path,
        "query": pairs(uri.query().unwrap_or_default()),
        "headers": shown,
        "body": body,
    }))
}

/// Pairs of a query or a form; of a name that comes twice the last one counts.
fn pairs(text: &str) -> Map<String, Value> {
    form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}

fn accepted(run: RunId) -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({ "run": run }))).into_response()
}

/// Waits for the end of the run, and answers with its outputs.
async fn result(app: &App, key: RunKey) -> Answer<Response> {
    let Ok(ended) = tokio::time::timeout(app.settings.reply_timeout, app.runtime.wait(&key)).await else {
        // It goes on; whoever asked may look for it later.
        app.runtime.durable(Position::LATEST).await?;
        return Ok(accepted(key.run));
    };
    let report = ended.map_err(|lost| Problem::from((*lost).clone()))?;
    let run = [("windflow-run", key.run.to_string())];
    match (&*report.status, &report.outputs) {
        ("succeeded", Some(outputs)) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            Ok((run, kind, outputs.text().to_owned()).into_response())
        }
        ("cancelled", _) => Err(Problem::conflict("run_cancelled", format!("run {} was cancelled", key.run))),
        // Why it failed may say more than outsiders should know: whoever may see runs finds it there.
        _ => {
            let detail = format!("run {} failed; its page says why", key.run);
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "run_failed", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_show_who_somebody_is_are_known_by_their_names() {
        for name in [
            "authorization",
            "x-gitlab-token",
            "private-token",
            "x-telegram-bot-api-secret-token",
            "set-cookie",
            "x-api-key",
        ] {
            assert!(is_withheld(name), "{name}");
        }
        for name in ["x-github-event", "user-agent", "content-type", "x-request-id"] {
            assert!(!is_withheld(name), "{name}");
        }
    }
}
