//! Deploying: what is missing is fetched first, then services change in the order of their dependencies, and what was set aside
//! goes only once all is well.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use tokio::time::Instant;
use windflow_stacks::driver::{DriverError, Event, Job, Outcome, Result, Verdict};
use windflow_stacks::order;
use windflow_stacks::plan::{Change, Container, Observed, Plan, Step, plan};
use windflow_stacks::project::Condition;

use super::gate::{self, Gate, Waited};
use super::{DockerTarget, create, images, parts, settle, undo};

/// A deployment under way.
pub(super) struct Under<'a> {
    pub(super) target: &'a DockerTarget,
    pub(super) job: &'a Job<'a>,
    pub(super) deadline: Instant,
    /// Containers that stay as they were before it.
    pub(super) untouched: BTreeSet<String>,
    failed: AtomicBool,
    /// The container that failed first.
    culprit: Mutex<Option<String>>,
}

impl Under<'_> {
    /// Whether some service failed, so that waiting for others is of no use.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    fn fail(&self, container: Option<&str>) {
        if !self.failed.swap(true, Ordering::AcqRel)
            && let Ok(mut culprit) = self.culprit.lock()
        {
            *culprit = container.map(str::to_owned);
        }
    }

    fn tell(&self, service: &str, number: u32, doing: &str) {
        let (service, doing) = (service.to_owned(), doing.to_owned());
        self.job.events.tell(Event::Container { service, number, doing, detail: String::new() });
    }
}

pub(super) fn cancelled() -> DriverError {
    DriverError::new("cancelled", "the deployment was cancelled")
}

pub(super) async fn deploy(target: &DockerTarget, job: &Job<'_>) -> Result<Outcome> {
    // Nothing is touched before everything is there that it needs.
    let images = images::ensure(target, job).await?;
    let before = settle::settle(target, job).await?;
    let plan = plan(job.project, &before, &images);
    job.events.tell(Event::Planned { plan: plan.clone() });
    if let Some(obstacle) = plan.obstacles.first() {
        return Err(DriverError::new("in_the_way", obstacle.clone()));
    }
    let under = Under {
        target,
        job,
        deadline: Instant::now() + job.timeout,
        untouched: untouched(&plan, &before, job.deployment),
        failed: AtomicBool::new(false),
        culprit: Mutex::new(None),
    };
    match forward(&under, &plan, &before).await {
        Ok(()) => {
            let unchanged = plan.is_empty() && before.containers.iter().all(|found| !found.retired);
            clean_up(target, job, &plan, &before).await?;
            let verdict = if unchanged { Verdict::Unchanged } else { Verdict::Deployed };
            Ok(Outcome { verdict, plan, error: None, log: Vec::new(), left: Vec::new() })
        }
        // Nobody can undo anything on an engine that is gone; asked again, the deployment goes on.
        Err(error) if error.code == "unreachable" => Err(error),
        Err(error) => {
            let culprit = under.culprit.lock().ok().and_then(|mut culprit| culprit.take());
            let log = match culprit {
                Some(id) => gate::last_lines(target, &id).await,
                None => Vec::new(),
            };
            job.events.tell(Event::Undoing { why: error.message.clone() });
            let (verdict, left) = undo::undo(target, job, &before).await?;
            Ok(Outcome { verdict, plan, error: Some(error), log, left })
        }
    }
}

async fn forward(under: &Under<'_>, plan: &Plan, before: &Observed) -> Result<()> {
    parts::create(under.target, under.job, plan).await?;
    set_aside_what_goes(under, plan, before).await?;
    let levels = order::levels(under.job.project)
        .map_err(|cycle| DriverError::new("cycle", format!("services wait for each other: {}", cycle.join(" → "))))?;
    for level in levels {
        // Each is awaited to its end, also where another fails: nothing may be in the making when it is undone.
        let done =
            join_all(level.iter().filter_map(|name| plan.service(name)).map(|step| service(under, step, before))).await;
        done.into_iter().collect::<Result<Vec<()>>>()?;
    }
    // One look is for all services. Where nothing was changed, what was seen before the plan was made is as good.
    let now = if plan.is_empty() { None } else { Some(seen(under).await?) };
    let now = now.as_ref().unwrap_or(before);
    let steps = plan.steps.iter().filter(|step| step.kind == "service" && step.change != Change::Removed);
    let up = join_all(steps.map(|step| all_up_in(under, now, &step.name, Gate::Up))).await;
    first_error(up)
}

/// What a deployment leaves alone: neither made by it before it was cut off, nor the successor of something that was set aside.
fn untouched(plan: &Plan, before: &Observed, deployment: &str) -> BTreeSet<String> {
    let replicas = plan.steps.iter().flat_map(|step| &step.replicas);
    let left: BTreeSet<&String> = replicas
        .filter(|replica| replica.change == Change::Unchanged)
        .filter_map(|replica| replica.container.as_ref())
        .collect();
    let succeeds = |found: &Container| {
        let aside = before.containers.iter().filter(|other| other.retired);
        aside.into_iter().any(|other| other.service == found.service && other.number == found.number)
    };
    let own = before.containers.iter().filter(|found| left.contains(&found.id) && found.deployment != deployment);
    own.filter(|found| !succeeds(found)).map(|found| found.id.clone()).collect()
}

async fn seen(under: &Under<'_>) -> Result<Observed> {
    under.target.seen(&under.job.project.name).await.inspect_err(|_| under.fail(None))
}

/// Of several things that go wrong, the one because of which the others were given up.
fn first_error(done: Vec<Result<()>>) -> Result<()> {
    let mut errors: Vec<DriverError> = done.into_iter().filter_map(std::result::Result::err).collect();
    errors.sort_by_key(|error| error.code == "given_up");
    errors.into_iter().next().map_or(Ok(()), Err)
}

/// What is not wanted any more may hold a port that something new needs.
async fn set_aside_what_goes(under: &Under<'_>, plan: &Plan, before: &Observed) -> Result<()> {
    for replica in plan.steps.iter().flat_map(|step| &step.replicas).filter(|replica| replica.change == Change::Removed)
    {
        if let Some(found) = before.containers.iter().find(|found| Some(&found.id) == replica.container.as_ref()) {
            under.tell(&found.service, found.number, "stopping");
            under.target.retire(found).await?;
        }
    }
    Ok(())
}

/// Brings one service about, one container after the other.
async fn service(under: &Under<'_>, step: &Step, before: &Observed) -> Result<()> {
    let changes = step.replicas.iter().filter(|replica| !matches!(replica.change, Change::Unchanged | Change::Removed));
    let changes: Vec<_> = changes.collect();
    if changes.is_empty() {
        return Ok(());
    }
    wait_for_dependencies(under, &step.name).await?;
    let last = changes.len();
    for (at, replica) in changes.into_iter().enumerate() {
        if under.has_failed() {
            return Err(DriverError::new("given_up", "something else failed"));
        }
        if under.job.cancel.is_cancelled() {
            under.fail(None);
            return Err(cancelled());
        }
        let there = before.containers.iter().find(|found| Some(&found.id) == replica.container.as_ref());
        let id = replace(under, &step.name, replica.number, replica.change, there)
            .await
            .inspect_err(|_| under.fail(None))?;
        // The next one is replaced only once this one serves. Waiting for the last is for all services together.
        if at + 1 < last {
            wait(under, &Waited { service: &step.name, number: replica.number, id: &id, seen: None }, Gate::Up).await?;
        }
    }
    Ok(())
}

async fn replace(
    under: &Under<'_>,
    service: &str,
    number: u32,
    change: Change,
    there: Option<&Container>,
) -> Result<String> {
    use windflow_stacks::plan::State;
    let target = under.target;
    if let (Change::Started, Some(found)) = (change, there) {
        under.tell(service, number, "starting");
        target.start(&found.id).await?;
        return Ok(found.id.clone());
    }
    match there {
        // It never ran: there is nothing to bring back.
        Some(found) if found.state == State::Created => target.remove(&found.id).await?,
        Some(found) => {
            under.tell(service, number, "stopping");
            target.retire(found).await?;
        }
        None => {}
    }
    under.tell(service, number, "creating");
    let id = create::create(target, under.job, service, number).await?;
    under.tell(service, number, "starting");
    target.start(&id).await?;
    Ok(id)
}

async fn wait(under: &Under<'_>, waited: &Waited<'_>, gate: Gate) -> Result<()> {
    gate::wait(under, waited, gate).await.inspect_err(|error| {
        let own = !["given_up", "cancelled"].contains(&error.code.as_str());
        under.fail(own.then_some(waited.id));
    })
}

async fn wait_for_dependencies(under: &Under<'_>, name: &str) -> Result<()> {
    let Some(service) = under.job.project.services.get(name) else { return Ok(()) };
    for (other, needed) in &service.depends_on {
        match needed.condition {
            Condition::Started => {}
            Condition::Healthy => all_up(under, other, Gate::Up).await?,
            Condition::Completed => all_up(under, other, Gate::Completed).await?,
        }
    }
    Ok(())
}

/// Waits for all containers of a service.
async fn all_up(under: &Under<'_>, name: &str, gate: Gate) -> Result<()> {
    let seen = seen(under).await?;
    all_up_in(under, &seen, name, gate).await
}

async fn all_up_in(under: &Under<'_>, seen: &Observed, name: &str, gate: Gate) -> Result<()> {
    let own = seen.containers.iter().filter(|found| !found.retired && found.service == name);
    let waited: Vec<_> =
        own.map(|found| Waited { service: name, number: found.number, id: &found.id, seen: Some(found) }).collect();
    first_error(join_all(waited.iter().map(|waited| wait(under, waited, gate))).await)
}

/// All is well: what was set aside goes, and networks that nobody needs.
async fn clean_up(target: &DockerTarget, job: &Job<'_>, plan: &Plan, before: &Observed) -> Result<()> {
    // An earlier one may have been cut off here.
    if plan.is_empty() && before.containers.iter().all(|found| !found.retired) {
        return Ok(());
    }
    for found in target.seen(&job.project.name).await?.containers.iter().filter(|found| found.retired) {
        target.remove(&found.id).await?;
        let (service, number) = (found.service.clone(), found.number);
        job.events.tell(Event::Container { service, number, doing: "removed".to_owned(), detail: String::new() });
    }
    for step in plan.steps.iter().filter(|step| step.kind == "network" && step.change == Change::Removed) {
        if parts::remove_network(target, &step.name).await? {
            let (kind, name) = (step.kind.clone(), step.name.clone());
            job.events.tell(Event::Part { kind, name, doing: "removed".to_owned() });
        }
    }
    Ok(())
}
