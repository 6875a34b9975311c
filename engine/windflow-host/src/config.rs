//! What a host is made from.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use windflow_core::capability::Capability;
use windflow_core::ports::credentials::{Credentials, NoCredentials};

use crate::capability::http::{AllowAll, Dial, HttpPolicy, Resolver, SystemResolver, TlsRoots};
use crate::limits::Limits;

/// How to make a [`crate::PluginHost`].
#[derive(Clone)]
pub struct HostConfig {
    /// Where compiled code is kept between starts; a folder of its own, which is made where it is missing. Nowhere if
    /// none: every start then compiles what it uses.
    pub cache_dir: Option<PathBuf>,
    /// Bounds of attempts.
    pub limits: Limits,
    /// What the operator allows of outgoing requests, beside what workflows grant.
    pub http_policy: Arc<dyn HttpPolicy>,
    /// What the operator gives to no workflow, whatever it grants.
    pub denied: BTreeSet<Capability>,
    /// Keeps the credentials that the host adds to requests.
    pub credentials: Arc<dyn Credentials>,
    /// Finds the addresses of names.
    pub resolver: Arc<dyn Resolver>,
    /// Whom outgoing requests trust.
    pub tls_roots: TlsRoots,
    /// What requests go to in the place of the network; the network itself where there is none.
    pub dialler: Option<Arc<dyn Dial>>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            limits: Limits::default(),
            http_policy: Arc::new(AllowAll),
            denied: BTreeSet::new(),
            credentials: Arc::new(NoCredentials),
            resolver: Arc::new(SystemResolver),
            tls_roots: TlsRoots::default(),
            dialler: None,
        }
    }
}
