//! What an image or a container is like.

use bollard::models::ImageInspect;
use windflow_stacks::containers::{ContainerFacts, ImageFacts};
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::plan::Container;

use super::super::{DockerTarget, errors};

pub(super) async fn image(target: &DockerTarget, image: &str) -> Result<ImageFacts> {
    match target.docker.inspect_image(image).await {
        Ok(found) => Ok(facts(found)),
        Err(error) if errors::is_missing(&error) => {
            let message = format!("the target has no image {image}");
            Err(DriverError::new("image_missing", message).remedy("build or pull it first"))
        }
        Err(error) => Err(errors::of(&error)),
    }
}

fn facts(found: ImageInspect) -> ImageFacts {
    let platform = [found.os.unwrap_or_default(), found.architecture.unwrap_or_default()].join("/");
    ImageFacts {
        id: found.id.unwrap_or_default(),
        tags: found.repo_tags.unwrap_or_default(),
        digests: found.repo_digests.unwrap_or_default(),
        size: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        created: found.created.map(|created| created.to_string()).unwrap_or_default(),
        platform,
    }
}

pub(super) async fn containers(
    target: &DockerTarget,
    stack: &str,
    service: Option<&str>,
) -> Result<Vec<ContainerFacts>> {
    let seen = target.seen(stack).await?;
    let own = seen.containers.iter().filter(|found| !found.retired);
    let own: Vec<_> = own.filter(|found| service.is_none_or(|service| service == found.service)).collect();
    if let (true, Some(service)) = (own.is_empty(), service) {
        let message = format!("the stack {stack} has no service {service} on this target");
        return Err(DriverError::new("unknown_service", message));
    }
    futures::future::try_join_all(own.into_iter().map(|found| container(target, found))).await
}

async fn container(target: &DockerTarget, seen: &Container) -> Result<ContainerFacts> {
    let found = target.docker.inspect_container(&seen.id, None).await.map_err(|error| errors::of(&error))?;
    let state = found.state.unwrap_or_default();
    let is_running = state.running == Some(true);
    Ok(ContainerFacts {
        name: seen.name.clone(),
        service: seen.service.clone(),
        number: seen.number,
        state: state.status.map(|status| status.to_string()).unwrap_or_default(),
        health: state
            .health
            .and_then(|health| health.status)
            .map(|status| status.to_string())
            .filter(|it| it != "none"),
        exit_code: state.exit_code.filter(|_| !is_running),
        restarts: found.restart_count.unwrap_or_default(),
        started: state.started_at.map(|at| at.to_string()).unwrap_or_default(),
        image: seen.image.clone(),
        image_id: found.image.unwrap_or_default(),
        ports: seen.ports.clone(),
    })
}
