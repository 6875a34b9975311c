//! The one place that decides whether a request may leave.

use std::net::IpAddr;
use std::sync::Arc;

use windflow_core::capability::{Grants, Origin};
use windflow_core::manifest::Manifest;

use super::policy::HttpPolicy;

/// The keys of one attempt.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) manifest: Arc<Manifest>,
    pub(super) grants: Arc<Grants>,
    pub(super) policy: Arc<dyn HttpPolicy>,
}

/// Why a request may not leave, and how to allow it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied(pub(super) String);

impl Keys {
    /// Before the name is resolved.
    pub(super) fn origin(&self, origin: &Origin) -> Result<(), Denied> {
        let asked = &self.manifest.capabilities.http;
        // A lone `*` asks for whatever the workflow grants, on any port.
        let asks = asked.iter().any(|pattern| pattern.covers(origin) || pattern.to_string() == "*");
        if !asks {
            let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
            let name = &self.manifest.plugin.name;
            return Err(Denied(format!(
                "a request to {origin} was denied: the plugin {name} asks only for {}. A version of the plugin that asks for more in its manifest would be needed",
                asked.join(", ")
            )));
        }
        if !self.grants.covers(origin) {
            return Err(Denied(format!(
                "a request to {origin} was denied: the workflow does not grant it. {}",
                remedy(&[origin])
            )));
        }
        operator(&*self.policy, origin)
    }

    /// Every address that the name resolved to, before any is dialled.
    pub(super) fn addresses(&self, origin: &Origin, addresses: &[IpAddr]) -> Result<(), Denied> {
        self::addresses(&self.grants, &*self.policy, origin, addresses)
    }
}

/// Whether the operator allows the origin.
pub(super) fn operator(policy: &dyn HttpPolicy, origin: &Origin) -> Result<(), Denied> {
    policy.origin(origin).map_err(|why| by_operator(origin, &why))
}

/// Whether each of these addresses is public or granted, and allowed by the operator.
pub(super) fn addresses(
    grants: &Grants,
    policy: &dyn HttpPolicy,
    origin: &Origin,
    addresses: &[IpAddr],
) -> Result<(), Denied> {
    addresses.iter().try_for_each(|address| {
        if !grants.covers_address(*address, origin.port) {
            let named = Origin { scheme: origin.scheme, host: address.to_canonical().to_string(), port: origin.port };
            return Err(Denied(format!(
                "a request to {origin} was denied: it leads to the address {address}, which is not public, so the workflow must grant the address itself. {}",
                if named == *origin { remedy(&[origin]) } else { remedy(&[origin, &named]) }
            )));
        }
        policy.address(origin, *address).map_err(|why| by_operator(origin, &why))
    })
}

fn by_operator(origin: &Origin, why: &str) -> Denied {
    Denied(format!("a request to {origin} was denied: the operator of this engine {why}"))
}

fn remedy(origins: &[&Origin]) -> String {
    let quoted: Vec<_> = origins.iter().map(|origin| format!("\"{origin}\"")).collect();
    format!("To allow this request, add to the workflow:\npermissions:\n  http: [{}]", quoted.join(", "))
}
