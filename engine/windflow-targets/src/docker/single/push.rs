//! Giving images names, and bringing them to registries.

use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptionsBuilder};
use futures::StreamExt;
use windflow_stacks::containers::image::split;
use windflow_stacks::containers::{ImageFacts, With};
use windflow_stacks::driver::{DriverError, Result};

use super::super::images::{about, login};
use super::super::{DockerTarget, errors};
use super::inspect;

pub(super) async fn tag(target: &DockerTarget, image: &str, names: &[String]) -> Result<ImageFacts> {
    // First, so that one that is not there is told as everywhere.
    inspect::image(target, image).await?;
    for name in names {
        let (repository, tag) = split(name);
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let done = target.docker.tag_image(image, Some(options)).await;
        done.map_err(|error| about(image, &format!("called {name}"), errors::of(&error)))?;
    }
    inspect::image(target, image).await
}

pub(super) async fn push(target: &DockerTarget, image: &str, with: &With<'_>) -> Result<String> {
    inspect::image(target, image).await?;
    (with.tell)(&format!("pushing {image}"));
    let (repository, tag) = split(image);
    let options = PushImageOptionsBuilder::default().tag(tag).build();
    let mut stream = target.docker.push_image(repository, Some(options), login(image, with.registries));
    let mut digest = None;
    while let Some(told) = stream.next().await {
        let told = told.map_err(|error| about(image, "pushed", errors::of(&error)))?;
        if let Some(why) = told.error_detail.and_then(|detail| detail.message) {
            let error = bollard::errors::Error::DockerStreamError { error: why };
            return Err(about(image, "pushed", errors::of(&error)));
        }
        digest = told.status.as_deref().and_then(digest_in).or(digest);
    }
    digest.ok_or_else(|| {
        DriverError::new("engine", format!("the engine pushed {image} and did not tell its digest")).may_help()
    })
}

/// The engine tells it in words: `1.2: digest: sha256:… size: 528`.
fn digest_in(status: &str) -> Option<String> {
    let digest = status.split_once("digest: ")?.1.split_whitespace().next()?;
    digest.starts_with("sha256:").then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_in_what_is_told() {
        assert_eq!(digest_in("1.2: digest: sha256:00ff size: 528").as_deref(), Some("sha256:00ff"));
        assert_eq!(digest_in("Pushed"), None);
    }
}
