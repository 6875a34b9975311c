//! `windflow:node@1`.

use wasmtime::component::{HasSelf, Linker};
use windflow_core::failure::{Failure, RetryHint};
use windflow_core::json::Json;
use windflow_core::ports::files::FilesError;
use windflow_core::ports::host::LogLevel;
use windflow_core::ports::state::{Expected, StateError};

use self::windflow::node::types::{NodeError, RetryHint as GuestHint};
use self::windflow::node::{cancellation, docker, email, events, files, log, progress, run_context, state};
use crate::attempt::State;
use crate::attempt::outcome::{Returned, ReturnedError};
use crate::capability;

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from sdk/wit/v1, which is documented there")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/v1",
        world: "node",
        // What waits, for others or for the disk, must not hold up the thread.
        imports: {
            "windflow:node/docker.perform": async,
            "windflow:node/email.send": async,
            "windflow:node/events.publish": async,
            "windflow:node/files.read": async,
            "windflow:node/files.write": async,
            "windflow:node/files.list": async,
            "windflow:node/files.remove": async,
            "windflow:node/state.set": async,
            "windflow:node/state.delete": async,
        },
        exports: { default: async },
    });
}
pub(crate) use generated::NodePre;
use generated::windflow;

/// Gives guests what this version offers for import.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    generated::Node::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// Makes a fresh instance and calls it once.
pub(crate) async fn execute(
    pre: &NodePre<State>,
    store: &mut wasmtime::Store<State>,
    node_type: &str,
    config: &Vec<u8>,
) -> wasmtime::Result<Returned> {
    let node = pre.instantiate_async(&mut *store).await?;
    let returned = node.call_execute(store, node_type, config).await?;
    Ok(match returned {
        Ok(emission) => Returned::Emission { port: emission.port, value: emission.value },
        Err(error) => Returned::Error(ReturnedError {
            code: error.code,
            message: error.message,
            retry: match error.retry {
                GuestHint::Never => RetryHint::Never,
                GuestHint::MayHelp => RetryHint::MayHelp,
                GuestHint::After(milliseconds) => RetryHint::After(milliseconds),
            },
            details: error.details,
        }),
    })
}

impl windflow::node::types::Host for State {}

impl log::Host for State {
    fn log(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.log.line(level, &message);
    }
}

impl progress::Host for State {
    fn report(&mut self, fraction: Option<f64>, message: String) {
        self.progress.report(&self.call, fraction, message);
    }
}

impl run_context::Host for State {
    fn run_id(&mut self) -> String {
        capability::run_context::run_id(&self.call)
    }

    fn node_id(&mut self) -> String {
        capability::run_context::node_id(&self.call)
    }

    fn attempt(&mut self) -> u32 {
        self.call.attempt
    }

    fn idempotency_key(&mut self) -> String {
        capability::run_context::idempotency_key(&self.call)
    }

    fn remaining_ms(&mut self) -> Option<u64> {
        Some(capability::run_context::remaining_ms(self.deadline))
    }
}

impl docker::Host for State {
    async fn perform(&mut self, target: String, request: Vec<u8>) -> Result<Vec<u8>, NodeError> {
        let done = capability::docker::perform(self, &target, request).await;
        answered(done)
    }
}

impl email::Host for State {
    async fn send(&mut self, message: Vec<u8>) -> Result<Vec<u8>, NodeError> {
        answered(capability::email::send(self, &message).await)
    }
}

impl events::Host for State {
    async fn publish(&mut self, name: String, data: Vec<u8>) -> Result<Vec<u8>, NodeError> {
        answered(capability::events::publish(self, name, data).await)
    }
}

fn answered(done: Result<Json, Failure>) -> Result<Vec<u8>, NodeError> {
    done.map(|value| value.text().as_bytes().to_vec()).map_err(|failure| NodeError {
        code: failure.code,
        message: failure.message,
        retry: match failure.retry {
            RetryHint::Never => GuestHint::Never,
            RetryHint::MayHelp => GuestHint::MayHelp,
            RetryHint::After(milliseconds) => GuestHint::After(milliseconds),
        },
        details: failure.details.map(|details| details.text().as_bytes().to_vec()),
    })
}

impl cancellation::Host for State {
    fn cancelled(&mut self) -> bool {
        capability::cancellation::cancelled(&self.call)
    }
}

impl state::Host for State {
    fn get(&mut self, key: String) -> Result<Option<state::Entry>, state::StateError> {
        let found = capability::state::get(self, &key).map_err(state_error)?;
        Ok(found.map(|entry| state::Entry { value: entry.value, version: entry.version }))
    }

    async fn set(&mut self, key: String, value: Vec<u8>, expected: state::Expected) -> Result<u64, state::StateError> {
        capability::state::change(self, key, Some(value), state_expected(expected)).await.map_err(state_error)
    }

    async fn delete(&mut self, key: String, expected: state::Expected) -> Result<(), state::StateError> {
        capability::state::change(self, key, None, state_expected(expected)).await.map(drop).map_err(state_error)
    }
}

fn state_expected(expected: state::Expected) -> Expected {
    match expected {
        state::Expected::Any => Expected::Any,
        state::Expected::Absent => Expected::Absent,
        state::Expected::Version(version) => Expected::Version(version),
    }
}

fn state_error(error: StateError) -> state::StateError {
    match error {
        StateError::Conflict => state::StateError::Conflict,
        StateError::Denied(why) => state::StateError::Denied(why),
        StateError::Refused(why) => state::StateError::Refused(why),
        StateError::Unavailable(why) => state::StateError::Unavailable(why),
    }
}

impl files::Host for State {
    async fn read(&mut self, path: String, offset: u64, length: u32) -> Result<Vec<u8>, files::FilesError> {
        capability::files::read(self, &path, offset, length).await.map_err(files_error)
    }

    async fn write(&mut self, path: String, offset: u64, bytes: Vec<u8>) -> Result<(), files::FilesError> {
        capability::files::write(self, &path, offset, bytes).await.map_err(files_error)
    }

    async fn list(&mut self, below: String) -> Result<Vec<files::File>, files::FilesError> {
        let listed = capability::files::list(self, &below).await.map_err(files_error)?;
        Ok(listed.into_iter().map(|file| files::File { path: file.path.to_string(), bytes: file.bytes }).collect())
    }

    async fn remove(&mut self, below: String) -> Result<u32, files::FilesError> {
        capability::files::remove(self, &below).await.map_err(files_error)
    }
}

fn files_error(error: FilesError) -> files::FilesError {
    match error {
        FilesError::NotFound => files::FilesError::NotFound,
        FilesError::Denied(why) => files::FilesError::Denied(why),
        FilesError::Refused(why) => files::FilesError::Refused(why),
        FilesError::Unavailable(why) => files::FilesError::Unavailable(why),
    }
}
