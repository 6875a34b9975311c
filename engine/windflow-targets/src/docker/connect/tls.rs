//! Engines behind TLS on both sides. The target's own authority alone says which engine is the right one: not those of the machine, which sign
//! for anybody.

use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::target::Credentials;

use super::REACH;

/// Certificates in PEM form.
pub(super) struct Certificates<'a> {
    /// Who signed the engine's certificate.
    ca: &'a str,
    /// Ours.
    certificate: &'a str,
    /// Its key.
    key: &'a str,
}

impl<'a> Certificates<'a> {
    /// Those of a target, where it has any.
    pub(super) fn of(credentials: &'a Credentials) -> Result<Option<Self>> {
        match (&credentials.ca, &credentials.certificate, &credentials.key) {
            (Some(ca), Some(certificate), Some(key)) => Ok(Some(Self { ca, certificate, key })),
            (None, None, None) => Ok(None),
            _ => {
                let message = "TLS needs the authority's certificate, our own, and its key";
                Err(DriverError::new("certificates", message).remedy("give all three, or none"))
            }
        }
    }
}

/// How an engine behind TLS is reached.
pub(in crate::docker) struct Way {
    host: String,
    port: u16,
    name: ServerName<'static>,
    connector: TlsConnector,
}

impl Way {
    pub(super) fn new(host: &str, port: u16, given: &Certificates<'_>) -> Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            DriverError::new("invalid_address", format!("{host:?} is no name or address that a certificate can be for"))
        })?;
        let connector = TlsConnector::from(Arc::new(config(given)?));
        Ok(Self { host: host.to_owned(), port, name, connector })
    }

    pub(super) async fn dial(&self) -> io::Result<TlsStream<TcpStream>> {
        let dialled = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            self.connector.connect(self.name.clone(), stream).await
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no TLS connection came about in time");
        tokio::time::timeout(REACH, dialled).await.map_err(late)?
    }
}

fn config(given: &Certificates<'_>) -> Result<ClientConfig> {
    let unfit = |which: &str, why: &dyn std::fmt::Display| {
        DriverError::new("certificates", format!("{which} cannot be used: {why}"))
            .remedy("give them in PEM form, as text that begins with -----BEGIN")
    };
    let chain = |which: &str, text: &str| {
        let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let found = found.map_err(|why| unfit(which, &why))?;
        if found.is_empty() { Err(unfit(which, &"there is no certificate in it")) } else { Ok(found) }
    };
    let mut roots = RootCertStore::empty();
    for authority in chain("the authority's certificate", given.ca)? {
        roots.add(authority).map_err(|why| unfit("the authority's certificate", &why))?;
    }
    let ours = chain("our certificate", given.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(given.key.as_bytes()).map_err(|why| unfit("the key", &why))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    if let Some(why) = useless(&roots, &provider, &ours) {
        return Err(DriverError::new("certificates", format!("our certificate cannot be used: {why}")).remedy(
            "give the target a certificate for clients that the engine's --tlscacert has signed, and its key",
        ));
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| unfit("TLS", &why))?
        .with_root_certificates(roots);
    config.with_client_auth_cert(ours, key).map_err(|why| unfit("our certificate with its key", &why))
}

/// Why no engine can like our certificate. Engines refuse it without saying why; who signed it, they alone can judge.
fn useless(roots: &RootCertStore, provider: &Arc<CryptoProvider>, ours: &[CertificateDer<'_>]) -> Option<&'static str> {
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(provider));
    let (end, between) = ours.split_first()?;
    match builder.build().ok()?.verify_client_cert(end, between, UnixTime::now()) {
        Err(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            Some("its time is over")
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })) => {
            Some("its time has not begun")
        }
        Err(Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        )) => Some("it is not one for clients"),
        _ => None,
    }
}

/// Why there is no TLS with an engine.
pub(in crate::docker) fn said(error: &Error) -> DriverError {
    use CertificateError as Why;
    match error {
        Error::InvalidCertificate(Why::UnknownIssuer | Why::BadSignature) => {
            DriverError::new("tls_authority", "the engine's certificate was not signed by the authority of the target")
                .remedy("give the certificate of the authority that signed the engine's; somebody else may also answer in its place")
        }
        Error::InvalidCertificate(Why::NotValidForName) => wrong_name(&[]),
        Error::InvalidCertificate(Why::NotValidForNameContext { presented, .. }) => wrong_name(presented),
        Error::InvalidCertificate(Why::Expired | Why::ExpiredContext { .. }) => {
            DriverError::new("tls_expired", "the time of the engine's certificate is over")
                .remedy("give the engine a new certificate; are the clocks of both machines right?")
        }
        Error::InvalidCertificate(Why::NotValidYet | Why::NotValidYetContext { .. }) => {
            DriverError::new("tls_expired", "the time of the engine's certificate has not begun")
                .remedy("are the clocks of both machines right?")
        }
        Error::InvalidCertificate(other) => {
            DriverError::new("tls_authority", format!("the engine's certificate is not good: {other}"))
                .remedy("give the engine a certificate that the target's authority signed for its name")
        }
        Error::AlertReceived(alert) => refused(*alert),
        Error::InvalidMessage(_) => DriverError::new("tls_missing", "what listens there speaks no TLS")
            .remedy("start the engine with --tlsverify, or check the port: 2376 is for TLS, 2375 for plain text"),
        other => DriverError::new("tls_failed", format!("TLS with the engine failed: {other}")).may_help(),
    }
}

fn wrong_name(presented: &[String]) -> DriverError {
    let names = if presented.is_empty() { "other names".to_owned() } else { presented.join(", ") };
    let message = format!("the engine's certificate is not for the host of the address, but for {names}");
    DriverError::new("tls_name", message).remedy(
        "write the address with a name that the certificate is for, or give the engine a certificate for this one",
    )
}

/// The engine does not like our certificate.
fn refused(alert: AlertDescription) -> DriverError {
    let why = match alert {
        AlertDescription::UnknownCA => "the authority that it trusts did not sign it",
        AlertDescription::CertificateExpired => "its time is over",
        AlertDescription::CertificateRequired => "none was given",
        AlertDescription::CertificateRevoked => "it was revoked",
        AlertDescription::UnsupportedCertificate | AlertDescription::CertificateUnknown => "it is not one for clients",
        // What engines of some age say of everything.
        AlertDescription::BadCertificate => "the authority that it trusts did not sign it, or not for clients",
        other => return tell(&format!("TLS alert {other:?}")),
    };
    tell(why)
}

fn tell(why: &str) -> DriverError {
    DriverError::new("tls_refused", format!("the engine refuses our certificate: {why}"))
        .remedy("give the target a certificate for clients that the engine's --tlscacert has signed, and its key")
}
