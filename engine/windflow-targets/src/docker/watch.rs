//! Watching an engine: it tells what begins and ends, and is asked what is used.

use std::collections::{BTreeMap, HashMap};

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder, StatsOptionsBuilder};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::status::Sample;

use super::{DockerTarget, errors, labels};

/// Containers whose use is asked for at most: an engine reads it from its kernel, one by one.
const MOST: usize = 100;

/// Questions to one engine at the same time.
const TOGETHER: usize = 2;

/// What containers go through. Not what is done in them: health checks are commands that begin and end all the time.
const HEARD: [&str; 7] = ["create", "start", "die", "destroy", "pause", "unpause", "rename"];

/// Hears of containers that begin and end, until the engine is gone.
pub(super) async fn follow(target: &DockerTarget, changed: &(dyn Fn() + Send + Sync)) -> Result<()> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let filters = HashMap::from([("type", texts(&["container"])), ("event", texts(&HEARD))]);
    let mut events = Box::pin(target.docker.events(Some(EventsOptionsBuilder::default().filters(&filters).build())));
    while let Some(event) = events.next().await {
        event.map_err(|error| errors::of(&error))?;
        changed();
    }
    Err(DriverError::new("unreachable", "the engine tells nothing more: it stops, or the connection was cut")
        .may_help())
}

/// Hears of containers of a stack that begin, from shortly before it is asked.
pub(super) fn begun(target: &DockerTarget, stack: &str) -> BoxStream<'static, Result<()>> {
    let mut filters = labels::filter(stack);
    filters.extend([("type", "container"), ("event", "start")].map(|(key, is)| (key.to_owned(), vec![is.to_owned()])));
    // The engine is asked when the stream is first looked at: what begins until then is told as well.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let options = EventsOptionsBuilder::default().filters(&filters).since(&now.saturating_sub(1).to_string()).build();
    let told = target.docker.events(Some(options));
    told.map(|event| event.map(drop).map_err(|error| errors::of(&error))).boxed()
}

/// What the containers that run have used until now.
pub(super) async fn sample(target: &DockerTarget) -> Result<Sample> {
    let running = HashMap::from([("status", vec!["running".to_owned()])]);
    let options =
        ListContainersOptionsBuilder::default().filters(&running).limit(i32::try_from(MOST).unwrap_or(i32::MAX));
    let found = target.docker.list_containers(Some(options.build())).await.map_err(|error| errors::of(&error))?;
    let ids = found.into_iter().filter_map(|container| container.id);
    let samples = futures::stream::iter(ids).map(|id| async move {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let found = Box::pin(target.docker.stats(&id, Some(options))).next().await;
        match found {
            Some(Ok(found)) => Ok(Some((id, found))),
            // It ended in between.
            None => Ok(None),
            Some(Err(error)) if errors::is_missing(&error) => Ok(None),
            Some(Err(error)) => Err(errors::of(&error)),
        }
    });
    let samples: Vec<_> = samples.buffer_unordered(TOGETHER).try_collect().await?;
    let mut sample = Sample { computed: BTreeMap::new(), memory: 0 };
    for (id, found) in samples.into_iter().flatten() {
        sample.memory = sample.memory.saturating_add(memory(&found));
        let computed = found.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
        sample.computed.insert(id, computed.unwrap_or(0));
    }
    Ok(sample)
}

/// As `docker stats` counts it: without what is only kept of files, which the kernel gives up when it is needed.
fn memory(found: &ContainerStatsResponse) -> u64 {
    let Some(memory) = &found.memory_stats else { return 0 };
    let kept =
        memory.stats.as_ref().and_then(|stats| stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")));
    memory.usage.unwrap_or(0).saturating_sub(kept.copied().unwrap_or(0))
}
