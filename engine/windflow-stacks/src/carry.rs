//! Carrying a deployment out: from what is kept, over a driver, to what is kept again. Whoever asks again for what was cut off
//! goes on with it.

use std::sync::Arc;
use std::time::Duration;

use windflow_core::ports::host::CancelSignal;
use windflow_core::run::Timestamp;

use crate::book::{Book, BookError};
use crate::deployment::{Deployment, Status};
use crate::driver::{Action, Driver, DriverError, Drivers, Events, Job};
use crate::target::Credentials;

/// How long services may take until they are up, where nobody says.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// The name by which this machine's own engine is known without being described.
pub const LOCAL: &str = "local";
/// Where it is.
pub const LOCAL_ADDRESS: &str = "unix:///var/run/docker.sock";

/// Why a target was not reached, or something is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CarryError {
    /// What is kept.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The target.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

/// A target that is reached.
pub struct Reached {
    /// Its name.
    pub name: String,
    /// How it is reached, and what it reaches.
    pub credentials: Credentials,
    /// It.
    pub driver: Arc<dyn Driver>,
}

impl Reached {
    /// Takes away the volumes that a deployment left which came to nothing, where they are all that the target has of its stack and this very
    /// deployment made them: what was there before, or came since, stays. Whether they are gone.
    ///
    /// # Errors
    /// As the driver's.
    pub async fn tidy(&self, deployment: &Deployment) -> Result<bool, DriverError> {
        if deployment.status.is_good() || deployment.outcome.as_ref().is_none_or(|outcome| outcome.left.is_empty()) {
            return Ok(false);
        }
        let stack = &deployment.stack;
        let seen = self.driver.observe(stack).await?;
        let mut parts = seen.networks.values().chain(seen.volumes.values());
        if !seen.containers.is_empty() || parts.any(|part| part.deployment != deployment.id) {
            return Ok(false);
        }
        self.driver.act(stack, &[], &Action::Remove { volumes: true }, &|_| {}).await?;
        Ok(self.driver.observe(stack).await?.volumes.is_empty())
    }
}

impl Book {
    /// Where a target is: one that is described, or this machine's own.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn whereabouts(&self, name: &str) -> Result<(String, Credentials), BookError> {
        match self.target(name) {
            Ok(target) => Ok((target.address.clone(), self.credentials(&target)?)),
            Err(BookError::NotFound(_)) if name == LOCAL => Ok((LOCAL_ADDRESS.to_owned(), Credentials::default())),
            Err(error) => Err(error),
        }
    }

    /// Reaches a target by its name.
    ///
    /// # Errors
    /// Where there is none of this name, or it does not answer.
    pub async fn reach(&self, drivers: &dyn Drivers, name: &str) -> Result<Reached, CarryError> {
        let (address, credentials) = self.whereabouts(name)?;
        let driver = drivers.connect(&address, &credentials).await?;
        Ok(Reached { name: name.to_owned(), credentials, driver })
    }
}

/// How a deployment is carried out.
pub struct Carry<'a> {
    /// Where it is kept.
    pub book: &'a Book,
    /// What it goes to.
    pub reached: &'a Reached,
    /// How long services may take until they are up.
    pub timeout: Duration,
    /// Tells that it should be given up, and undone.
    pub cancel: &'a dyn CancelSignal,
    /// Hears what goes on.
    pub events: &'a dyn Events,
    /// The time.
    pub now: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

impl Carry<'_> {
    /// Carries out what was begun. What has ended stays as it is.
    ///
    /// # Errors
    /// Where it cannot be kept. Everything else is in the deployment.
    pub async fn out(&self, deployment: &Deployment) -> Result<Deployment, BookError> {
        if deployment.status != Status::Running {
            return Ok(deployment.clone());
        }
        let content = self.book.content(deployment)?;
        // Durable before anything is done: what is done later is known of.
        self.book.durable().await?;
        let job = Job {
            deployment: &deployment.id,
            project: &content.project,
            registries: &self.reached.credentials.registries,
            timeout: self.timeout,
            cancel: self.cancel,
            events: self.events,
        };
        let ended = self.reached.driver.deploy(&job).await;
        let ended = self.book.end(deployment, ended, (self.now)())?;
        self.book.durable().await?;
        Ok(ended)
    }
}
