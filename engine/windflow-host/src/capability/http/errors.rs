//! What errors of the network are called towards guests. Guests decide by them whether trying again can help.

use std::error::Error as _;
use std::io;

use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// No connection came about.
pub(super) fn connect(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ErrorCode::DestinationUnavailable,
        _ => ErrorCode::ConnectionTerminated,
    }
}

/// The handshake failed.
pub(super) fn tls(error: &io::Error) -> ErrorCode {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => ErrorCode::TlsCertificateError,
        _ => ErrorCode::TlsProtocolError,
    }
}

/// The exchange failed.
pub(super) fn exchange(error: &hyper::Error) -> ErrorCode {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        ErrorCode::ConnectionTerminated
    } else if error.is_timeout() {
        ErrorCode::ConnectionReadTimeout
    } else {
        ErrorCode::HttpProtocolError
    }
}

/// An error in words, for people.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Connect(error) => format!("no connection came about: {error}"),
        Error::Tls(error) => format!("no encrypted connection came about: {error}"),
        Error::Hyper(error) => format!("the exchange failed: {error}"),
        Error::DnsError { rcode: Some(why), .. } => format!("the name is not known: {why}"),
        Error::DnsTimeout | Error::ConnectionTimeout | Error::ConnectionReadTimeout => "there was no answer".to_owned(),
        other => format!("it cannot be reached: {other:?}"),
    }
}

/// The exchange failed; where that was by a bound of ours, the error that says so.
pub(super) fn unwrap(error: hyper::Error) -> Error {
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(Error::HttpRequestBodySize(limit)) => Error::HttpRequestBodySize(*limit),
        _ => Error::Hyper(error),
    }
}
