//! Reaching an engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::target::Credentials;

pub(super) use self::line::{Way, get};
use self::ssh::Machine;
use self::tls::Certificates;
use super::errors;

mod handed;
mod line;
mod ssh;
pub(super) mod tls;

/// How long reaching an engine may take.
const REACH: Duration = Duration::from_secs(10);

/// Where Docker engines listen for TLS, where nobody says.
const TLS_PORT: u16 = 2376;
/// And for plain text.
const PLAIN_PORT: u16 = 2375;

/// Where an engine is, and how it is reached.
pub struct Endpoint {
    address: String,
    way: Way,
}

impl Endpoint {
    /// Takes an address apart: `unix:///var/run/docker.sock`, `tcp://host:2376`, `ssh://user@host`; and takes what of the credentials is for it.
    ///
    /// # Errors
    /// Where it is none, or the credentials cannot be used for it.
    pub fn parse(address: &str, credentials: &Credentials) -> Result<Self> {
        let invalid = |why: &str| {
            DriverError::new("invalid_address", format!("{address:?} is no address of an engine: {why}"))
                .remedy("write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host")
        };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| invalid("it has no scheme"))?;
        if rest.is_empty() || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid("it names nothing"));
        }
        let certificates = Certificates::of(credentials)?;
        let way = match (scheme, certificates) {
            ("unix", _) if rest.starts_with('/') => Way::Unix(rest.into()),
            ("unix", _) => return Err(invalid("the path is not complete")),
            ("tcp" | "https", Some(certificates)) => {
                let place = Place::parse(rest).map_err(invalid)?;
                Way::Tls(tls::Way::new(&place.host, place.port.unwrap_or(TLS_PORT), &certificates)?)
            }
            // Only for loopback or a network that nobody else is on.
            ("tcp" | "http", None) => {
                let place = Place::parse(rest).map_err(invalid)?;
                Way::Tcp(place.host, place.port.unwrap_or(PLAIN_PORT))
            }
            ("ssh", _) => Way::Ssh(ssh::Way::new(Machine::parse(rest).map_err(invalid)?, credentials)?),
            _ => return Err(invalid("its scheme is unknown")),
        };
        Ok(Self { address: address.to_owned(), way })
    }
}

/// A host and perhaps a port.
struct Place {
    host: String,
    port: Option<u16>,
}

impl Place {
    fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = port.map(|port| port.parse().map_err(|_| "its port is none")).transpose()?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // What begins with a dash would be an option of the `ssh` command.
        if host.starts_with('-') {
            return Err("a host does not begin with a dash");
        }
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err("it names no host, or more than a host and a port");
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Reaches an engine: a client that speaks its version of the interface, and the way that it is reached by.
pub(super) async fn connect(endpoint: Endpoint) -> Result<(Docker, Arc<Way>)> {
    let Endpoint { address, way } = endpoint;
    if let Way::Unix(path) = &way
        && !Path::new(path).exists()
    {
        let message = format!("there is no socket {}", path.display());
        return Err(DriverError::new("unreachable", message)
            .remedy("is the engine installed, and does it run?")
            .may_help());
    }
    let way = Arc::new(way);
    let docker = line::docker(Arc::clone(&way)).map_err(|error| errors::at(&address, &error))?;
    match tokio::time::timeout(REACH, docker.negotiate_version()).await {
        Ok(reached) => reached.map(|docker| (docker, way)).map_err(|error| errors::at(&address, &error)),
        Err(_) => {
            let message = format!("{address} does not answer within {} s", REACH.as_secs());
            Err(DriverError::new("unreachable", message).remedy("is the port open, and is it an engine's?").may_help())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parse = |address: &str| Endpoint::parse(address, &Credentials::default());
        for good in [
            "unix:///run/docker.sock",
            "tcp://10.0.0.1:2375",
            "tcp://[::1]:2375",
            "ssh://me@host",
            "ssh://me@host:2222",
            "ssh://host/",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "docker",
            "unix://",
            "unix://run/x",
            "ftp://host",
            "ssh://-oProxyCommand=x",
            "tcp://a b",
            "ssh://me@-x",
            "ssh://-l@x",
            "ssh://me@host:port",
            "ssh://me@host/run/docker.sock",
            "tcp://host:99999",
            "tcp://a@b",
        ] {
            assert_eq!(parse(bad).err().map(|error| error.code).as_deref(), Some("invalid_address"), "{bad}");
        }
        let place = |text| Place::parse(text).map(|place| (place.host, place.port));
        assert_eq!(place("[fe80::1]:22"), Ok(("fe80::1".to_owned(), Some(22))));
        assert_eq!(place("host"), Ok(("host".to_owned(), None)));
    }

    #[test]
    fn certificates_that_cannot_be_used_are_refused_before_anything_is_dialled() {
        let pem = |name: &str| Some(format!("-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n"));
        let some = Credentials { ca: pem("CERTIFICATE"), ..Credentials::default() };
        let bad = Credentials { certificate: pem("CERTIFICATE"), key: pem("PRIVATE KEY"), ..some.clone() };
        for credentials in [some, bad] {
            let error = Endpoint::parse("tcp://127.0.0.1:1", &credentials).err().unwrap();
            assert_eq!(error.code, "certificates", "{error:?}");
            assert!(error.remedy.is_some());
        }
    }
}
