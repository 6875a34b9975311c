//! Drivers of the places that stacks are deployed to: one folder each. What they do was decided by `windflow-stacks`.
#![forbid(unsafe_code)]

pub mod docker;
mod service;

pub use self::service::TargetService;

use std::sync::Arc;

use windflow_core::ports::store::BoxFuture;
use windflow_stacks::driver::{Driver, DriverError, Drivers, Result};
use windflow_stacks::target::Credentials;

use crate::docker::{DockerTarget, Endpoint, Tls};

/// Every driver there is, chosen by the address.
pub struct AllDrivers;

impl Drivers for AllDrivers {
    fn connect<'a>(&'a self, address: &'a str, credentials: &'a Credentials) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            let tls = match (&credentials.ca, &credentials.certificate, &credentials.key) {
                (Some(ca), Some(certificate), Some(key)) => {
                    Some(Tls { ca: ca.clone(), certificate: certificate.clone(), key: key.clone() })
                }
                (None, None, None) => None,
                _ => {
                    let message = "TLS needs the authority's certificate, our own, and its key";
                    return Err(DriverError::new("certificates", message).remedy("give all three, or none"));
                }
            };
            let endpoint = Endpoint::parse(address, tls, credentials.ssh_key.clone())?;
            Ok(Arc::new(DockerTarget::connect(&endpoint).await?) as Arc<dyn Driver>)
        })
    }
}
