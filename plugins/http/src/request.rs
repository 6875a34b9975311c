//! From a configuration to a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use windflow_sdk::http::Request;
use windflow_sdk::{NodeError, context};

use crate::config::{Auth, Config, Scalar};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Methods that change something, and so carry the idempotency key.
fn is_unsafe(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH" | "DELETE")
}

fn invalid(message: impl Into<String>) -> NodeError {
    NodeError::new("invalid_config", message)
}

/// The first request.
pub(crate) fn build(config: &Config) -> Result<Request, NodeError> {
    let method = config.method.to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        return Err(invalid(["`method` cannot be ", &config.method, "; write GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS"].concat()));
    }
    let mut headers: Vec<(String, String)> = config.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let (body, kind) = body(config)?;
    add(&mut headers, "content-type", kind.map(str::to_owned));
    add(&mut headers, "authorization", config.auth.as_ref().map(authorization));
    add(&mut headers, "user-agent", Some("windflow".to_owned()));
    if is_unsafe(&method) {
        add(&mut headers, "idempotency-key", Some(context::idempotency_key()));
    }
    Ok(Request { method, url: url(config), headers, body })
}

/// Adds a header that the configuration does not set itself.
fn add(headers: &mut Vec<(String, String)>, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|_| headers.iter().all(|(known, _)| known != name)) {
        headers.push((name.to_owned(), value));
    }
}

fn body(config: &Config) -> Result<(Vec<u8>, Option<&'static str>), NodeError> {
    let given = [config.json.is_some(), config.form.is_some(), config.text.is_some(), config.base64.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(invalid("a request has one body: keep one of `json`, `form`, `text` and `base64`"));
    }
    if let Some(json) = &config.json {
        return Ok((json.as_str().as_bytes().to_vec(), Some("application/json")));
    }
    if let Some(form) = &config.form {
        return Ok((encode(form.iter()).into_bytes(), Some("application/x-www-form-urlencoded")));
    }
    if let Some(text) = &config.text {
        return Ok((text.clone().into_bytes(), Some("text/plain; charset=utf-8")));
    }
    if let Some(bytes) = &config.base64 {
        let bytes = STANDARD.decode(bytes).map_err(|_| invalid("`base64` is not Base64"))?;
        return Ok((bytes, Some("application/octet-stream")));
    }
    Ok((Vec::new(), None))
}

fn authorization(auth: &Auth) -> String {
    match auth {
        Auth::Bearer(token) => ["Bearer ", token].concat(),
        Auth::Basic { username, password } => ["Basic ", &STANDARD.encode([username, ":", password.as_str()].concat())].concat(),
    }
}

fn url(config: &Config) -> String {
    if config.query.is_empty() {
        return config.url.clone();
    }
    let (base, fragment) = config.url.split_once('#').map_or((config.url.as_str(), ""), |(base, fragment)| (base, fragment));
    let _ = fragment;
    let join = if !base.contains('?') { "?" } else if base.ends_with(['?', '&']) { "" } else { "&" };
    [base, join, &encode(config.query.iter())].concat()
}

/// `a=1&b=x%20y`
fn encode<'a>(pairs: impl Iterator<Item = (&'a String, &'a Scalar)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        percent(&mut text, name);
        text.push('=');
        percent(&mut text, &value.to_string());
    }
    text
}

fn percent(text: &mut String, part: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}
