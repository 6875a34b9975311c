//! What deploys to one kind of target. A driver does; what is to be done is decided here and in [`crate::plan`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::store::BoxFuture;
use windflow_core::problem::list;

use crate::containers::Containers;
use crate::plan::{Observed, Plan};
use crate::project::Project;
use crate::status::Sample;
use crate::target::Credentials;

/// Why a target did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct DriverError {
    /// Stable, in snake case: `unreachable`, `image_missing`, `port_taken`, `unhealthy` …
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Whether asking again later can help.
    #[serde(default)]
    pub may_help: bool,
}

impl DriverError {
    /// An error that stays until somebody mends it.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), remedy: None, may_help: false }
    }

    /// How to mend it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Asking again later can help.
    #[must_use]
    pub fn may_help(mut self) -> Self {
        self.may_help = true;
        self
    }
}

/// What a driver gives.
pub type Result<T> = std::result::Result<T, DriverError>;

/// What a target is like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The engine with its version.
    pub engine: String,
    /// Operating system and architecture.
    pub platform: String,
    /// Cores.
    pub cpus: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// Containers that run.
    pub running: u32,
    /// Containers in all.
    pub containers: u32,
    /// Images.
    pub images: u32,
}

/// The login of a registry of images.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryLogin {
    /// Whose.
    pub username: String,
    /// By what.
    pub password: String,
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegistryLogin({})", self.username)
    }
}

/// A deployment to make.
pub struct Job<'a> {
    /// Its id. Everything that it makes carries it; asked for again under the same id it goes on.
    pub deployment: &'a str,
    /// What is wanted.
    pub project: &'a Project,
    /// Logins by the registry's host.
    pub registries: &'a BTreeMap<String, RegistryLogin>,
    /// How long the services may take until they are all up.
    pub timeout: Duration,
    /// Tells that it should be given up, and undone.
    pub cancel: &'a dyn CancelSignal,
    /// Hears what goes on.
    pub events: &'a dyn Events,
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What was wanted runs, and is healthy.
    Deployed,
    /// It was as wanted before.
    Unchanged,
    /// It failed, and what ran before runs again.
    RolledBack,
    /// It failed, and nothing ran before; or what ran before could not be brought back.
    Failed,
}

/// What became of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// What was to be changed.
    pub plan: Plan,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<DriverError>,
    /// The last lines that the failing container wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What is left of it on the target, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// Something that goes on during a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// What has to change was worked out.
    Planned {
        /// It.
        plan: Plan,
    },
    /// An image is being fetched.
    Image {
        /// Which.
        image: String,
        /// What is done with it.
        doing: String,
        /// Bytes that are there.
        current: u64,
        /// Bytes in all, where known.
        total: u64,
    },
    /// A network or a volume was made or taken away.
    Part {
        /// `network` or `volume`.
        kind: String,
        /// Its name on the target.
        name: String,
        /// What was done with it.
        doing: String,
    },
    /// Something happens to a container.
    Container {
        /// Whose.
        service: String,
        /// Which of several, from 1.
        number: u32,
        /// `stopping`, `creating`, `starting`, `waiting`, `healthy`, `running`, `completed`, `removed`, `restored`, `failed`.
        doing: String,
        /// More about it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
    /// It fails, and is being undone.
    Undoing {
        /// Why.
        why: String,
    },
}

/// Hears what goes on. It must return at once.
pub trait Events: Send + Sync {
    /// Something went on.
    fn tell(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Events for F {
    fn tell(&self, event: Event) {
        self(event);
    }
}

/// Never cancelled.
pub struct Never;

impl CancelSignal for Never {
    fn is_cancelled(&self) -> bool {
        false
    }
    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// What can be done with a stack that is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stop its containers; they stay.
    Stop,
    /// Start containers that were stopped.
    Start,
    /// Stop and start them.
    Restart,
    /// Take containers and networks away.
    Remove {
        /// The volumes, too, and what is in them.
        volumes: bool,
    },
}

impl Observed {
    /// Refuses services that are not there.
    ///
    /// # Errors
    /// `unknown_service`, with those that there are.
    pub fn known(&self, stack: &str, services: &[String]) -> Result<()> {
        let Some(unknown) = services.iter().find(|name| !self.containers.iter().any(|found| found.service == **name))
        else {
            return Ok(());
        };
        let error =
            DriverError::new("unknown_service", format!("the stack {stack} has no service {unknown} on this target"));
        let there: BTreeSet<&str> = self.containers.iter().map(|found| found.service.as_str()).collect();
        Err(if there.is_empty() { error } else { error.remedy(format!("there are {}", list(there))) })
    }
}

/// Which lines of logs.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Of these services; none: of all.
    pub services: Vec<String>,
    /// The last so many of each container.
    pub tail: Option<u32>,
    /// Those of the last so many seconds.
    pub since_seconds: Option<u32>,
    /// Go on with what is written from now on.
    pub follow: bool,
}

/// A line that a container wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Whose.
    pub service: String,
    /// Which of several, from 1.
    pub number: u32,
    /// The engine's time of it.
    pub at: String,
    /// Whether it went to stderr.
    pub stderr: bool,
    /// It.
    pub text: String,
}

/// Hears lines of logs, the next one once it is done with one. False: that is enough.
pub type Lines<'a> = &'a (dyn Fn(LogLine) -> BoxFuture<'a, bool> + Send + Sync);

/// Deploys to a target. The same for a single engine, a cluster or a machine.
pub trait Driver: Send + Sync {
    /// What the target is like. Reaching it is the test of a connection.
    fn facts(&self) -> BoxFuture<'_, Result<Facts>>;

    /// Tells that containers begin and end on the target, as it happens, until the target is gone: then why.
    fn follow<'a>(&'a self, changed: &'a (dyn Fn() + Send + Sync)) -> BoxFuture<'a, Result<()>>;

    /// What the containers of the target have used until now.
    fn sample(&self) -> BoxFuture<'_, Result<Sample>>;

    /// Bytes of the target's disk that images, containers and volumes take. Counting them is work: it is not asked for often.
    fn disk(&self) -> BoxFuture<'_, Result<u64>>;

    /// What is there of a stack.
    fn observe<'a>(&'a self, stack: &'a str) -> BoxFuture<'a, Result<Observed>>;

    /// What a deployment would change. Changes nothing.
    fn plan<'a>(&'a self, project: &'a Project) -> BoxFuture<'a, Result<Plan>>;

    /// Deploys. An error means that nothing was changed, or that the target is gone in the middle: asked again with the same job
    /// it goes on. Everything else that goes wrong is an outcome, after it was undone.
    fn deploy<'a>(&'a self, job: &'a Job<'a>) -> BoxFuture<'a, Result<Outcome>>;

    /// Does something with all, or some, services of a stack; what was done with what.
    fn act<'a>(
        &'a self,
        stack: &'a str,
        services: &'a [String],
        action: &'a Action,
        events: &'a dyn Events,
    ) -> BoxFuture<'a, Result<Vec<String>>>;

    /// Reads what a stack's containers write.
    fn logs<'a>(&'a self, stack: &'a str, query: &'a LogQuery, lines: Lines<'a>) -> BoxFuture<'a, Result<()>>;

    /// Runs single containers and makes images, where this kind of target does.
    fn containers(&self) -> Option<&dyn Containers> {
        None
    }
}

/// Reaches targets by their address.
pub trait Drivers: Send + Sync {
    /// Reaches one.
    fn connect<'a>(&'a self, address: &'a str, credentials: &'a Credentials) -> BoxFuture<'a, Result<Arc<dyn Driver>>>;
}
