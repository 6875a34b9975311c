//! A command in a container that runs already.
//!
//! The engine ends no command: what took too long, or is wanted no more, is found by a mark in its environment, which all that it has started
//! has inherited, and killed by a shell of the container itself. So is what is left of a command when it is asked for again: a server that was
//! killed has ended nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The variable that marks the processes of a command.
const MARK: &str = "WINDFLOW_EXEC";

/// How long ending them may take.
const ENDING: Duration = Duration::from_secs(10);

/// Kills all processes that have the mark `$1` in their environment, again as long as there are any: one may have begun another meanwhile,
/// and on a busy machine one that was killed is seen for a while. The rounds are quick, and [`ENDING`] is waited at most.
/// Nothing but a shell is needed. Environments of other accounts cannot be read, so that it runs as whom the command ran as.
const KILL: &str = r#"
round=0
while [ $round -lt 500 ]; do
  round=$((round + 1)) found=
  for process in /proc/[0-9]*; do
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in *"$1"*) kill -KILL "${process#/proc/}" && found=1; break ;; esac
    done 2>/dev/null <"$process/environ"
  done
  [ -n "$found" ] || exit 0
done
exit 1
"#;

pub(super) async fn exec(target: &DockerTarget, key: &str, wanted: &Exec, with: &With<'_>) -> Result<Ended> {
    let container = container(target, wanted).await?;
    let command = wanted.words().map_err(|why| DriverError::new("invalid_command", why))?;
    let marks = format!("{MARK}={}-{key}-", with.run);
    if runs_already(target, &container, &command).await? && !end(target, &container, wanted, &marks).await {
        (with.tell)("what an earlier attempt has begun may still run: its container has no /bin/sh that could end it");
    }
    let mark = marks + &unlike_any_other();
    let environment = wanted.environment.iter().map(|(name, value)| format!("{name}={value}"));
    let options = CreateExecOptions {
        cmd: Some(command),
        env: Some(environment.chain([mark.clone()]).collect()),
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
            let is_over = end(target, &container, wanted, &mark).await;
            let and = if is_over { "and its processes were ended" } else { "but the command may still run" };
            return Err(DriverError { message: format!("it was cancelled, {and}"), ..cancelled() });
        }
        Bounded::TimedOut => {
            let still_runs = !end(target, &container, wanted, &mark).await;
            if still_runs {
                (with.tell)(
                    "the command could not be ended and may still run: its container has no /bin/sh that could do it",
                );
            }
            Ended { timed_out: true, still_runs, ..Ended::default() }
        }
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

/// Whether such a command runs there: only then there may be something to end.
async fn runs_already(target: &DockerTarget, container: &str, command: &[String]) -> Result<bool> {
    let found = target.docker.inspect_container(container, None).await.map_err(|error| errors::of(&error))?;
    for id in found.exec_ids.unwrap_or_default() {
        let exec = match target.docker.inspect_exec(&id).await {
            Ok(exec) => exec,
            // It has ended meanwhile.
            Err(error) if errors::is_missing(&error) => continue,
            Err(error) => return Err(errors::of(&error)),
        };
        let process = exec.process_config.unwrap_or_default();
        let words = process.entrypoint.into_iter().chain(process.arguments.unwrap_or_default());
        if exec.running == Some(true) && words.eq(command.iter().cloned()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What no other command has been marked with.
fn unlike_any_other() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("{:x}-{now:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Ends the processes of a command; whether none is left.
async fn end(target: &DockerTarget, container: &str, wanted: &Exec, mark: &str) -> bool {
    let ended = async {
        let words = ["/bin/sh", "-c", KILL, "end", mark];
        let options = CreateExecOptions {
            cmd: Some(words.map(str::to_owned).to_vec()),
            user: wanted.user.clone(),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let made = target.docker.create_exec(container, options).await?;
        if let StartExecResults::Attached { mut output, .. } =
            target.docker.start_exec(&made.id, None::<StartExecOptions>).await?
        {
            while let Some(part) = output.next().await {
                part?;
            }
        }
        target.docker.inspect_exec(&made.id).await.map(|exec| exec.exit_code)
    };
    matches!(tokio::time::timeout(ENDING, ended).await, Ok(Ok(Some(0))))
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
