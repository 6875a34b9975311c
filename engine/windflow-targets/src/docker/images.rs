//! Images: which are there, and fetching those that are not.

use std::collections::{BTreeMap, BTreeSet};

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::{StreamExt, TryStreamExt};
use windflow_stacks::containers::image::{registry, split};
use windflow_stacks::driver::{DriverError, Event, Job, RegistryLogin, Result};
use windflow_stacks::project::{Project, Pull};

use super::{DockerTarget, errors};

/// Images that are asked about at the same time.
const ASKED: usize = 8;

/// Logins by the registry's host.
pub(super) type Registries = BTreeMap<String, RegistryLogin>;

/// The contents of a project's images by name, of those that the target has.
pub(super) async fn present(docker: &bollard::Docker, project: &Project) -> Result<BTreeMap<String, String>> {
    let names: BTreeSet<&str> = project.services.values().map(|service| service.image.as_str()).collect();
    let asked: Vec<_> = names
        .into_iter()
        .map(|name| async move {
            match docker.inspect_image(name).await {
                Ok(found) => Ok(found.id.map(|id| (name.to_owned(), id))),
                Err(error) if errors::is_missing(&error) => Ok(None),
                Err(error) => Err(errors::of(&error)),
            }
        })
        .collect();
    let found: Vec<_> = futures::stream::iter(asked).buffer_unordered(ASKED).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Fetches what has to be fetched, before anything is changed.
pub(super) async fn ensure(target: &DockerTarget, job: &Job<'_>) -> Result<BTreeMap<String, String>> {
    let mut present = present(&target.docker, job.project).await?;
    let mut wanted: BTreeMap<&str, (Pull, Option<&str>)> = BTreeMap::new();
    for service in job.project.services.values() {
        let entry = wanted.entry(&service.image).or_insert((service.pull, service.platform.as_deref()));
        if service.pull == Pull::Always {
            entry.0 = Pull::Always;
        }
    }
    let mut fetched = false;
    for (image, (pull, platform)) in wanted {
        match (pull, present.contains_key(image)) {
            (Pull::Missing | Pull::Never, true) => {}
            (Pull::Never, false) => {
                let message = format!("the target has no image {image}, and `pull_policy: never` forbids to fetch it");
                return Err(DriverError::new("image_missing", message).remedy("load it there, or let it be fetched"));
            }
            (Pull::Always, _) | (Pull::Missing, false) => {
                let tell = |doing, current, total| {
                    job.events.tell(Event::Image { image: image.to_owned(), doing, current, total });
                };
                tokio::select! {
                    fetched = fetch(target, image, platform, job.registries, &tell) => fetched?,
                    () = job.cancel.cancelled() => return Err(super::deploy::cancelled()),
                }
                fetched = true;
            }
        }
    }
    if fetched {
        present = self::present(&target.docker, job.project).await?;
    }
    Ok(present)
}

/// Hears of an image that is being fetched: what is done, bytes that are there, bytes in all.
pub(super) type Fetching<'a> = &'a (dyn Fn(String, u64, u64) + Send + Sync);

/// Fetches an image, whether or not the target has one of this name.
pub(super) async fn fetch(
    target: &DockerTarget,
    image: &str,
    platform: Option<&str>,
    registries: &Registries,
    tell: Fetching<'_>,
) -> Result<()> {
    let (name, tag) = split(image);
    let mut options = CreateImageOptionsBuilder::default().from_image(name).tag(tag);
    if let Some(platform) = platform {
        options = options.platform(platform);
    }
    let mut stream = target.docker.create_image(Some(options.build()), None, login(image, registries));
    // Layers come beside each other; what is told is their sum.
    let mut layers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    while let Some(told) = stream.next().await {
        let told = told.map_err(|error| about(image, "fetched", errors::of(&error)))?;
        if let Some(why) = told.error_detail.and_then(|detail| detail.message) {
            let error = bollard::errors::Error::DockerStreamError { error: why };
            return Err(about(image, "fetched", errors::of(&error)));
        }
        if let (Some(layer), Some(detail)) = (told.id, told.progress_detail)
            && detail.total.is_some()
        {
            layers.insert(layer, (number(detail.current), number(detail.total)));
        }
        let (current, total) = layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
        tell(told.status.unwrap_or_default(), current, total);
    }
    Ok(())
}

/// The login for an image's registry, where the target has one.
pub(super) fn login(image: &str, registries: &Registries) -> Option<DockerCredentials> {
    let host = registry(image);
    registries.get(host).map(|login| credentials(host, login))
}

pub(super) fn credentials(host: &str, login: &RegistryLogin) -> DockerCredentials {
    DockerCredentials {
        username: Some(login.username.clone()),
        password: Some(login.password.clone()),
        serveraddress: Some(host.to_owned()),
        ..DockerCredentials::default()
    }
}

/// An error of an image that cannot be `done`.
pub(super) fn about(image: &str, done: &str, error: DriverError) -> DriverError {
    // An engine that finds no repository says that access is denied, too, so that nobody learns which there are.
    DriverError { message: format!("the image {image} cannot be {done}: {}", error.message), ..error }
}
