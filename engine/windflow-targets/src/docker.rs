//! A single Docker engine.
//!
//! A container that is replaced is renamed and stopped, not removed, until all of its deployment is well: to undo it is to rename
//! and start it. Names, labels and states of containers say all that a deployment which was cut off needs to go on, so nothing has
//! to be remembered elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use windflow_core::ports::store::BoxFuture;
use windflow_stacks::containers::Containers;
use windflow_stacks::driver::{Action, Driver, Events, Facts, Job, Lines, LogQuery, Outcome, Result};
use windflow_stacks::plan::{Observed, Plan, plan};
use windflow_stacks::project::Project;
use windflow_stacks::status::Sample;

pub use self::connect::Endpoint;
use self::connect::Way;

mod act;
mod connect;
mod container;
mod create;
mod deploy;
mod disk;
mod errors;
mod facts;
mod files;
mod gate;
mod images;
mod labels;
mod logs;
mod observe;
mod parts;
mod settle;
mod single;
mod undo;
mod watch;

/// How long an answer of the engine may take. Stopping a container waits for its grace time, pulling an image for each part.
const ANSWER: Duration = Duration::from_secs(180);

/// A Docker engine.
#[derive(Clone)]
pub struct DockerTarget {
    docker: Docker,
    way: Arc<Way>,
}

impl DockerTarget {
    /// Reaches an engine, and agrees with it on a version of its interface.
    ///
    /// # Errors
    /// Where it does not answer; the reason is as exact as it can be had.
    pub async fn connect(endpoint: Endpoint) -> Result<Self> {
        let (docker, way) = connect::connect(endpoint).await?;
        Ok(Self { docker, way })
    }

    async fn planned(&self, project: &Project) -> Result<Plan> {
        let (observed, images) = futures::try_join!(self.seen(&project.name), self.present(project))?;
        Ok(plan(project, &observed, &images))
    }

    async fn present(&self, project: &Project) -> Result<BTreeMap<String, String>> {
        images::present(&self.docker, project).await
    }
}

impl Driver for DockerTarget {
    fn facts(&self) -> BoxFuture<'_, Result<Facts>> {
        Box::pin(facts::facts(&self.docker))
    }

    fn follow<'a>(&'a self, changed: &'a (dyn Fn() + Send + Sync)) -> BoxFuture<'a, Result<()>> {
        Box::pin(watch::follow(self, changed))
    }

    fn sample(&self) -> BoxFuture<'_, Result<Sample>> {
        Box::pin(watch::sample(self))
    }

    fn disk(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(disk::disk(self))
    }

    fn observe<'a>(&'a self, stack: &'a str) -> BoxFuture<'a, Result<Observed>> {
        Box::pin(self.seen(stack))
    }

    fn plan<'a>(&'a self, project: &'a Project) -> BoxFuture<'a, Result<Plan>> {
        Box::pin(self.planned(project))
    }

    fn deploy<'a>(&'a self, job: &'a Job<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(deploy::deploy(self, job))
    }

    fn act<'a>(
        &'a self,
        stack: &'a str,
        services: &'a [String],
        action: &'a Action,
        events: &'a dyn Events,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(act::act(self, stack, services, action, events))
    }

    fn logs<'a>(&'a self, stack: &'a str, query: &'a LogQuery, lines: Lines<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(logs::logs(self, stack, query, lines))
    }

    fn containers(&self) -> Option<&dyn Containers> {
        Some(self)
    }
}
