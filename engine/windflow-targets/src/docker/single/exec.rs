//! A command in a container that runs already.

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures::StreamExt;
use tokio::time::Instant;
use windflow_stacks::containers::{Ended, Exec, With, Written};
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::plan::State;

use super::super::{DockerTarget, errors};
use super::{Bounded, cancelled, within};

/// Exit statuses by which engines say that a command could not be started at all.
const NOT_STARTED: [i64; 2] = [126, 127];

pub(super) async fn exec(target: &DockerTarget, wanted: &Exec, with: &With<'_>) -> Result<Ended> {
    let container = container(target, wanted).await?;
    let command = wanted.words().map_err(|why| DriverError::new("invalid_command", why))?;
    let options = CreateExecOptions {
        cmd: Some(command),
        env: Some(wanted.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        working_dir: wanted.working_dir.clone(),
        user: wanted.user.clone(),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let made = target.docker.create_exec(&container, options).await.map_err(|error| errors::of(&error))?;
    let mut written = Written::default();
    let deadline = Instant::now() + with.timeout;
    let mut ended = match within(deadline, with, hear(target, &made.id, &mut written, with)).await {
        Bounded::Done(exit_code) => Ended { exit_code: exit_code?, ..Ended::default() },
        Bounded::Cancelled => {
            return Err(DriverError {
                message: "it was cancelled; the command may still run".to_owned(),
                ..cancelled()
            });
        }
        Bounded::TimedOut => Ended { timed_out: true, ..Ended::default() },
    };
    ended.said = written.end(&with.tell);
    if ended.said.stdout.contains("OCI runtime exec failed")
        && ended.exit_code.is_some_and(|code| NOT_STARTED.contains(&code))
    {
        let message = format!("the command cannot be started in {}: {}", wanted.service, ended.said.output.trim());
        return Err(
            DriverError::new("no_such_command", message).remedy("is the program in the image, and is it a program?")
        );
    }
    Ok(ended)
}

/// The container that is meant: one that runs.
async fn container(target: &DockerTarget, wanted: &Exec) -> Result<String> {
    let Exec { stack, service, number, .. } = wanted;
    let seen = target.seen(stack).await?;
    let mut own = seen.containers.iter().filter(|found| !found.retired && found.service == *service).peekable();
    if own.peek().is_none() {
        let message = format!("the stack {stack} has no service {service} on this target");
        return Err(DriverError::new("unknown_service", message));
    }
    let mut meant = own.filter(|found| number.is_none_or(|number| number == found.number));
    meant.find(|found| found.state == State::Running).map(|found| found.id.clone()).ok_or_else(|| {
        let which = number.map(|number| format!(" with the number {number}")).unwrap_or_default();
        let message = format!("no container of {service}{which} in the stack {stack} runs");
        DriverError::new("not_running", message).remedy("start it first").may_help()
    })
}

/// Hears it to its end; its exit status.
async fn hear(target: &DockerTarget, exec: &str, written: &mut Written, with: &With<'_>) -> Result<Option<i64>> {
    let of = |error: bollard::errors::Error| errors::of(&error);
    let started = target.docker.start_exec(exec, None::<StartExecOptions>).await.map_err(of)?;
    let StartExecResults::Attached { mut output, .. } = started else { return Ok(None) };
    while let Some(part) = output.next().await {
        let part = part.map_err(of)?;
        let stderr = matches!(part, bollard::container::LogOutput::StdErr { .. });
        written.take(&part.into_bytes(), stderr, &with.tell);
    }
    Ok(target.docker.inspect_exec(exec).await.map_err(of)?.exit_code)
}
