//! Reaching an engine.

use std::path::Path;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use windflow_stacks::driver::{DriverError, Result};

use super::{ANSWER, errors};

/// How long reaching an engine may take.
const REACH: Duration = Duration::from_secs(10);

/// Where an engine is.
#[derive(Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket of this machine.
    Unix(String),
    /// A port, in plain text. Only for loopback or a network that nobody else is on.
    Tcp(String),
    /// A port with TLS on both sides.
    Tls(String, Tls),
    /// A machine's own `docker` by its SSH server: `ssh://user@host:port`, and the path of a key.
    Ssh(String, Option<String>),
}

/// Certificates in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// Who signed the engine's certificate.
    pub ca: String,
    /// Ours.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Endpoint {
    /// Takes an address apart: `unix:///var/run/docker.sock`, `tcp://host:2376`, `ssh://user@host`.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(address: &str, tls: Option<Tls>, ssh_key: Option<String>) -> Result<Self> {
        let invalid = |why: &str| {
            DriverError::new("invalid_address", format!("{address:?} is no address of an engine: {why}"))
                .remedy("write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host")
        };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| invalid("it has no scheme"))?;
        if rest.is_empty() || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid("it names nothing"));
        }
        // What begins with a dash would be an option of the `ssh` command.
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        if scheme != "unix" && (rest.starts_with('-') || host.starts_with('-')) {
            return Err(invalid("a host does not begin with a dash"));
        }
        match (scheme, tls) {
            ("unix", _) if rest.starts_with('/') => Ok(Self::Unix(rest.to_owned())),
            ("unix", _) => Err(invalid("the path is not complete")),
            ("tcp" | "https", Some(tls)) => Ok(Self::Tls(format!("tcp://{rest}"), tls)),
            ("tcp" | "http", None) => Ok(Self::Tcp(format!("tcp://{rest}"))),
            ("ssh", _) => Ok(Self::Ssh(format!("ssh://{rest}"), ssh_key)),
            _ => Err(invalid("its scheme is unknown")),
        }
    }
}

pub(super) async fn connect(endpoint: &Endpoint) -> Result<Docker> {
    let seconds = ANSWER.as_secs();
    let (docker, address) = match endpoint {
        Endpoint::Unix(path) => {
            if !Path::new(path).exists() {
                let message = format!("there is no socket {path}");
                return Err(DriverError::new("unreachable", message)
                    .remedy("is the engine installed, and does it run?")
                    .may_help());
            }
            (Docker::connect_with_unix(path, seconds, API_DEFAULT_VERSION), path)
        }
        Endpoint::Tcp(address) => (Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION), address),
        Endpoint::Tls(address, tls) => (with_tls(address, tls, seconds)?, address),
        Endpoint::Ssh(address, key) => {
            (Docker::connect_with_ssh(address, seconds, API_DEFAULT_VERSION, key.clone()), address)
        }
    };
    let docker = docker.map_err(|error| errors::at(address, &error))?;
    match tokio::time::timeout(REACH, docker.negotiate_version()).await {
        Ok(reached) => reached.map_err(|error| errors::at(address, &error)),
        Err(_) => {
            let message = format!("{address} does not answer within {} s", REACH.as_secs());
            Err(DriverError::new("unreachable", message).remedy("is the port open, and is it an engine's?").may_help())
        }
    }
}

/// The client reads certificates from files. They are gone again once it has.
fn with_tls(address: &str, tls: &Tls, seconds: u64) -> Result<std::result::Result<Docker, bollard::errors::Error>> {
    let cannot = |error: std::io::Error| {
        DriverError::new("certificates", format!("certificates cannot be handed over: {error}"))
    };
    let folder = tempfile::tempdir().map_err(cannot)?;
    let write = |name: &str, text: &str| -> std::io::Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let ca = write("ca.pem", &tls.ca).map_err(cannot)?;
    let certificate = write("cert.pem", &tls.certificate).map_err(cannot)?;
    let key = write("key.pem", &tls.key).map_err(cannot)?;
    Ok(Docker::connect_with_ssl(address, &key, &certificate, &ca, seconds, API_DEFAULT_VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parse = |address: &str| Endpoint::parse(address, None, None);
        assert!(parse("unix:///run/docker.sock").is_ok_and(|it| it == Endpoint::Unix("/run/docker.sock".into())));
        assert!(parse("tcp://10.0.0.1:2375").is_ok() && parse("ssh://me@host").is_ok());
        for bad in [
            "",
            "docker",
            "unix://",
            "unix://run/x",
            "ftp://host",
            "ssh://-oProxyCommand=x",
            "tcp://a b",
            "ssh://me@-x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
