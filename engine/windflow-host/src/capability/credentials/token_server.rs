//! What is asked of a token server, and what its answers mean (RFC 6749, sections 4.4, 5 and 6).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use serde_json::Value;
use windflow_core::capability::Origin;
use windflow_core::credential::{ClientAuth, Grant, MAX_VALUE_BYTES, MIN_VALUE_BYTES, OAuth};
use windflow_core::failure::{Failure, FailureKind, RetryHint};

use super::scrub::{Scrubber, percent_encoded};
use super::tokens::Wanted;
use crate::capability::http::{OwnAnswer, Sender, Unanswered};
use crate::capability::{clean, cut};

/// The longest answer that is read.
const ANSWER_BYTES: usize = 64 << 10;

/// Of what a token server says about its refusal, so many bytes are told.
const REASON_BYTES: usize = 300;

/// What a token server gave.
pub(super) struct Given {
    pub(super) token: Arc<str>,
    pub(super) lasts: Option<Duration>,
    /// A refresh token that takes the place of the one that was shown.
    pub(super) refresh: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    // A number, says the standard; some servers make a text of it.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Asks for a token, showing the client's secret or a refresh token.
pub(super) async fn ask(
    sender: &Sender,
    wanted: &Wanted,
    client: &OAuth,
    shown: &str,
    client_secret: Option<&str>,
) -> Result<Given, Failure> {
    let said = Said { name: &wanted.name, server: &client.token_url };
    let secret = match client.grant {
        Grant::ClientCredentials => Some(shown),
        Grant::RefreshToken => client_secret,
    };
    let (request, header) =
        request(client, shown, secret).map_err(|_| said.invalid("cannot be asked: is its address right?"))?;
    // Whatever the server says about what it was shown goes through this.
    let scrubber = Scrubber::of([Some(shown), secret, header.as_deref()].into_iter().flatten());
    let origin = Origin::from_url(&client.token_url).ok_or_else(|| said.invalid("has no address"))?;
    let answered = sender.own(&wanted.grants, &origin, request, ANSWER_BYTES).await;
    read(&said, client, shown, answered)
        .map_err(|failure| Failure { message: scrubber.text(failure.message), ..failure })
}

/// The request, and what of its header is secret.
fn request(
    client: &OAuth,
    shown: &str,
    secret: Option<&str>,
) -> Result<(Request<wasmtime_wasi_http::WasiBody>, Option<String>), http::Error> {
    let mut fields = match client.grant {
        Grant::ClientCredentials => vec![("grant_type", "client_credentials")],
        Grant::RefreshToken => vec![("grant_type", "refresh_token"), ("refresh_token", shown)],
    };
    let scopes = client.scopes.join(" ");
    if !scopes.is_empty() {
        fields.push(("scope", &scopes));
    }
    fields.extend(client.audience.as_deref().map(|audience| ("audience", audience)));
    let id = client.client_id.as_deref();
    let in_header = id.zip(secret).filter(|_| client.client_auth == ClientAuth::Basic);
    // A client that has no secret says who it is all the same.
    if in_header.is_none() {
        fields.extend(id.map(|id| ("client_id", id)));
        fields.extend(secret.map(|secret| ("client_secret", secret)));
    }
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    let body = Full::new(Bytes::from(body.join("&"))).map_err(|never| match never {}).boxed_unsync();
    let mut request = Request::post(&client.token_url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(USER_AGENT, "windflow")
        .body(body)?;
    let pair =
        in_header.map(|(id, secret)| STANDARD.encode(format!("{}:{}", percent_encoded(id), percent_encoded(secret))));
    if let Some(pair) = &pair {
        let mut value = HeaderValue::from_str(&format!("Basic {pair}"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok((request, pair))
}

fn read(
    said: &Said<'_>,
    client: &OAuth,
    shown: &str,
    answered: Result<OwnAnswer, Unanswered>,
) -> Result<Given, Failure> {
    let answer = answered.map_err(|why| match why {
        Unanswered::Denied(why) => Failure::new(FailureKind::Denied, format!("{}: {why}", said.nothing())),
        Unanswered::TooLong => said.invalid(&format!("gave an answer of more than {ANSWER_BYTES} bytes")),
        Unanswered::Failed(why) => said.unavailable(&format!("did not answer: {why}"), RetryHint::MayHelp),
    })?;
    let status = answer.status;
    let form: Option<Answer> = serde_json::from_slice(&answer.body).ok();
    if status.is_redirection() {
        return Err(said.invalid(&format!(
            "answered with a redirect ({}), which is not followed, since it would carry the secret elsewhere; write the address that it means into `token_url`",
            status.as_u16()
        )));
    }
    let reason = form.as_ref().and_then(reason);
    let reason = |otherwise: &str| reason.clone().unwrap_or_else(|| otherwise.to_owned());
    if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
        let seconds = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        let retry = seconds.map_or(RetryHint::MayHelp, |seconds| RetryHint::After(seconds.saturating_mul(1000)));
        return Err(said.unavailable(
            &format!("answered with status {}: {}", status.as_u16(), reason("it gave no reason")),
            retry,
        ));
    }
    if !status.is_success() || form.as_ref().is_some_and(|form| form.error.is_some()) {
        let what = match client.grant {
            Grant::ClientCredentials => "check the client's name and secret, its scopes and its audience",
            Grant::RefreshToken => {
                "the refresh token may have been used, withdrawn or expired: sign in anew and set the credential again"
            }
        };
        let status = if status == StatusCode::OK { String::new() } else { format!(" with status {}", status.as_u16()) };
        return Err(said.refused(&format!("refused{status}: {}. To mend it, {what}", reason("it gave no reason"))));
    }
    given(said, shown, form)
}

fn given(said: &Said<'_>, shown: &str, form: Option<Answer>) -> Result<Given, Failure> {
    let Some((form, token)) = form.and_then(|mut form| form.access_token.take().map(|token| (form, token))) else {
        return Err(said.invalid("gave an answer that is no JSON with an `access_token`; is `token_url` right?"));
    };
    if let Some(kind) = form.token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        let kind = clean(cut(&kind, 40)).into_owned();
        return Err(said.invalid(&format!("gave a token of the type {kind:?}; only bearer tokens can be sent")));
    }
    // What is shorter would be found, and blotted out, where it is ordinary text.
    let fits =
        (MIN_VALUE_BYTES..=MAX_VALUE_BYTES).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        return Err(said.invalid("gave an access token that cannot stand in a header, or is too short or too long"));
    }
    let lasts = form.expires_in.and_then(|lasts| match lasts {
        Value::Number(seconds) => seconds.as_f64(),
        Value::String(seconds) => seconds.trim().parse().ok(),
        _ => None,
    });
    let lasts = lasts.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let refresh = form.refresh_token.filter(|refresh| !refresh.is_empty() && refresh != shown);
    Ok(Given { token: token.into(), lasts, refresh })
}

/// What the server says about itself, fit to be shown.
fn reason(form: &Answer) -> Option<String> {
    let error = form.error.as_deref()?;
    let text = match form.error_description.as_deref() {
        Some(description) => format!("{error} ({description})"),
        None => error.to_owned(),
    };
    Some(clean(cut(&text, REASON_BYTES)).into_owned())
}

/// How failures are worded.
struct Said<'a> {
    name: &'a str,
    server: &'a str,
}

impl Said<'_> {
    fn nothing(&self) -> String {
        format!("there is no access token for the credential {}", self.name)
    }

    fn failure(&self, code: &str, what: &str, retry: RetryHint) -> Failure {
        let message = format!("{}: the token server {} {what}", self.nothing(), self.server);
        Failure { code: code.to_owned(), retry, ..Failure::new(FailureKind::Node, message) }
    }

    fn refused(&self, what: &str) -> Failure {
        self.failure("token_refused", what, RetryHint::Never)
    }

    fn unavailable(&self, what: &str, retry: RetryHint) -> Failure {
        self.failure("token_unavailable", what, retry)
    }

    fn invalid(&self, what: &str) -> Failure {
        self.failure("token_invalid", what, RetryHint::Never)
    }
}
