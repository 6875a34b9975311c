//! What a deployment that was cut off has left is settled before another begins.

use std::time::Duration;

use windflow_stacks::driver::{Event, Job, Result};
use windflow_stacks::plan::{Observed, State};

use super::DockerTarget;

/// How often it is looked again, and how long after the look before.
const LOOKS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(200);

/// Where a successor is what is wanted now, the deployment goes on with it. Everything else that was set aside is brought back.
/// What there is then.
pub(super) async fn settle(target: &DockerTarget, job: &Job<'_>) -> Result<Observed> {
    for _ in 1..LOOKS {
        match as_seen(target, job).await {
            // The engine was still at what was asked of it before the deployment was cut off, and has made a successor since.
            Err(error) if error.code == "conflict" => tokio::time::sleep(BETWEEN).await,
            settled => return settled,
        }
    }
    as_seen(target, job).await
}

async fn as_seen(target: &DockerTarget, job: &Job<'_>) -> Result<Observed> {
    let seen = target.seen(&job.project.name).await?;
    if seen.containers.iter().all(|found| !found.retired) {
        return Ok(seen);
    }
    for aside in seen.containers.iter().filter(|found| found.retired) {
        let same = |found: &&windflow_stacks::plan::Container| {
            !found.retired && found.service == aside.service && found.number == aside.number
        };
        let successor = seen.containers.iter().find(same);
        let wanted = job.project.config_hash(&aside.service);
        if successor.is_some_and(|found| found.hash == wanted && found.state != State::Created) {
            continue;
        }
        if let Some(successor) = successor {
            target.remove(&successor.id).await?;
        }
        target.bring_back(aside).await?;
        let (service, number) = (aside.service.clone(), aside.number);
        let detail = "what an earlier deployment left was put in order".to_owned();
        job.events.tell(Event::Container { service, number, doing: "restored".to_owned(), detail });
    }
    target.seen(&job.project.name).await
}
