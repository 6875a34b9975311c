//! One attempt of a node: a fresh store and instance, its bounds, and how its end is judged.

mod meter;
pub(crate) mod outcome;
mod state;
mod watch;

pub(crate) use state::State;

use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::ports::host::{Call, Emission};

use self::outcome::{Judge, Returned, ReturnedError};
pub(crate) use self::watch::unless_cancelled;
use self::watch::{Ended, watch};
use crate::capability::credentials::{self, Scrubber};
use crate::capability::{clock, docker, files, operator, random};
use crate::code::Code;
use crate::host::Shared;
use crate::plugin::Plugin;

/// Makes the attempt. The code is loaded and a slot is held.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    code: &Code,
    mut call: Call,
) -> Result<Emission, Failure> {
    let limits = &shared.limits;
    if call.cancel.is_cancelled() {
        return Err(cancelled_before());
    }
    let timeout = call.timeout.min(limits.wall_time);
    let deadline = Instant::now() + timeout;
    let grace = if plugin.told_of_cancellation() { limits.cancel_grace } else { std::time::Duration::ZERO };
    let held = credentials::hold(&call, plugin, shared)?;
    let scrubber = held.as_ref().map(|held| Arc::clone(&held.scrubber));
    let folders = docker::folders(&call, plugin);
    operator::check(&shared.denied, plugin, held.is_some(), !folders.is_empty())?;
    clock::check(&call, plugin)?;
    let generator = random::granted(&call, plugin)?;
    let config = std::mem::take(&mut call.config);
    let (cancel, node_type) = (Arc::clone(&call.cancel), Arc::clone(&call.uses.name));

    let mut store = Store::new(&shared.engine, State::new(call, held, folders, generator, deadline, shared, plugin));
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.output_bytes);
    store.epoch_deadline_async_yield_and_update(1);
    store.set_epoch_deadline(1);

    let ended = watch(code.execute(&mut store, &node_type, &config), deadline, &*cancel, grace).await;

    let mut state = store.into_data();
    state.finish();
    let settled = files::settle(&mut state).await;
    let judge = Judge { state: &state, limits };
    let result = match ended {
        Ended::Itself(Ok(returned)) => judge.returned(scrubbed(returned, scrubber.as_deref())),
        Ended::Itself(Err(error)) => Err(judge.stopped(&error)),
        Ended::TimedOut => {
            Err(Failure::new(FailureKind::Timeout, format!("the attempt took longer than {timeout:?} and was stopped")))
        }
        Ended::Cancelled => {
            Err(Failure::new(FailureKind::Cancelled, "the attempt was stopped because the run is being cancelled"))
        }
    };
    let result = result.and_then(|emission| settled.map(|()| emission));
    // Whatever way a failure came about, its text passes here.
    result.map_err(|failure| match &scrubber {
        Some(scrubber) => {
            Failure { message: scrubber.text(failure.message), code: scrubber.text(failure.code), ..failure }
        }
        None => failure,
    })
}

/// What the guest returned, without the value of its credential.
fn scrubbed(returned: Returned, scrubber: Option<&Scrubber>) -> Returned {
    let Some(scrubber) = scrubber else { return returned };
    let clean = |mut bytes: Vec<u8>| {
        scrubber.bytes(&mut bytes);
        bytes
    };
    match returned {
        Returned::Emission { port, value } => Returned::Emission { port, value: clean(value) },
        Returned::Error(error) => Returned::Error(ReturnedError { details: error.details.map(clean), ..error }),
    }
}

/// The attempt never began.
pub(crate) fn cancelled_before() -> Failure {
    Failure::new(FailureKind::Cancelled, "the run was cancelled before the attempt began")
}
