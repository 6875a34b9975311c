//! Taking away what is of no more use, of what we made alone.

use std::collections::HashMap;

use bollard::query_parameters::{ListVolumesOptionsBuilder, PruneImagesOptionsBuilder};
use windflow_stacks::containers::{Prune, Pruned};
use windflow_stacks::driver::Result;

use super::super::{DockerTarget, errors, labels, parts};
use super::once;

pub(super) async fn prune(target: &DockerTarget, what: &Prune) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    if what.containers {
        let gone = once::take_away_what_is_left(target).await?;
        pruned.lines.extend(gone.into_iter().map(|name| format!("container {name} removed")));
    }
    if what.images {
        images(target, &mut pruned).await?;
    }
    for stack in &what.volumes_of {
        volumes(target, stack, &mut pruned).await?;
    }
    Ok(pruned)
}

async fn images(target: &DockerTarget, pruned: &mut Pruned) -> Result<()> {
    let filters: HashMap<&str, Vec<&str>> = [("dangling", vec!["true"]), ("label", vec![labels::BUILT])].into();
    let options = PruneImagesOptionsBuilder::default().filters(&filters).build();
    let done = target.docker.prune_images(Some(options)).await.map_err(|error| errors::of(&error))?;
    let gone = done.images_deleted.unwrap_or_default().into_iter().filter_map(|image| image.deleted);
    pruned.lines.extend(gone.map(|id| format!("image {id} removed")));
    pruned.freed += done.space_reclaimed.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
    Ok(())
}

async fn volumes(target: &DockerTarget, stack: &str, pruned: &mut Pruned) -> Result<()> {
    let mut filters = labels::filter(stack);
    filters.insert("dangling".to_owned(), vec!["true".to_owned()]);
    let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let found = target.docker.list_volumes(Some(options)).await.map_err(|error| errors::of(&error))?;
    for volume in found.volumes.unwrap_or_default() {
        if parts::remove_volume(target, &volume.name).await? {
            pruned.lines.push(format!("volume {} removed", volume.name));
        }
    }
    Ok(())
}
