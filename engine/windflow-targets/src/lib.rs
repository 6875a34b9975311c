//! Drivers of the places that stacks are deployed to: one folder each. What they do was decided by `windflow-stacks`.
#![forbid(unsafe_code)]

pub mod docker;
mod service;

pub use self::service::TargetService;

use std::sync::Arc;

use windflow_core::ports::store::BoxFuture;
use windflow_stacks::driver::{Driver, Drivers, Result};
use windflow_stacks::target::Credentials;

use crate::docker::{DockerTarget, Endpoint};

/// Every driver there is, chosen by the address.
pub struct AllDrivers;

impl Drivers for AllDrivers {
    fn connect<'a>(&'a self, address: &'a str, credentials: &'a Credentials) -> BoxFuture<'a, Result<Arc<dyn Driver>>> {
        Box::pin(async move {
            let endpoint = Endpoint::parse(address, credentials)?;
            Ok(Arc::new(DockerTarget::connect(endpoint).await?) as Arc<dyn Driver>)
        })
    }
}
