//! A small blocking HTTP client over the host's `wasi:http` (cargo feature `http`). The manifest has to ask for the hosts:
//! `http = ["api.example.org"]`.
//!
//! The host resolves names, speaks TLS, checks every request against the permissions of the workflow and adds credentials.
//! Redirects are not followed. Natively requests go to the transport of `testing::http`.

mod ask;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod fake;
#[cfg(target_arch = "wasm32")]
mod guest;
mod retry_after;
mod url;

use std::fmt;

pub use self::ask::{CREDENTIAL_URL, Reply, ask, begin, retry};
pub use self::url::{Url, encode};
use crate::{NodeError, Retry};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// Where to.
    pub url: Url,
    /// Names and values; `Content-Length` and `Host` are added.
    pub headers: Vec<(String, String)>,
    /// Nothing where there is no body.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: Url) -> Self {
        Self { method: method.into(), url, headers: Vec::new(), body: None }
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The head of an answer; its body is still to be read.
#[derive(Debug)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case, and values; what is not UTF-8 in them is replaced.
    pub headers: Vec<(String, String)>,
    /// Comes as it is read.
    pub body: Body,
}

impl Response {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The body of an answer.
#[derive(Debug)]
pub struct Body(#[cfg(target_arch = "wasm32")] guest::Body, #[cfg(not(target_arch = "wasm32"))] fake::Pieces);

impl Body {
    /// Reads all of it, or fails as soon as it is longer than so many bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], or [`Error::Connection`] where it breaks off.
    pub fn read(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next()? {
            if bytes.len() + piece.len() > limit {
                return Err(Error::TooLarge(limit));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Waits for what comes next of it; nothing at its end. For answers that come bit by bit, and for those that are too long to
    /// be held at once: how much is read in all is for the caller to bound.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`] where it breaks off.
    #[allow(clippy::should_implement_trait, reason = "an iterator would go on behind an error")]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.0.next()
    }
}

/// Sends a request and waits for the head of the answer.
///
/// # Errors
///
/// Where there is no answer. A status is no error.
pub fn send(request: &Request) -> Result<Response, Error> {
    #[cfg(target_arch = "wasm32")]
    {
        guest::send(request)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        fake::send(request)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The permissions do not allow it.
    Denied(String),
    /// It took too long to connect or to answer.
    Timeout(String),
    /// There is no such host, it does not listen, or the connection broke off.
    Connection(String),
    /// The certificate cannot be trusted.
    Tls(String),
    /// The request itself is wrong.
    Invalid(String),
    /// The body is longer than so many bytes.
    TooLarge(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(what)
            | Self::Timeout(what)
            | Self::Connection(what)
            | Self::Tls(what)
            | Self::Invalid(what) => f.write_str(what),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {limit} bytes"),
        }
    }
}

impl From<Error> for NodeError {
    fn from(error: Error) -> Self {
        let (code, retry) = match error {
            Error::Denied(_) => ("denied", Retry::Never),
            Error::Timeout(_) | Error::Connection(_) => ("connection", Retry::MayHelp),
            Error::Tls(_) => ("connection", Retry::Never),
            Error::Invalid(_) => ("invalid_request", Retry::Never),
            Error::TooLarge(_) => ("too_large", Retry::Never),
        };
        Self::new(code, error.to_string()).with_retry(retry)
    }
}
