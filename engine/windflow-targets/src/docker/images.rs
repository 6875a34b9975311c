//! Images: which are there, and fetching those that are not.

use std::collections::{BTreeMap, BTreeSet};

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::StreamExt;
use windflow_stacks::driver::{DriverError, Event, Job, RegistryLogin, Result};
use windflow_stacks::project::{Project, Pull};

use super::{DockerTarget, errors};

/// The contents of a project's images by name, of those that the target has.
pub(super) async fn present(docker: &bollard::Docker, project: &Project) -> Result<BTreeMap<String, String>> {
    let names: BTreeSet<&str> = project.services.values().map(|service| service.image.as_str()).collect();
    let asked = names.into_iter().map(|name| async move {
        match docker.inspect_image(name).await {
            Ok(found) => Ok(found.id.map(|id| (name.to_owned(), id))),
            Err(error) if errors::is_missing(&error) => Ok(None),
            Err(error) => Err(errors::of(&error)),
        }
    });
    Ok(futures::future::try_join_all(asked).await?.into_iter().flatten().collect())
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
                fetch(target, job, image, platform).await?;
                fetched = true;
            }
        }
    }
    if fetched {
        present = self::present(&target.docker, job.project).await?;
    }
    Ok(present)
}

async fn fetch(target: &DockerTarget, job: &Job<'_>, image: &str, platform: Option<&str>) -> Result<()> {
    let (name, tag) = split(image);
    let mut options = CreateImageOptionsBuilder::default().from_image(name).tag(tag);
    if let Some(platform) = platform {
        options = options.platform(platform);
    }
    let login = job.registries.get(registry(image)).map(|RegistryLogin { username, password }| DockerCredentials {
        username: Some(username.clone()),
        password: Some(password.clone()),
        serveraddress: Some(registry(image).to_owned()),
        ..DockerCredentials::default()
    });
    let mut stream = target.docker.create_image(Some(options.build()), None, login);
    // Layers come beside each other; what is told is their sum.
    let mut layers: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = job.cancel.cancelled() => return Err(super::deploy::cancelled()),
        };
        let Some(told) = next else { break };
        let told = told.map_err(|error| about(image, errors::of(&error)))?;
        if let Some(why) = told.error_detail.and_then(|detail| detail.message) {
            let error = bollard::errors::Error::DockerStreamError { error: why };
            return Err(about(image, errors::of(&error)));
        }
        let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
        if let (Some(layer), Some(detail)) = (told.id, told.progress_detail)
            && detail.total.is_some()
        {
            layers.insert(layer, (number(detail.current), number(detail.total)));
        }
        let (current, total) = layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
        let doing = told.status.unwrap_or_default();
        job.events.tell(Event::Image { image: image.to_owned(), doing, current, total });
    }
    Ok(())
}

fn about(image: &str, error: DriverError) -> DriverError {
    // An engine that finds no repository says that access is denied, too, so that nobody learns which there are.
    DriverError { message: format!("the image {image} cannot be fetched: {}", error.message), ..error }
}

/// An image's name, and its tag or digest.
fn split(image: &str) -> (&str, &str) {
    if let Some((name, digest)) = image.split_once('@') {
        return (name, digest);
    }
    match image.rsplit_once(':') {
        // A colon before a slash is that of the registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// The registry that an image comes from.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_are_taken_apart() {
        for (image, name, tag, host) in [
            ("nginx", "nginx", "latest", "docker.io"),
            ("a/b:1.2", "a/b", "1.2", "docker.io"),
            ("registry.test:5000/a/b", "registry.test:5000/a/b", "latest", "registry.test:5000"),
            ("registry.test:5000/a:1", "registry.test:5000/a", "1", "registry.test:5000"),
            ("a@sha256:00", "a", "sha256:00", "docker.io"),
            ("localhost/a", "localhost/a", "latest", "localhost"),
        ] {
            assert_eq!((split(image), registry(image)), ((name, tag), host), "{image}");
        }
    }
}
