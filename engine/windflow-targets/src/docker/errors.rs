//! What the engine says, as an error that people can act on.

use bollard::errors::Error;
use windflow_stacks::driver::DriverError;

use super::connect::tls;

/// The engine is not reached at an address.
pub(super) fn at(address: &str, error: &Error) -> DriverError {
    let found = of(error);
    if let Error::DockerResponseServerError { status_code, message } = error
        && (*status_code == 404 || message.trim().is_empty())
    {
        let message = format!("what answers at {address} is no Docker engine: it answers with status {status_code}");
        return DriverError::new("not_an_engine", message)
            .remedy("is it the port of the engine, or of something else?");
    }
    if found.code != "unreachable" {
        return DriverError { message: format!("{address}: {}", found.message), ..found };
    }
    if found.remedy.is_some() && own(error).is_some() {
        return found;
    }
    let message = format!("the engine at {address} is not reached: {}", causes(error));
    let text = message.to_lowercase();
    let remedy = if text.contains("permission denied") {
        "may this user use the socket? Is it in the group `docker`?"
    } else {
        "does the engine run, and does it listen there?"
    };
    DriverError { remedy: Some(remedy.to_owned()), ..DriverError::new("unreachable", message).may_help() }
}

/// What went wrong with a request.
pub(super) fn of(error: &Error) -> DriverError {
    match error {
        Error::DockerResponseServerError { status_code, message } => said(*status_code, message),
        Error::DockerStreamError { error } => said(500, error),
        Error::JsonDataError { message, .. } => {
            DriverError::new("not_an_engine", format!("the answer is no engine's: {message}"))
        }
        other => own(other).unwrap_or_else(|| {
            DriverError::new("unreachable", format!("the engine is gone: {}", causes(other)))
                .remedy("does it run? Once it does, deploy again: it goes on where it was")
                .may_help()
        }),
    }
}

/// What a connection of our own says of itself, wherever it stands among the causes.
fn own(error: &(dyn std::error::Error + 'static)) -> Option<DriverError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<DriverError>() {
            return Some(found.clone());
        }
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(tls::said(found));
        }
        // What an error of input and output holds is not among its sources; only what that comes from is.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map_or_else(|| error.source(), |held| Some(held));
    }
    None
}

/// What is behind it all: the rest are words of the libraries on the way.
fn causes(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn said(status: u16, message: &str) -> DriverError {
    let text = message.to_lowercase();
    let error = |code: &str, remedy: &str| DriverError::new(code, message.trim()).remedy(remedy);
    if text.contains("port is already allocated") || text.contains("address already in use") {
        let remedy = "another container or program has this port: publish another one, or stop that";
        return match taken(&text) {
            Some(address) => {
                DriverError::new("port_taken", format!("the port {address} of the target is taken")).remedy(remedy)
            }
            None => error("port_taken", remedy),
        };
    }
    if text.contains("http request to an https server") {
        return error(
            "tls_wanted",
            "give the target the certificate of the authority, a certificate for clients, and its key",
        );
    }
    if text.contains("no space left") {
        return error("disk_full", "make room on the target, for example with `docker system prune`").may_help();
    }
    if text.contains("unauthorized")
        || text.contains("authentication required")
        || text.contains("access denied")
        || text.contains("no basic auth")
    {
        return error("image_unauthorised", "give the login of the registry to the target, and check the image's name");
    }
    if text.contains("manifest unknown") || text.contains("no such image") || text.contains("not found: manifest") {
        return error("image_missing", "check the image's name and tag, and that it was pushed");
    }
    if text.contains("no such host")
        || text.contains("connection refused")
        || text.contains("i/o timeout")
        || text.contains("network is unreachable")
    {
        return error("registry_unreachable", "can the target reach the registry?").may_help();
    }
    let plain = DriverError::new(
        match status {
            404 => "not_found",
            409 => "conflict",
            400 => "refused",
            _ => "engine",
        },
        message.trim(),
    );
    if status >= 500 { plain.may_help() } else { plain }
}

/// The address that is taken, in either of the sentences that an engine has for it.
fn taken(text: &str) -> Option<&str> {
    let of_program = || text.split_once(": bind: address already in use")?.0.rsplit(' ').next();
    let of_container = || text.split_once("bind for ")?.1.split_once(" failed")?.0.into();
    of_program().or_else(of_container).filter(|address| address.contains(':') && address.len() < 60)
}

/// Whether it says that there is no such thing.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether it is so already.
pub(super) fn is_same(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 304, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_says_gets_a_code() {
        for (status, message, code) in [
            (
                500,
                "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated",
                "port_taken",
            ),
            (404, "manifest for x:1 not found: manifest unknown: manifest unknown", "image_missing"),
            (500, "Get \"https://r/v2/\": unauthorized: authentication required", "image_unauthorised"),
            (
                500,
                "Get \"https://registry.test/v2/\": dial tcp: lookup registry.test: no such host",
                "registry_unreachable",
            ),
            (500, "write /var/lib/docker/x: no space left on device", "disk_full"),
            (409, "name in use", "conflict"),
        ] {
            let error = Error::DockerResponseServerError { status_code: status, message: message.into() };
            assert_eq!(of(&error).code, code, "{message}");
        }
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        for (message, port) in [
            (
                "driver failed programming external connectivity on endpoint a (7): Bind for 0.0.0.0:80 failed: port is already allocated",
                "0.0.0.0:80",
            ),
            (
                "driver failed … on endpoint a (7): Error starting userland proxy: listen tcp4 127.0.0.1:23999: bind: address already in use",
                "127.0.0.1:23999",
            ),
            ("failed to bind host port for [::1]:80:172.17.0.2:80/tcp: address already in use", ""),
        ] {
            let error = Error::DockerResponseServerError { status_code: 500, message: message.into() };
            let said = of(&error).message;
            assert!(
                if port.is_empty() {
                    said == message
                } else {
                    said == format!("the port {port} of the target is taken")
                },
                "{said}"
            );
        }
    }

    #[test]
    fn something_else_at_an_address_is_told_from_an_engine() {
        let answer =
            |status, message: &str| Error::DockerResponseServerError { status_code: status, message: message.into() };
        for (status, message, code) in [
            (404, "<html>not here</html>", "not_an_engine"),
            (502, " ", "not_an_engine"),
            (400, "Client sent an HTTP request to an HTTPS server.", "tls_wanted"),
            (403, "authorization denied by plugin", "engine"),
        ] {
            let found = at("tcp://127.0.0.1:80", &answer(status, message));
            assert_eq!(found.code, code, "{found:?}");
            assert!(found.message.contains("tcp://127.0.0.1:80"), "{found:?}");
        }
    }
}
