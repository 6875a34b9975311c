//! Requests by way of the host.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::io::streams::{OutputStream, StreamError};

use super::{HttpError, Request, Response, split_url};

/// What one blocking write may take, by the contract of `wasi:io`.
const CHUNK: usize = 4096;

pub(super) fn send(request: &Request, max_bytes: u64) -> Result<Response, HttpError> {
    let outgoing = head(request)?;
    let body = outgoing.body().map_err(|()| failed("no body"))?;
    let pending = outgoing_handler::handle(outgoing, None).map_err(|code| reason(&code))?;
    write(&body, &request.body)?;
    // A host that has refused the request says why in its answer, not here.
    let _ = OutgoingBody::finish(body, None);
    let ready = pending.subscribe();
    ready.block();
    let incoming = match pending.get() {
        Some(Ok(Ok(incoming))) => incoming,
        Some(Ok(Err(code))) => return Err(reason(&code)),
        Some(Err(())) | None => return Err(failed("no answer")),
    };
    read(&incoming, max_bytes)
}

fn head(request: &Request) -> Result<OutgoingRequest, HttpError> {
    let invalid = |what: &str| HttpError::Invalid(String::from(what));
    let (tls, authority, path) =
        split_url(&request.url).ok_or_else(|| invalid("the URL is not absolute: write it as https://example.org/path"))?;
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields.append(name, value.as_bytes()).map_err(|_| HttpError::Invalid(["the header ", name, " cannot be sent"].concat()))?;
    }
    if !request.body.is_empty() {
        // A value that the host forbids to set is one that it sets itself.
        let _ = fields.append("content-length", request.body.len().to_string().as_bytes());
    }
    let outgoing = OutgoingRequest::new(fields);
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if tls { Scheme::Https } else { Scheme::Http };
    let path = match path.as_bytes().first() {
        Some(b'/') => path.to_owned(),
        _ => ["/", path].concat(),
    };
    outgoing.set_method(&method).map_err(|()| invalid("the method is malformed"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid("the scheme is malformed"))?;
    outgoing.set_authority(Some(authority)).map_err(|()| invalid("the host of the URL is malformed"))?;
    outgoing.set_path_with_query(Some(&path)).map_err(|()| invalid("the path of the URL is malformed; encode it"))?;
    Ok(outgoing)
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), HttpError> {
    if bytes.is_empty() {
        return Ok(());
    }
    let stream: OutputStream = body.write().map_err(|()| failed("no body"))?;
    for chunk in bytes.chunks(CHUNK) {
        if stream.blocking_write_and_flush(chunk).is_err() {
            // The connection is gone, or the request was refused: the answer tells which.
            return Ok(());
        }
    }
    Ok(())
}

fn read(incoming: &IncomingResponse, max_bytes: u64) -> Result<Response, HttpError> {
    let status = incoming.status();
    let headers = incoming.headers().entries();
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let mut body = Vec::new();
    let incoming: IncomingBody = incoming.consume().map_err(|()| failed("no body"))?;
    let stream = incoming.stream().map_err(|()| failed("no body"))?;
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => {
                body.extend_from_slice(&chunk);
                if body.len() as u64 > max_bytes {
                    return Err(HttpError::TooLarge(max_bytes));
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(failed("the answer was cut off")),
        }
    }
    Ok(Response { status, headers, body })
}

fn failed(why: &str) -> HttpError {
    HttpError::Failed(why.to_owned())
}

fn reason(code: &ErrorCode) -> HttpError {
    match code {
        ErrorCode::HttpRequestDenied => HttpError::Denied,
        ErrorCode::HttpRequestUriInvalid => HttpError::Invalid("the URL is malformed".to_owned()),
        // Only the reasons that people meet: printing all of them would double the guest.
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => failed("the name of the host cannot be resolved"),
        ErrorCode::DestinationNotFound | ErrorCode::DestinationUnavailable => failed("the host cannot be reached"),
        ErrorCode::ConnectionRefused => failed("the connection was refused"),
        ErrorCode::ConnectionTerminated => failed("the connection was cut off"),
        ErrorCode::ConnectionTimeout => failed("connecting took too long"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            failed("the answer took too long")
        }
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            failed("no trustworthy TLS connection could be made")
        }
        ErrorCode::HttpResponseIncomplete => failed("the answer was cut off"),
        ErrorCode::InternalError(Some(why)) => failed(why),
        _ => failed("the request failed"),
    }
}
