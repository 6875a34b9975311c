//! Whom outgoing requests trust.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// The certificate authorities that outgoing requests trust.
#[derive(Debug, Clone)]
pub struct TlsRoots {
    /// Those of the operating system. Where it has none, Mozilla's list as it was when this release was built.
    pub system: bool,
    /// Further ones of the operator, in DER form.
    pub also: Vec<CertificateDer<'static>>,
}

impl Default for TlsRoots {
    fn default() -> Self {
        Self { system: true, also: Vec::new() }
    }
}

/// The settings of TLS, made at the first request that needs them: reading the system's roots takes milliseconds.
pub(super) struct Tls {
    roots: TlsRoots,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    pub(super) fn new(roots: TlsRoots) -> Self {
        Self { roots, config: OnceLock::new() }
    }

    /// The settings. Blocks while they are made.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| self.make().map(Arc::new)).clone()
    }

    /// The settings, where they are made already.
    pub(super) fn made(&self) -> Option<Result<Arc<ClientConfig>, String>> {
        self.config.get().cloned()
    }

    fn make(&self) -> Result<ClientConfig, String> {
        let mut roots = RootCertStore::empty();
        if self.roots.system {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        for certificate in &self.roots.also {
            roots
                .add(certificate.clone())
                .map_err(|error| format!("a certificate of the operator is not valid: {error}"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
