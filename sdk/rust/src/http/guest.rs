//! The WebAssembly side, over `wasi:http`.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme, http_error_code,
};
use wasip2::io::streams::{InputStream, StreamError};

use super::{Error, Request, Response};

/// So much is read and written at once.
const CHUNK: usize = 64 * 1024;
/// The contract of `blocking-write-and-flush` allows no more.
const WRITE: usize = 4096;

/// The stream is closed before the body that it belongs to, hence the order of the fields.
#[derive(Debug)]
pub(super) struct Body {
    host: String,
    stream: InputStream,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl Body {
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            match self.stream.blocking_read(CHUNK as u64) {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(failure)) => {
                    let code = http_error_code(&failure).unwrap_or(ErrorCode::HttpResponseIncomplete);
                    return Err(error(&self.host, code));
                }
            }
        }
    }
}

pub(super) fn send(request: &Request) -> Result<Response, Error> {
    let outgoing = OutgoingRequest::new(fields(request)?);
    let url = &request.url;
    let scheme = if url.is_https() { Scheme::Https } else { Scheme::Http };
    let accepted = outgoing.set_method(&method(&request.method)).is_ok()
        && outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(url.authority())).is_ok()
        && outgoing.set_path_with_query(Some(&url.path_and_query())).is_ok();
    if !accepted {
        return Err(Error::Invalid(["method or address are wrong: ", &request.method, " ", &url.public()].concat()));
    }
    let body = match request.body {
        Some(_) => Some(outgoing.body().map_err(|()| Error::Invalid("the request takes no body".to_owned()))?),
        None => None,
    };
    let answer = outgoing_handler::handle(outgoing, None).map_err(|code| error(url.authority(), code))?;
    if let (Some(body), Some(bytes)) = (body, &request.body) {
        write(body, bytes);
    }
    answer.subscribe().block();
    let response = match answer.get() {
        Some(Ok(result)) => result.map_err(|code| error(url.authority(), code))?,
        _ => return Err(Error::Connection("there is no answer".to_owned())),
    };
    read_head(url.authority(), response)
}

/// Where the server answers before it has read all, its answer says more than the broken pipe: failures are passed over,
/// and an unfinished body makes the answer fail where there is none.
fn write(body: OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        for chunk in bytes.chunks(WRITE) {
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    _ = OutgoingBody::finish(body, None);
}

fn read_head(host: &str, response: IncomingResponse) -> Result<Response, Error> {
    let broken = |()| Error::Connection("the answer cannot be read".to_owned());
    let status = response.status();
    let headers = response.headers().entries().into_iter().map(|(name, value)| {
        let value =
            String::from_utf8(value).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        (name.to_ascii_lowercase(), value)
    });
    let headers = headers.collect();
    let body = response.consume().map_err(broken)?;
    let stream = body.stream().map_err(broken)?;
    Ok(Response {
        status,
        headers,
        body: super::Body(Body { host: host.to_owned(), stream, _body: body, _response: response }),
    })
}

fn fields(request: &Request) -> Result<Fields, Error> {
    let mut entries: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if let Some(body) = &request.body
        && request.header("content-length").is_none()
    {
        entries.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    }
    if let Ok(fields) = Fields::from_list(&entries) {
        return Ok(fields);
    }
    let wrong = entries.into_iter().find(|entry| Fields::from_list(std::slice::from_ref(entry)).is_err());
    let name = wrong.map_or_else(String::new, |(name, _)| name);
    let message = ["the header `", &name, "` is malformed, or is one that only the host sets; leave it away"].concat();
    Err(Error::Invalid(message))
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn error(host: &str, code: ErrorCode) -> Error {
    let say = |text: &str| [host, ": ", text].concat();
    match code {
        ErrorCode::HttpRequestDenied => Error::Denied(say(
            "the request was denied; allow the host under `permissions: http:` of the workflow, if it is to be allowed",
        )),
        ErrorCode::DestinationIpProhibited => Error::Denied(say("its address is private, and was denied")),
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Error::Timeout(say("it did not answer in time")),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Error::Connection(say("there is no such host; look for its spelling"))
        }
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            Error::Connection(say("it cannot be reached"))
        }
        ErrorCode::ConnectionRefused => Error::Connection(say("it refused the connection; is the service running?")),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            Error::Connection(say("the connection broke off"))
        }
        ErrorCode::ConnectionLimitReached => Error::Connection(say("too many connections are open")),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            Error::Connection(say("no secure connection came about (TLS)"))
        }
        ErrorCode::TlsCertificateError => Error::Tls(say("its certificate cannot be trusted")),
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => {
            Error::Invalid(say("method or address are wrong"))
        }
        ErrorCode::HttpRequestBodySize(_) => Error::Invalid(say("the body of the request is too large")),
        ErrorCode::HttpRequestHeaderSectionSize(_) | ErrorCode::HttpRequestHeaderSize(_) => {
            Error::Invalid(say("the headers of the request are too large"))
        }
        ErrorCode::HttpResponseBodySize(limit) => {
            Error::TooLarge(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or_default())
        }
        ErrorCode::InternalError(Some(text)) => Error::Connection(say(&text)),
        _ => Error::Connection(say("it did not answer in HTTP as it should")),
    }
}
