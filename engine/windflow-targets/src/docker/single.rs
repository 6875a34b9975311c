//! Single containers and images: what nodes ask for beside deployments.

use std::future::Future;

use tokio::time::Instant;
use windflow_core::ports::store::BoxFuture;
use windflow_stacks::containers::{
    Build, ContainerFacts, Containers, Ended, Exec, FolderContext, ImageFacts, OnceJob, Prune, Pruned, With,
};
use windflow_stacks::driver::{DriverError, Result};

use super::{DockerTarget, images};

mod build;
mod context;
mod exec;
mod inspect;
mod once;
mod prune;
mod push;

/// What became of something that may not take for ever.
enum Bounded<T> {
    Done(T),
    TimedOut,
    Cancelled,
}

/// Waits for something until its time is over or it should be given up.
async fn within<T>(deadline: Instant, with: &With<'_>, wanted: impl Future<Output = T>) -> Bounded<T> {
    tokio::select! {
        done = wanted => Bounded::Done(done),
        () = tokio::time::sleep_until(deadline) => Bounded::TimedOut,
        () = with.cancel.cancelled() => Bounded::Cancelled,
    }
}

/// The same, where neither leaves anything behind.
async fn in_time<T>(with: &With<'_>, wanted: impl Future<Output = Result<T>>) -> Result<T> {
    match within(Instant::now() + with.timeout, with, wanted).await {
        Bounded::Done(done) => done,
        Bounded::Cancelled => Err(cancelled()),
        Bounded::TimedOut => {
            let message = format!("it was not done within {} s, and was given up", with.timeout.as_secs());
            Err(DriverError::new("timeout", message).remedy("give it more time: `seconds`").may_help())
        }
    }
}

fn cancelled() -> DriverError {
    DriverError::new("cancelled", "it was cancelled")
}

/// Fetches an image, and tells of it in a few lines.
async fn pull(target: &DockerTarget, image: &str, platform: Option<&str>, with: &With<'_>) -> Result<()> {
    (with.tell)(&format!("fetching {image}"));
    images::fetch(target, image, platform, with.registries, &|_, _, _| ()).await
}

impl Containers for DockerTarget {
    fn run<'a>(&'a self, job: &'a OnceJob<'a>, with: &'a With<'a>) -> BoxFuture<'a, Result<Ended>> {
        Box::pin(once::run(self, job, with))
    }

    fn exec<'a>(&'a self, key: &'a str, wanted: &'a Exec, with: &'a With<'a>) -> BoxFuture<'a, Result<Ended>> {
        Box::pin(exec::exec(self, key, wanted, with))
    }

    fn build<'a>(
        &'a self,
        wanted: &'a Build,
        folder: Option<&'a FolderContext>,
        with: &'a With<'a>,
    ) -> BoxFuture<'a, Result<ImageFacts>> {
        Box::pin(in_time(with, build::build(self, wanted, folder, with)))
    }

    fn pull<'a>(&'a self, image: &'a str, with: &'a With<'a>) -> BoxFuture<'a, Result<ImageFacts>> {
        Box::pin(in_time(with, async move {
            pull(self, image, None, with).await?;
            inspect::image(self, image).await
        }))
    }

    fn tag<'a>(&'a self, image: &'a str, names: &'a [String]) -> BoxFuture<'a, Result<ImageFacts>> {
        Box::pin(push::tag(self, image, names))
    }

    fn push<'a>(&'a self, image: &'a str, with: &'a With<'a>) -> BoxFuture<'a, Result<String>> {
        Box::pin(in_time(with, push::push(self, image, with)))
    }

    fn image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<ImageFacts>> {
        Box::pin(inspect::image(self, image))
    }

    fn containers_of<'a>(
        &'a self,
        stack: &'a str,
        service: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<ContainerFacts>>> {
        Box::pin(inspect::containers(self, stack, service))
    }

    fn prune<'a>(&'a self, what: &'a Prune) -> BoxFuture<'a, Result<Pruned>> {
        Box::pin(prune::prune(self, what))
    }
}
