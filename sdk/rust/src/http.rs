//! A small blocking HTTP client over `wasi:http`. The manifest has to ask for `http`, and the workflow to grant the host.
//!
//! Requests leave through the host, which checks where they go. It follows no redirects: a redirect is an answer, and
//! following it is another request. Natively requests are answered by what [`set_transport`] was given.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasi;

#[cfg(not(target_arch = "wasm32"))]
pub use native::set_transport;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// An absolute URL, `http` or `https`.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body; nothing where it is empty.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of a name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The request cannot be sent as it is: a malformed URL, method or header.
    Invalid(String),
    /// The host refuses to send it there.
    Denied,
    /// It was sent, or tried to be, and no whole answer came. The word of `wasi:http` says why: `connection-refused`.
    Failed(String),
    /// The body is longer than so many bytes.
    TooLarge(u64),
}

/// Sends a request and reads its answer, of whose body at most `max_bytes`.
///
/// # Errors
///
/// [`HttpError`] where there is no whole answer.
pub fn send(request: &Request, max_bytes: u64) -> Result<Response, HttpError> {
    #[cfg(target_arch = "wasm32")]
    return wasi::send(request, max_bytes);
    #[cfg(not(target_arch = "wasm32"))]
    native::send(request, max_bytes)
}

/// Scheme (`https` or not), authority, and path with query of an absolute URL. The fragment is left out.
pub fn split_url(url: &str) -> Option<(bool, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let tls = if scheme.eq_ignore_ascii_case("https") {
        true
    } else if scheme.eq_ignore_ascii_case("http") {
        false
    } else {
        return None;
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (!authority.is_empty()).then_some((tls, authority, path))
}
