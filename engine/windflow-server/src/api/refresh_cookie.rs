//! The refresh token as a cookie that scripts cannot read: for browsers.
//!
//! It goes to the endpoints of signing in only, and to no request that another site begins.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::state::App;

const NAME: &str = "windflow_refresh";
const DAYS_30: u32 = 30 * 24 * 3600;

/// The header that keeps a token, or takes it away where there is none.
pub(super) fn set(app: &App, token: Option<&str>) -> Option<HeaderValue> {
    let https = app.settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    let age = if token.is_some() { DAYS_30 } else { 0 };
    let token = token.unwrap_or_default();
    HeaderValue::from_str(&format!(
        "{NAME}={token}; Path=/api/v1/auth; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    ))
    .ok()
}

/// The token that a browser keeps.
pub(super) fn get(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, token)| token.to_owned())
        .filter(|token| !token.is_empty())
}
