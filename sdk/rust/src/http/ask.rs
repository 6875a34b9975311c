//! The usual exchange: ask, read the answer whole, and fail where it says that it failed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Request, Response, Url, retry_after, send};
use crate::{NodeError, Retry, context};

/// Of an answer that is part of a failure, so many bytes are told.
const EXCERPT: usize = 2000;

/// The address that stands for the one that a credential holds (`bind: url`): the host puts that in its place. Fields of the
/// query are added to it.
pub const CREDENTIAL_URL: &str = "https://credential.invalid/";

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        super::header(&self.headers, name)
    }

    /// The body as text; what is not UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as a type.
    ///
    /// # Errors
    ///
    /// With code `invalid_answer`, which shows how the body begins.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = ["the answer is not as expected: ", &error.to_string()].concat();
            NodeError::new("invalid_answer", message).with_details(&excerpt(&self.body))
        })
    }
}

impl Request {
    /// A request with a body in JSON. Like every request that changes something it carries the idempotency key; the manifest
    /// has to say `run_context = true`.
    ///
    /// # Errors
    ///
    /// Where the body cannot be written.
    pub fn json<T: Serialize + ?Sized>(method: &str, url: Url, body: &T) -> Result<Self, NodeError> {
        let body = serde_json::to_vec(body).map_err(|error| NodeError::new("invalid_config", error.to_string()))?;
        let mut request = Self::new(method, url).with_header("Content-Type", "application/json");
        request.body = Some(body);
        Ok(request.with_header("Idempotency-Key", context::idempotency_key()))
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Sends a request and reads the answer, at most so many bytes of it.
///
/// # Errors
///
/// Where there is no answer, and with code `http_status` where its status is none of 2xx: its details hold the status and the
/// beginning of the body. A retry may help with 408, 425, 429 and 5xx, and waits as long as `Retry-After` says.
pub fn ask(request: &Request, limit: usize) -> Result<Reply, NodeError> {
    let Response { status, headers, body } = begin(request, limit)?;
    Ok(Reply { status, headers, body: body.read(limit)? })
}

/// Sends a request and gives its answer with the body still to be read, for answers that come bit by bit.
///
/// # Errors
///
/// As [`ask`]; so many bytes are read of an answer that is a failure.
pub fn begin(request: &Request, limit: usize) -> Result<Response, NodeError> {
    let response = send(request)?;
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    // A body that cannot be read does not hide the status.
    let body = response.body.read(limit).unwrap_or_default();
    Err(failure(request, response.status, &response.headers, &body))
}

fn failure(request: &Request, status: u16, headers: &[(String, String)], body: &[u8]) -> NodeError {
    let text = excerpt(body);
    let message = [&request.method, " ", &public(&request.url), " answered with status ", &status.to_string()].concat();
    let message = if text.is_empty() { message } else { [&message, ": ", first_line(&text)].concat() };
    #[derive(Serialize)]
    struct Details<'a> {
        status: u16,
        body: &'a str,
    }
    NodeError::new("http_status", message)
        .with_retry(retry(status, headers))
        .with_details(&Details { status, body: &text })
}

/// Whether trying again can help with an answer of this status, and when.
#[must_use]
pub fn retry(status: u16, headers: &[(String, String)]) -> Retry {
    match status {
        408 | 425 | 429 | 500.. => retry_after::milliseconds(headers).map_or(Retry::MayHelp, Retry::After),
        _ => Retry::Never,
    }
}

/// The address of a credential has no name that says anything.
fn public(url: &Url) -> String {
    if CREDENTIAL_URL.contains(url.authority()) { "the credential's address".to_owned() } else { url.public() }
}

fn excerpt(body: &[u8]) -> String {
    let end = body.len().min(EXCERPT);
    String::from_utf8_lossy(body.get(..end).unwrap_or_default()).into_owned()
}

/// Enough for a message; the rest is in the details.
fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.char_indices().nth(300).map_or(line, |(end, _)| &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http::{Answer, set_transport};

    fn check(answer: Answer, expect: Result<&str, (&str, Retry)>) {
        set_transport(move |_: &Request| Ok(answer.clone()));
        let url = Url::parse("https://example.org/a?key=s3cret").unwrap();
        let asked = ask(&Request::new("GET", url), 100);
        let asked = asked.as_ref().map(Reply::text).map_err(|error| (&*error.message, error.retry));
        assert_eq!(asked.as_deref().map_err(|error| *error), expect);
    }

    #[test]
    fn what_is_no_success_is_a_failure_that_says_whether_to_try_again() {
        check(Answer::new(201).body("made"), Ok("made"));
        let message = "GET https://example.org/a answered with status 404: no such thing";
        check(Answer::new(404).body("no such thing\nat all"), Err((message, Retry::Never)));
        let slow = Answer::new(429).header("retry-after", "7");
        check(slow, Err(("GET https://example.org/a answered with status 429", Retry::After(7000))));
        check(Answer::new(302), Err(("GET https://example.org/a answered with status 302", Retry::Never)));
        check(Answer::new(503), Err(("GET https://example.org/a answered with status 503", Retry::MayHelp)));
        check(Answer::new(200).body("x".repeat(101)), Err(("the answer is longer than 100 bytes", Retry::Never)));
    }

    #[test]
    fn an_answer_of_another_form_is_told() {
        let reply = Reply { status: 200, headers: Vec::new(), body: b"<html>".to_vec() };
        let error = reply.json::<Vec<u8>>().unwrap_err();
        assert_eq!((&*error.code, error.details.as_deref()), ("invalid_answer", Some(&b"\"<html>\""[..])));
    }
}
