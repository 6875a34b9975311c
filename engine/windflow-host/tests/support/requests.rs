//! What tests of requests share: names that resolve as a test wants it, and limits that are soon reached.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use windflow_core::failure::FailureKind::Denied;
use windflow_core::ports::store::BoxFuture;
use windflow_host::{HostConfig, HttpLimits, Limits, PluginHost, Resolver, TlsRoots};

use super::Attempt;

/// Knows a few names, and counts how often it was asked. The names of a rebinding attacker alternate.
#[derive(Default)]
pub(crate) struct Names(pub(crate) AtomicUsize);

impl Resolver for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let asked = self.0.fetch_add(1, Ordering::SeqCst);
        let addresses: &[&str] = match name {
            "loopback.test" | "localhost" => &["127.0.0.1"],
            "mapped.test" => &["::ffff:127.0.0.1"],
            "metadata.test" => &["169.254.169.254"],
            "mixed.test" => &["93.184.216.34", "10.0.0.1"],
            "rebinding.test" if asked == 0 => &["127.0.0.1"],
            "rebinding.test" => &["10.0.0.1"],
            "empty.test" => &[],
            _ => return Box::pin(std::future::ready(Err(io::Error::other("no such name")))),
        };
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// A host that asks [`Names`], trusts nobody and loses its patience soon.
pub(crate) fn config() -> HostConfig {
    let http = HttpLimits { idle_time: Duration::from_millis(500), response_bytes: 1 << 20, ..HttpLimits::default() };
    HostConfig {
        limits: Limits { http, ..Limits::default() },
        resolver: Arc::new(Names::default()),
        tls_roots: TlsRoots { system: false, also: Vec::new() },
        ..HostConfig::default()
    }
}

/// A request of the guest `http`.
pub(crate) fn get(authority: &str, path: &str) -> Attempt {
    Attempt::of("http").config(&format!("{authority}\n{path}"))
}

/// The request is denied, and the message says all of this.
pub(crate) async fn check_denied(host: &PluginHost, attempt: Attempt, says: &[&str]) {
    let failure = attempt.fails(host, Denied, "").await;
    for text in says {
        assert!(failure.message.contains(text), "{} should say {text}", failure.message);
    }
}
