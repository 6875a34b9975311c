//! One container: stopped, set aside, brought back, removed.

use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use windflow_stacks::driver::Result;
use windflow_stacks::plan::{Container, State};

use super::{DockerTarget, errors, labels};

impl DockerTarget {
    /// Stops a container within its own grace time, or within so many seconds.
    pub(super) async fn stop(&self, id: &str, seconds: Option<i32>) -> Result<()> {
        let mut options = StopContainerOptionsBuilder::default();
        if let Some(seconds) = seconds {
            options = options.t(seconds);
        }
        match self.docker.stop_container(id, Some(options.build())).await {
            Ok(()) => Ok(()),
            Err(error) if errors::is_same(&error) || errors::is_missing(&error) => Ok(()),
            Err(error) => Err(errors::of(&error)),
        }
    }

    pub(super) async fn start(&self, id: &str) -> Result<()> {
        match self.docker.start_container(id, None).await {
            Ok(()) => Ok(()),
            Err(error) if errors::is_same(&error) => Ok(()),
            Err(error) => Err(errors::of(&error)),
        }
    }

    /// Removes a container with its volumes that have no name.
    pub(super) async fn remove(&self, id: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.docker.remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            // Somebody else is at it, or was faster.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            Err(error) => Err(errors::of(&error)),
        }
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        let Err(error) = self.docker.rename_container(id, options).await else { return Ok(()) };
        // A deployment that was cut off may have asked for the same, and the engine got to it only now.
        let found = self.docker.inspect_container(id, None).await;
        let named = found.ok().and_then(|found| found.name);
        if named.as_deref().map(|named| named.trim_start_matches('/')) == Some(name) {
            return Ok(());
        }
        Err(errors::of(&error))
    }

    /// Sets a container aside. Its name says whether it ran, so that bringing it back needs nothing else. It is renamed first:
    /// what was cut off in between still runs.
    pub(super) async fn retire(&self, found: &Container) -> Result<()> {
        let ran = matches!(found.state, State::Running | State::Restarting);
        let suffix = if ran { labels::RETIRED } else { labels::RETIRED_STOPPED };
        self.rename(&found.id, &format!("{}{suffix}", found.name)).await?;
        self.stop(&found.id, None).await
    }

    /// Gives a container that was set aside its name back, and starts it where it ran.
    pub(super) async fn bring_back(&self, found: &Container) -> Result<()> {
        let stopped = found.name.strip_suffix(labels::RETIRED_STOPPED);
        let name = stopped.or_else(|| found.name.strip_suffix(labels::RETIRED)).unwrap_or(&found.name);
        self.rename(&found.id, name).await?;
        if stopped.is_none() { self.start(&found.id).await } else { Ok(()) }
    }
}
