//! Headers and forms of requests, made so that server and host cannot understand a request differently.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use wasmtime_wasi_http::{Error, WasiBody};
use windflow_core::capability::Origin;
use windflow_core::trace::TraceContext;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// What only the host may say: it decides about the connection, the framing and the name of the server. wasmtime refuses
/// most of these when the guest sets them; they are removed here as well, whatever way they came.
static HOST_ONLY: [HeaderName; 12] = [
    header::CONNECTION,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether guests may not set this header.
pub(super) fn is_host_only(name: &HeaderName) -> bool {
    HOST_ONLY.contains(name)
}

/// Brings a request into the form in which it is sent to the server of `origin` itself.
pub(super) fn prepare(request: &mut Request<WasiBody>, origin: &Origin) -> Result<(), Error> {
    // `CONNECT` would make a tunnel out of the connection, past all checks.
    if *request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let headers = request.headers_mut();
    for name in &HOST_ONLY {
        headers.remove(name);
    }
    one_length(headers)?;
    let text = origin.to_string();
    let host = text.split_once("://").map_or(text.as_str(), |(_, host)| host);
    headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|_| Error::HttpRequestUriInvalid)?);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.uri_mut() = path;
    Ok(())
}

/// Tells the server which trace the request is part of, where the guest said nothing of that. The state of a trace belongs to its parent: what
/// the guest said of one alone is of no trace, or of another.
pub(super) fn trace(headers: &mut HeaderMap, trace: &TraceContext) {
    if headers.contains_key(TRACEPARENT) {
        return;
    }
    // Only digits and dashes.
    let Ok(parent) = HeaderValue::from_str(&trace.parent.to_string()) else { return };
    headers.insert(TRACEPARENT, parent);
    headers.remove(TRACESTATE);
    if let Some(state) = trace.state.as_ref().and_then(|state| HeaderValue::from_str(state.as_str()).ok()) {
        headers.insert(TRACESTATE, state);
    }
}

/// Two different lengths are how one request is smuggled inside another.
fn one_length(headers: &HeaderMap) -> Result<(), Error> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return Ok(()) };
    let is_number = !first.is_empty() && first.as_bytes().iter().all(u8::is_ascii_digit);
    if is_number && lengths.next().is_none() { Ok(()) } else { Err(Error::HttpProtocolError) }
}
