//! What can be asked of a target beside deploying stacks to it: a container that runs once, a command in a container that
//! runs already, images. What is asked is read and judged here; a driver that implements [`Containers`] does it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use windflow_core::ports::host::CancelSignal;
use windflow_core::ports::store::BoxFuture;

pub use self::build::{Build, Handed};
pub use self::exec::Exec;
pub use self::folder::{FolderContext, FolderFile, NotBuildable};
pub use self::ignore::ignored;
pub use self::once::Once;
pub use self::written::{Said, Written};
use crate::driver::{RegistryLogin, Result};
use crate::project::Project;

mod build;
mod dockerfile;
mod exec;
mod folder;
mod ignore;
pub mod image;
mod once;
mod words;
mod written;

/// What goes with everything that is asked.
pub struct With<'a> {
    /// The run that asks. What is made carries it.
    pub run: &'a str,
    /// Logins by the registry's host.
    pub registries: &'a BTreeMap<String, RegistryLogin>,
    /// How long it may take.
    pub timeout: Duration,
    /// Tells that it should be given up.
    pub cancel: &'a dyn CancelSignal,
    /// Hears what goes on, line by line. It must return at once.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// A container that runs once.
pub struct OnceJob<'a> {
    /// The same for the same thing asked again: the container that was begun is found by it.
    pub key: &'a str,
    /// What runs: the service [`Once::SERVICE`] of this project, with the networks and volumes that it uses.
    pub project: &'a Project,
}

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Its exit status; none where it was not waited for to the end.
    pub exit_code: Option<i64>,
    /// It took longer than it might.
    pub timed_out: bool,
    /// It took longer, and could not be ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub still_runs: bool,
    /// It was ended since it took more memory than its limit.
    pub out_of_memory: bool,
    /// What it wrote.
    #[serde(flatten)]
    pub said: Said,
}

/// What an image is like. Its environment is not told: secrets are kept there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImageFacts {
    /// The digest of its configuration: the very same image always has the same.
    pub id: String,
    /// Its names on the target.
    pub tags: Vec<String>,
    /// Its names by digest, in registries.
    pub digests: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// When it was made, by its maker's clock.
    pub created: String,
    /// Operating system and architecture.
    pub platform: String,
}

/// What a container of a stack is like. Its environment is not told: secrets are kept there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Which of several, from 1.
    pub number: u32,
    /// `running`, `exited`, `restarting`, …
    pub state: String,
    /// `starting`, `healthy` or `unhealthy`, where it has checks.
    pub health: Option<String>,
    /// Its exit status, once it has ended.
    pub exit_code: Option<i64>,
    /// How often the engine has started it again.
    pub restarts: i64,
    /// When it was started last.
    pub started: String,
    /// The image that it was made from.
    pub image: String,
    /// The digest of that image.
    pub image_id: String,
    /// Ports that can be reached from outside, as `0.0.0.0:8080->80/tcp`.
    pub ports: Vec<String>,
}

/// What is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prune {
    /// Containers that ran once, whose time is over and that nobody took away.
    pub containers: bool,
    /// Images that were built by workflows and have no name any more.
    pub images: bool,
    /// Volumes of these stacks that no container uses, with what is in them.
    pub volumes_of: Vec<String>,
}

/// What was taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// It, a line each.
    pub lines: Vec<String>,
    /// Bytes of images that are free now.
    pub freed: u64,
}

/// Runs single containers and makes images.
pub trait Containers: Send + Sync {
    /// Runs a container to its end and takes it away, however that came. Asked again under the same key after it was cut off, it
    /// goes on with the container that was begun.
    fn run<'a>(&'a self, job: &'a OnceJob<'a>, with: &'a With<'a>) -> BoxFuture<'a, Result<Ended>>;

    /// Runs a command in a container of a stack. Asked again under the same key after it was cut off, it ends what is left of the command that was
    /// begun, as far as that can be, and begins anew.
    fn exec<'a>(&'a self, key: &'a str, wanted: &'a Exec, with: &'a With<'a>) -> BoxFuture<'a, Result<Ended>>;

    /// Makes an image and gives it its names; out of `folder` where it is built from a folder of the run.
    fn build<'a>(
        &'a self,
        wanted: &'a Build,
        folder: Option<&'a FolderContext>,
        with: &'a With<'a>,
    ) -> BoxFuture<'a, Result<ImageFacts>>;

    /// Fetches an image from its registry, also where the target has one of this name.
    fn pull<'a>(&'a self, image: &'a str, with: &'a With<'a>) -> BoxFuture<'a, Result<ImageFacts>>;

    /// Gives an image further names.
    fn tag<'a>(&'a self, image: &'a str, names: &'a [String]) -> BoxFuture<'a, Result<ImageFacts>>;

    /// Brings an image to the registry that its name says; its digest there.
    fn push<'a>(&'a self, image: &'a str, with: &'a With<'a>) -> BoxFuture<'a, Result<String>>;

    /// What an image that the target has is like.
    fn image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<ImageFacts>>;

    /// What the containers of a stack, or of one of its services, are like.
    fn containers_of<'a>(
        &'a self,
        stack: &'a str,
        service: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<ContainerFacts>>>;

    /// Takes away what is of no more use.
    fn prune<'a>(&'a self, what: &'a Prune) -> BoxFuture<'a, Result<Pruned>>;
}

/// How long something may take where nobody says.
pub const TIMEOUT: Duration = Duration::from_mins(10);
/// The longest that something may take: no attempt of a node takes longer.
pub const MAX_TIMEOUT: Duration = Duration::from_hours(1);

/// How long something may take, of the seconds that somebody says.
///
/// # Errors
/// Where that is nothing, or too long.
pub fn timeout(seconds: Option<u32>) -> std::result::Result<Duration, String> {
    let wanted = seconds.map_or(TIMEOUT, |seconds| Duration::from_secs(seconds.into()));
    if wanted.is_zero() || wanted > MAX_TIMEOUT {
        return Err(format!("`seconds` is 1 to {}", MAX_TIMEOUT.as_secs()));
    }
    Ok(wanted)
}
