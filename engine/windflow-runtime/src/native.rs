//! What the engine's own node types wait for.

use serde_json::Value;
use windflow_core::capability::is_event_name;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::Digest;
use windflow_core::json::Json;
use windflow_core::native::Native;
use windflow_core::plan::PlanNode;
use windflow_core::run::{Asked, AwaitedEvent, Callbacks, Question, Timestamp, Wait};
use windflow_core::schema::Checker;
use windflow_core::workflow::parse_duration;

use crate::clock::Clock;

/// What an attempt waits for, by the node's evaluated configuration. A system answers at the address that the run gave the node
/// when it began.
pub(crate) fn wait(
    native: Native,
    (node, item): (&PlanNode, Option<u32>),
    config: &Value,
    callbacks: Option<&Callbacks>,
    clock: &dyn Clock,
) -> Result<Wait, Failure> {
    let text = |field: &str| config.get(field).and_then(Value::as_str);
    let now = clock.now();
    let after = |duration: std::time::Duration| {
        Timestamp(now.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    };
    if native == Native::Wait {
        let at = match (text("for"), text("until")) {
            (Some(length), _) => after(parse_duration(length).ok_or_else(|| {
                invalid(format!("`for: {}` is no duration; write one such as 10s, 5m or 1h30m", shorten(length)))
            })?),
            (None, Some(instant)) => instant_of(instant)?,
            (None, None) => return Err(invalid("write `for` or `until`".into())),
        };
        return Ok(Wait::Until { at });
    }
    let (of, form) = match native {
        Native::Approval => (Asked::Person, config.get("form")),
        Native::Wait | Native::Callback | Native::Workflow => (Asked::System, config.get("schema")),
    };
    if let Some(form) = form {
        // Nobody could answer a question whose schema is none.
        Checker::new(form).map_err(|error| invalid(format!("the schema of the answer: {error}")))?;
    }
    Ok(Wait::Answer(Question {
        of,
        token: callbacks.filter(|_| of == Asked::System).map_or_else(|| token(clock), |all| all.token(&node.id, item)),
        message: text("message").map(str::to_owned),
        form: form.cloned().map(Json::from),
        expires: node.timeout.map(after),
        event: text("event").map(|name| awaited(name, config, now)).transpose()?,
    }))
}

fn awaited(name: &str, config: &Value, since: Timestamp) -> Result<AwaitedEvent, Failure> {
    if !is_event_name(name) {
        return Err(invalid(format!(
            "`event: {}` is no name of an event; write words with dots between them, as in order.paid",
            shorten(name)
        )));
    }
    Ok(AwaitedEvent { name: name.to_owned(), brings: config.get("where").cloned().map(Json::from), since })
}

fn instant_of(text: &str) -> Result<Timestamp, Failure> {
    let wrong = || invalid(format!("`until: {}` is no instant; write one such as 2026-12-24T18:00:00Z", shorten(text)));
    let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    // What lies before 1970 is over.
    Ok(Timestamp(u64::try_from(at.as_millisecond()).unwrap_or(0)))
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureKind::InvalidConfig, message)
}

/// Too much chance to be guessed: two ids carry 148 bits of it.
pub(crate) fn token(clock: &dyn Clock) -> String {
    let digest = Digest::of(format!("{}{}", clock.new_run_id(), clock.new_run_id()).as_bytes());
    digest.0[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
