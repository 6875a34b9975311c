//! Undoing a deployment that failed.

use std::time::Duration;

use tokio::time::Instant;
use windflow_stacks::driver::{Event, Job, Result, Verdict};
use windflow_stacks::plan::{Container, HealthState, Observed, Part, State};

use super::{DockerTarget, labels, parts};

/// How long what is brought back may take to be up before it counts as not brought back.
const BACK: Duration = Duration::from_secs(60);
/// What a container that is given up anyway gets to end.
const GRACE_SECONDS: i32 = 2;

/// Removes what the deployment made, and brings back what it set aside. What is left of it, by name.
pub(super) async fn undo(target: &DockerTarget, job: &Job<'_>, before: &Observed) -> Result<(Verdict, Vec<String>)> {
    let stack = &job.project.name;
    let tell = |service: &str, number: u32, doing: &str, detail: &str| {
        let (service, doing, detail) = (service.to_owned(), doing.to_owned(), detail.to_owned());
        job.events.tell(Event::Container { service, number, doing, detail });
    };
    let seen = target.seen(stack).await?;
    // What goes on after it was cut off finds what it made itself, also by the label alone where it replaced nothing.
    let own = |deployment: &str| deployment == job.deployment;
    let had = |found: &Container| !own(&found.deployment) && before.containers.iter().any(|other| other.id == found.id);
    let replaced = |new: &Container| {
        seen.containers.iter().any(|old| old.retired && old.service == new.service && old.number == new.number)
    };
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    for found in &seen.containers {
        let is_new = !found.retired && (!had(found) || replaced(found));
        if is_new {
            goes.push(found);
        } else {
            stays.push(found);
        }
    }
    let ran = |found: &&&Container| {
        found.name.ends_with(labels::RETIRED) || (!found.retired && found.state == State::Running)
    };
    let was_well =
        |id: &str| before.containers.iter().all(|found| found.id != id || found.health != Some(HealthState::Unhealthy));
    let expected: Vec<Expected> =
        stays.iter().filter(ran).map(|found| Expected { id: found.id.clone(), well: was_well(&found.id) }).collect();
    for found in goes {
        target.stop(&found.id, Some(GRACE_SECONDS)).await?;
        target.remove(&found.id).await?;
        tell(&found.service, found.number, "removed", "");
    }
    let mut left = Vec::new();
    for found in seen.containers.iter().filter(|found| found.retired) {
        match target.bring_back(found).await {
            Ok(()) => tell(&found.service, found.number, "restored", ""),
            Err(error) if error.code == "unreachable" => return Err(error),
            Err(error) => {
                tell(&found.service, found.number, "failed", &error.message);
                left.push(format!("container {} could not be brought back: {}", found.name, error.message));
            }
        }
    }
    let made = |part: &Part, before: Option<&Part>| before.is_none() || own(&part.deployment);
    for (name, _) in seen.networks.iter().filter(|(name, part)| made(part, before.networks.get(*name))) {
        if !parts::remove_network(target, name).await? {
            left.push(format!("network {name}"));
        }
    }
    // A volume that this deployment made may hold data already.
    let volumes = seen.volumes.iter().filter(|(name, part)| made(part, before.volumes.get(*name)));
    left.extend(volumes.map(|(name, _)| format!("volume {name}")));
    if expected.is_empty() {
        return Ok((Verdict::Failed, left));
    }
    let back = is_back(target, stack, &expected).await?;
    Ok((if back { Verdict::RolledBack } else { Verdict::Failed }, left))
}

/// A container that ran before.
struct Expected {
    id: String,
    /// Its checks did not say that it was unwell then.
    well: bool,
}

/// Waits until all that ran before runs again, and serves as far as its checks tell. What is still being checked at the end counts as back.
async fn is_back(target: &DockerTarget, stack: &str, expected: &[Expected]) -> Result<bool> {
    let deadline = Instant::now() + BACK;
    loop {
        let seen = target.seen(stack).await?;
        let is = |wanted: &Expected, healths: &[Option<HealthState>]| {
            let fits = |found: &&Container| found.state == State::Running && !found.retired;
            let found = seen.containers.iter().filter(fits).find(|found| found.id == wanted.id);
            found.is_some_and(|found| !wanted.well || healths.contains(&found.health))
        };
        let (healthy, starting) = (Some(HealthState::Healthy), Some(HealthState::Starting));
        if expected.iter().all(|wanted| is(wanted, &[None, healthy])) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(expected.iter().all(|wanted| is(wanted, &[None, healthy, starting])));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
