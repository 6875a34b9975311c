//! A container that runs once. Its name is made from the key of what was asked, so that the engine itself sees to it that there is
//! one at a time: whoever asks again finds it and goes on with it. It is taken away however it ends; one whose process was killed
//! and that nobody asks for again is found by its labels once its time is over.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum as Is};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, LogsOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures::StreamExt;
use tokio::time::Instant;
use windflow_stacks::containers::{Ended, Once, OnceJob, Said, With, Written};
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::project::{Project, Pull};

use super::super::{DockerTarget, create, errors, images, labels};
use super::{Bounded, cancelled, in_time, pull, within};

/// What it gets to end by itself when it is given up.
const GRACE_SECONDS: i32 = 2;
/// How long after its time somebody may still be at it.
const MARGIN: u64 = 60;
/// How often it is looked what the engine is at, and how long after the look before.
const LOOKS: (u32, Duration) = (30, Duration::from_millis(100));
/// Between two looks whether it has ended, once it writes no more.
const ENDING: Duration = Duration::from_millis(50);
/// Lines of the end of a flood that are read again.
const LAST: &str = "20000";

pub(super) async fn run(target: &DockerTarget, job: &OnceJob<'_>, with: &With<'_>) -> Result<Ended> {
    // What cannot be taken away now is no reason to run nothing.
    let _ = take_away_what_is_left(target).await;
    let name = format!("windflow-{}", job.key);
    let ended = match begun(target, &name, job, with).await {
        Ok(left) => to_its_end(target, &name, left, with).await,
        Err(error) => Err(error),
    };
    match ended {
        // Nobody can take it away from an engine that is gone; asked again, it goes on.
        Err(error) if error.code == "unreachable" => Err(error),
        ended => {
            target.stop(&name, Some(GRACE_SECONDS)).await?;
            target.remove(&name).await?;
            ended
        }
    }
}

/// Brings it about that the container runs, or did. How much of its time is left.
async fn begun(target: &DockerTarget, name: &str, job: &OnceJob<'_>, with: &With<'_>) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..LOOKS.0 {
        match found(target, name).await? {
            Some(found) if status(&found) == Some(Is::CREATED) => not_begun(target, name).await?,
            Some(found) => {
                (with.tell)("it was begun before, and goes on");
                let until = until(found.config.as_ref().and_then(|config| config.labels.as_ref()));
                return Ok(Duration::from_secs(until.saturating_sub(now())).min(with.timeout));
            }
            None => {
                in_time(with, ensure_image(target, job, with)).await?;
                let left = with.timeout.saturating_sub(begun.elapsed());
                match make(target, name, job.project, with.run, left).await {
                    // The engine was still at what a process asked that was killed since.
                    Err(error) if error.code == "conflict" => tokio::time::sleep(LOOKS.1).await,
                    made => return made.map(|()| left),
                }
            }
        }
    }
    let message = format!("the container {name} is neither made nor taken away: the engine is at something else");
    Err(DriverError::new("conflict", message).may_help())
}

async fn make(target: &DockerTarget, name: &str, project: &Project, run: &str, left: Duration) -> Result<()> {
    let until = now() + left.as_secs();
    let labels = [(labels::ONCE, run.to_owned()), (labels::UNTIL, until.to_string())];
    let labels: HashMap<_, _> = labels.map(|(key, value)| (key.to_owned(), value)).into();
    create::make(target, project, Once::SERVICE, name, labels).await?;
    target.start(name).await
}

/// An earlier process was cut off before it was started: it is made anew. One that was started in between stays.
async fn not_begun(target: &DockerTarget, name: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::default().v(true).build();
    match target.docker.remove_container(name, Some(options)).await {
        Ok(()) => Ok(()),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {
            tokio::time::sleep(LOOKS.1).await;
            Ok(())
        }
        Err(error) => Err(errors::of(&error)),
    }
}

async fn ensure_image(target: &DockerTarget, job: &OnceJob<'_>, with: &With<'_>) -> Result<()> {
    let service = &job.project.services[Once::SERVICE];
    let is_there = !images::present(&target.docker, job.project).await?.is_empty();
    match (service.pull, is_there) {
        (Pull::Missing | Pull::Never, true) => Ok(()),
        (Pull::Never, false) => {
            let message = format!("the target has no image {}, and `pull: never` forbids to fetch it", service.image);
            Err(DriverError::new("image_missing", message).remedy("build or pull it first, or let it be fetched"))
        }
        (Pull::Always, _) | (Pull::Missing, false) => {
            pull(target, &service.image, service.platform.as_deref(), with).await
        }
    }
}

/// Waits for the end, hearing what it writes.
async fn to_its_end(target: &DockerTarget, name: &str, left: Duration, with: &With<'_>) -> Result<Ended> {
    let mut written = Written::default();
    let heard = within(Instant::now() + left, with, async {
        hear(target, name, &mut written, &with.tell).await?;
        loop {
            let found = target.docker.inspect_container(name, None).await.map_err(|error| errors::of(&error))?;
            if matches!(status(&found), Some(Is::EXITED | Is::DEAD)) {
                return Ok(found.state.unwrap_or_default());
            }
            tokio::time::sleep(ENDING).await;
        }
    })
    .await;
    let mut ended = match heard {
        Bounded::Done(state) => {
            let state = state?;
            let out_of_memory = state.oom_killed == Some(true);
            Ended { exit_code: state.exit_code, out_of_memory, ..Ended::default() }
        }
        Bounded::Cancelled => return Err(cancelled()),
        Bounded::TimedOut => Ended { timed_out: true, ..Ended::default() },
    };
    ended.said = written.end(&with.tell);
    if ended.said.cut && !ended.timed_out {
        ended.said = last(target, name).await?;
    }
    Ok(ended)
}

async fn hear(target: &DockerTarget, name: &str, written: &mut Written, tell: &(dyn Fn(&str) + Sync)) -> Result<()> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(true).build();
    take(target, name, options, written, tell).await
}

/// Engines that turn their logs over lose lines for those who follow them. What it wrote last is read again.
async fn last(target: &DockerTarget, name: &str) -> Result<Said> {
    let mut written = Written::default();
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LAST).build();
    take(target, name, options, &mut written, &|_| ()).await?;
    Ok(Said { cut: true, ..written.end(&|_| ()) })
}

async fn take(
    target: &DockerTarget,
    name: &str,
    options: LogsOptions,
    written: &mut Written,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let mut stream = target.docker.logs(name, Some(options));
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| errors::of(&error))?;
        let stderr = matches!(part, bollard::container::LogOutput::StdErr { .. });
        written.take(&part.into_bytes(), stderr, &tell);
    }
    Ok(())
}

/// The container of this name, where there is one.
async fn found(target: &DockerTarget, name: &str) -> Result<Option<ContainerInspectResponse>> {
    match target.docker.inspect_container(name, None).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if errors::is_missing(&error) => Ok(None),
        Err(error) => Err(errors::of(&error)),
    }
}

/// Takes containers away whose time is over: nobody waits for them any more. How many there were, by name.
pub(super) async fn take_away_what_is_left(target: &DockerTarget) -> Result<Vec<String>> {
    let options = ListContainersOptionsBuilder::default().all(true).filters(&labels::has(labels::ONCE)).build();
    let all = target.docker.list_containers(Some(options)).await.map_err(|error| errors::of(&error))?;
    let mut gone = Vec::new();
    for found in all.into_iter().filter(|found| until(found.labels.as_ref()) + MARGIN < now()) {
        let Some(id) = found.id else { continue };
        target.remove(&id).await?;
        gone.push(found.names.unwrap_or_default().first().map_or(id, |name| name.trim_start_matches('/').to_owned()));
    }
    Ok(gone)
}

fn status(found: &ContainerInspectResponse) -> Option<Is> {
    found.state.as_ref()?.status
}

fn until(labels: Option<&HashMap<String, String>>) -> u64 {
    labels.and_then(|labels| labels.get(labels::UNTIL)?.parse().ok()).unwrap_or(0)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
