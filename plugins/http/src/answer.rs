//! From the answer to what the node gives on, or fails with.

use windflow_sdk::http::{Request, Response, retry};
use windflow_sdk::serde_json::json;
use windflow_sdk::{Fields, Json, NodeError, Retry, base64, output};

use crate::config::{As, Config};
use crate::request::wrong;

/// Of a body that is part of a failure, so many characters are shown.
const EXCERPT: usize = 2000;

/// The answer.
#[output]
pub struct Output {
    /// The status, such as 200.
    status: u16,
    /// Headers by name in lower case. What comes several times is joined by commas.
    headers: Fields<String>,
    /// The body.
    body: Json,
    /// The address that gave it, after redirects.
    url: String,
}

pub(crate) fn read(config: &Config, request: &Request, response: Response) -> Result<Output, NodeError> {
    let status = response.status;
    let fails = fails(&config.fail_on, status)?;
    let headers = joined(&response.headers);
    let media_type = headers.get("content-type").map_or("", String::as_str).to_ascii_lowercase();
    let body = response.body.read(config.max_bytes as usize);
    let url = &request.url;
    if fails {
        // A body that cannot be read does not hide the status.
        return Err(failure(request, status, &headers, &media_type, &body.unwrap_or_default()));
    }
    let body = body.map_err(|error| {
        let error = NodeError::from(error);
        if error.code != "too_large" {
            return error;
        }
        NodeError { message: format!("{}: {}; raise `max_bytes`", url.public(), error.message), ..error }
    })?;
    let body = decode(config.response, &media_type, body).map_err(|problem| {
        NodeError::new("invalid_json", format!("{}: status {status}, {problem}", url.public())).with_details(&json!({
            "status": status,
            "headers": headers,
        }))
    })?;
    Ok(Output { status, headers, body, url: url.to_string() })
}

fn joined(headers: &[(String, String)]) -> Fields<String> {
    let mut joined: Fields<String> = Fields::default();
    for (name, value) in headers {
        match joined.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(value);
            }
            None => joined.0.push((name.clone(), value.clone())),
        }
    }
    joined
}

/// Whether a pattern such as `404` or `5xx` fits the status.
fn fails(patterns: &[String], status: u16) -> Result<bool, NodeError> {
    let status = status.to_string();
    let mut fails = false;
    for pattern in patterns {
        let known =
            pattern.len() == 3 && pattern.bytes().all(|byte| byte.is_ascii_digit() || byte.eq_ignore_ascii_case(&b'x'));
        if !known {
            return Err(wrong(&format!("`fail_on`: `{pattern}` is no status; write such as \"404\" or \"5xx\"")));
        }
        let fits = |(pattern, digit): (u8, u8)| pattern == digit || pattern.eq_ignore_ascii_case(&b'x');
        fails |= pattern.bytes().zip(status.bytes()).all(fits);
    }
    Ok(fails)
}

fn failure(request: &Request, status: u16, headers: &Fields<String>, media_type: &str, body: &[u8]) -> NodeError {
    // A status below 400 fails only where the workflow wants it to, and may be another the next time.
    let retry = if status < 400 { Retry::MayHelp } else { retry(status, &headers.0) };
    let message = format!("{} {} answered with status {status}", request.method, request.url.public());
    NodeError::new("http_status", message).with_retry(retry).with_details(&json!({
        "status": status,
        "url": request.url.to_string(),
        "headers": headers,
        "body": excerpt(media_type, body),
    }))
}

/// Short JSON as it is, so that later nodes can look into it; else the beginning of the text.
fn excerpt(media_type: &str, body: &[u8]) -> Json {
    let text = String::from_utf8_lossy(body);
    if is_json(media_type)
        && text.len() <= 4 * EXCERPT
        && let Ok(json) = Json::from_text(text.clone().into_owned())
    {
        return json;
    }
    let beginning = match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => &text[..end],
        None => &text,
    };
    Json::of(beginning).unwrap_or_default()
}

fn decode(wanted: As, media_type: &str, body: Vec<u8>) -> Result<Json, String> {
    let problem = |error: NodeError| error.message;
    match wanted {
        As::Json => json_body(body),
        // As an answer to HEAD, or with status 204.
        As::Auto if body.is_empty() => Ok(Json::default()),
        As::Auto if is_json(media_type) => json_body(body),
        As::Text => Json::of(&*String::from_utf8_lossy(&body)).map_err(problem),
        As::Base64 => Json::of(&base64::encode(&body)).map_err(problem),
        As::Auto => match String::from_utf8(body) {
            Ok(text) => Json::of(&text).map_err(problem),
            Err(error) => Json::of(&base64::encode(error.as_bytes())).map_err(problem),
        },
    }
}

fn json_body(body: Vec<u8>) -> Result<Json, String> {
    let text = String::from_utf8(body).map_err(|_| "the body is no JSON: it is not UTF-8".to_owned())?;
    // Some servers begin with a byte order mark.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Json::from_text(text).map_err(|error| {
        let remedy = "; set `response: text` to look at it";
        format!("the body is no JSON: {}{remedy}", error.message)
    })
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json")
}
