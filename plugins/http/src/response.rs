//! From an answer to an output, or a failure.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windflow_sdk::http::{HttpError, Response};
use windflow_sdk::serde_json::json;
use windflow_sdk::{Json, NodeError, Retry, output};

use crate::config::Form;

/// The answer.
#[output]
pub struct Output {
    /// The status.
    pub(crate) status: u16,
    /// Headers by name in lower case; several of one name are joined by commas.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body.
    pub(crate) body: Json,
    /// The URL that answered, after redirects.
    pub(crate) url: String,
}

pub(crate) fn output(response: Response, url: String, form: Form) -> Result<Output, NodeError> {
    let body = body(&response, form)?;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers {
        headers.entry(name).and_modify(|known| known.extend([", ", &value])).or_insert(value);
    }
    Ok(Output { status: response.status, headers, body, url })
}

fn body(response: &Response, form: Form) -> Result<Json, NodeError> {
    let says_json = || response.header("content-type").is_some_and(|kind| kind.contains("json"));
    if form == Form::Json || (form == Form::Auto && says_json()) {
        match String::from_utf8(response.body.clone()).map_err(|_| "it is not UTF-8".to_owned()).and_then(checked) {
            Ok(json) => return Ok(json),
            Err(why) if form == Form::Json => {
                let message = ["the body is no JSON (", &why, "); write `response: text` to take it as it is"].concat();
                return Err(NodeError::new("invalid_json", message).with_details(&excerpt(response)));
            }
            // It says JSON and is none: it is handed on as text.
            Err(_) => {}
        }
    }
    match std::str::from_utf8(&response.body) {
        Ok(text) if form != Form::Base64 => Json::of(text),
        Err(_) if form == Form::Text => Json::of(&String::from_utf8_lossy(&response.body)),
        _ => Json::of(&STANDARD.encode(&response.body)),
    }
}

fn checked(text: String) -> Result<Json, String> {
    Json::from_text(text).map_err(|error| error.message)
}

/// What of an answer goes into a failure's details.
fn excerpt(response: &Response) -> windflow_sdk::serde_json::Value {
    let text = String::from_utf8_lossy(&response.body);
    json!({ "status": response.status, "body": text.chars().take(2000).collect::<String>() })
}

/// Whether a status is one of `404`, `4xx`.
pub(crate) fn fits(status: u16, patterns: &[String]) -> Result<bool, NodeError> {
    let digits = status.to_string();
    for pattern in patterns {
        let valid = pattern.len() == 3
            && pattern.starts_with(|c: char| c.is_ascii_digit())
            && pattern.bytes().all(|b| b.is_ascii_digit() || b == b'x');
        if !valid {
            return Err(NodeError::new("invalid_config", ["`fail_on` cannot hold ", pattern, "; write 404 or 4xx"].concat()));
        }
        if digits.bytes().zip(pattern.bytes()).all(|(digit, wanted)| wanted == b'x' || digit == wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn failed_status(response: &Response, url: &str) -> NodeError {
    let may_pass = matches!(response.status, 408 | 425 | 429) || response.status >= 500;
    let retry = match (may_pass, retry_after(response)) {
        (false, _) => Retry::Never,
        (true, Some(wait)) => Retry::After(wait),
        (true, None) => Retry::MayHelp,
    };
    // The query may hold what nobody should read in a log.
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    NodeError::new("http_status", [shown, " answered with ", &response.status.to_string()].concat())
        .with_retry(retry)
        .with_details(&excerpt(response))
}

/// Milliseconds that the server asks to wait: seconds, or a date, which is held against the server's own `Date`, since a
/// node has no clock.
fn retry_after(response: &Response) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = httpdate::parse_http_date(response.header("date")?).ok()?;
    let wait = until.duration_since(now).unwrap_or(Duration::ZERO);
    u64::try_from(wait.as_millis()).ok()
}

pub(crate) fn no_answer(error: HttpError, url: &str) -> NodeError {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    match error {
        HttpError::Invalid(why) => NodeError::new("invalid_request", [shown, ": ", &why].concat()),
        HttpError::Denied => {
            NodeError::new("denied", ["this workflow may not send requests to ", shown, "; grant the host under `permissions: http:`"].concat())
        }
        HttpError::Failed(why) => NodeError::new("connection", [shown, ": ", &why].concat()).with_retry(Retry::MayHelp),
        HttpError::TooLarge(most) => {
            NodeError::new("too_large", [shown, " answers with more than ", &most.to_string(), " bytes; raise `max_bytes`"].concat())
        }
    }
}
