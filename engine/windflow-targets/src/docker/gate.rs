//! Waiting until a container is what it has to be.

use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum as Is, HealthStatusEnum};
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use tokio::time::Instant;
use windflow_stacks::driver::{DriverError, Event, Result};
use windflow_stacks::plan::{Container, HealthState, State};
use windflow_stacks::project::Restart;

use super::deploy::Under;
use super::observe::SETTLED;
use super::{DockerTarget, errors};

/// How long a container without checks has to run until it counts as up.
const STEADY: Duration = Duration::from_millis(1000);
/// Between two looks, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// Lines of a failing container that are told.
const LINES: &str = "20";

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// Healthy, where it has checks; else running, or done where it is not to be started again.
    Up,
    /// Ended, with status 0.
    Completed,
}

/// How a container stands against what is waited for.
enum Standing {
    Through(&'static str),
    Waiting(&'static str),
    Failed(DriverError),
}

/// A container that is waited for.
pub(super) struct Waited<'a> {
    pub(super) service: &'a str,
    pub(super) number: u32,
    pub(super) id: &'a str,
    /// As it was seen just now, where it was.
    pub(super) seen: Option<&'a Container>,
}

/// How a container has run until now.
struct Ran {
    /// For as long as it has to.
    enough: bool,
    /// It has ended meanwhile and was started again.
    again: bool,
}

/// Waits for one container; one that was seen to be steady need not show that it is.
pub(super) async fn wait(under: &Under<'_>, waited: &Waited<'_>, gate: Gate) -> Result<()> {
    let Waited { service, number, id, seen } = *waited;
    let restart = under.job.project.services.get(service).map(|service| service.restart).unwrap_or_default();
    let tell = |doing: &str, detail: &str| {
        let (service, doing, detail) = (service.to_owned(), doing.to_owned(), detail.to_owned());
        under.job.events.tell(Event::Container { service, number, doing, detail });
    };
    let is_untouched = under.untouched.contains(id);
    if let Some(doing) = seen.filter(|_| is_untouched).and_then(|seen| as_before(seen, gate, restart)) {
        tell(doing, "");
        return Ok(());
    }
    let is_steady = seen.is_some_and(|seen| seen.steady);
    let (mut pause, mut told, begun) = (LOOKS.0, "", Instant::now());
    let mut at_first = None;
    loop {
        let found = under.target.docker.inspect_container(id, None).await.map_err(|error| errors::of(&error))?;
        // That something which stays as it is was started again, long ago perhaps, says nothing of this deployment. If it was lately, it may be again.
        let restarts = found.restart_count.unwrap_or(0);
        let before = if is_untouched { *at_first.get_or_insert(restarts) } else { 0 };
        let enough = if before > 0 { begun.elapsed() >= SETTLED } else { is_steady || begun.elapsed() >= STEADY };
        let ran = Ran { enough, again: restarts > before };
        match standing(service, &found, gate, restart, &ran) {
            Standing::Through(doing) => {
                tell(doing, "");
                return Ok(());
            }
            Standing::Failed(error) => {
                tell("failed", &error.message);
                return Err(error);
            }
            Standing::Waiting(what) if what != told => {
                tell("waiting", what);
                told = what;
            }
            Standing::Waiting(_) => {}
        }
        if under.has_failed() {
            return Err(DriverError::new("given_up", "something else failed"));
        }
        if Instant::now() >= under.deadline {
            let message = format!("{service} is not up within {} s: {told}", under.job.timeout.as_secs());
            let remedy = "look at its log; where it only needs longer, give it more time (--timeout)";
            return Err(DriverError::new("timeout", message).remedy(remedy));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = under.job.cancel.cancelled() => return Err(super::deploy::cancelled()),
        }
        pause = (pause * 2).min(LOOKS.1);
    }
}

/// How a container stands that stays as it is, where what was seen of it says enough.
fn as_before(seen: &Container, gate: Gate, restart: Restart) -> Option<&'static str> {
    match (seen.state, seen.health) {
        (State::Exited(0), _) if gate == Gate::Completed || restart == Restart::No => Some("completed"),
        (State::Running, Some(HealthState::Healthy)) if gate == Gate::Up => Some("healthy"),
        (State::Running, None) if gate == Gate::Up && seen.settled => Some("running"),
        _ => None,
    }
}

fn standing(service: &str, found: &ContainerInspectResponse, gate: Gate, restart: Restart, ran: &Ran) -> Standing {
    let Some(state) = &found.state else { return Standing::Waiting("its state") };
    let code = state.exit_code.unwrap_or(-1);
    let failed = |code: &str, message: String| {
        Standing::Failed(
            DriverError::new(code, message).remedy("its last lines say more; correct the stack and deploy again"),
        )
    };
    if ran.again || state.status == Some(Is::RESTARTING) {
        return failed("keeps_ending", format!("{service} ends again and again, last with status {code}"));
    }
    match state.status {
        Some(Is::EXITED | Is::DEAD) => match (code, gate) {
            (0, Gate::Completed) => Standing::Through("completed"),
            (0, Gate::Up) if restart == Restart::No => Standing::Through("completed"),
            _ if state.oom_killed == Some(true) => {
                failed("out_of_memory", format!("{service} was ended since it took more memory than its limit"))
            }
            _ => failed("ended", format!("{service} has ended with status {code}")),
        },
        Some(Is::RUNNING) if gate == Gate::Completed => Standing::Waiting("its end"),
        Some(Is::RUNNING) => match state.health.as_ref().and_then(|health| health.status) {
            Some(HealthStatusEnum::HEALTHY) => Standing::Through("healthy"),
            Some(HealthStatusEnum::UNHEALTHY) => {
                let log = state.health.as_ref().and_then(|health| health.log.as_ref()?.last()?.output.clone());
                let said = log.map(|said| said.trim().chars().take(300).collect::<String>()).unwrap_or_default();
                let said = if said.is_empty() { String::new() } else { format!(": {said}") };
                failed("unhealthy", format!("{service} is unhealthy{said}"))
            }
            Some(HealthStatusEnum::STARTING) => Standing::Waiting("its health check"),
            _ if ran.enough => Standing::Through("running"),
            _ => Standing::Waiting("it to stay up"),
        },
        _ => Standing::Waiting("its start"),
    }
}

/// The last lines that a container wrote.
pub(super) async fn last_lines(target: &DockerTarget, id: &str) -> Vec<String> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LINES).build();
    let mut stream = target.docker.logs(id, Some(options));
    let mut text = String::new();
    while let Some(Ok(part)) = stream.next().await {
        text.push_str(&part.to_string());
        if text.len() > 64 << 10 {
            break;
        }
    }
    text.lines().map(|line| line.chars().take(500).collect()).collect()
}
