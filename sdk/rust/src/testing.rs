//! Calls node types natively, without a host.
//!
//! ```
//! # use windflow_sdk::{NodeError, config, node, testing};
//! # #[config]
//! # struct Config { n: i64 }
//! #[node]
//! fn double(config: Config) -> Result<i64, NodeError> {
//!     Ok(config.n * 2)
//! }
//! # fn main() {
//! let emission = testing::run(double::NODE, serde_json::json!({ "n": 2 })).unwrap();
//! assert_eq!((emission.port.as_str(), emission.value), ("out", serde_json::json!(4)));
//! # }
//! ```
//!
//! What a node logs, and what it is told of the attempt, belongs to the thread that calls it; each test has its own.

use std::cell::{Cell, RefCell};
use std::mem;

use serde_json::Value;

use crate::log::Level;
use crate::{Node, NodeError};

/// What a node type emitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    /// The port.
    pub port: String,
    /// The value.
    pub value: Value,
}

/// Facts about the attempt, as `windflow_sdk::context` gives them.
#[derive(Debug, Clone)]
pub struct Context {
    /// The run.
    pub run_id: String,
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The key of every effect.
    pub idempotency_key: String,
    /// Milliseconds until the end.
    pub remaining_ms: Option<u64>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            run_id: "run".to_owned(),
            node_id: "node".to_owned(),
            attempt: 1,
            idempotency_key: "key".to_owned(),
            remaining_ms: None,
        }
    }
}

thread_local! {
    static LOGS: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
    static PROGRESS: RefCell<Vec<(Option<f64>, String)>> = const { RefCell::new(Vec::new()) };
    static CONTEXT: RefCell<Context> = RefCell::default();
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a node type on a configuration.
///
/// Defaults that are expressions, such as `${{ input }}`, are the engine's to fill: give such fields here.
///
/// # Errors
///
/// As the node fails.
///
/// # Panics
///
/// When the node emits what is no JSON.
#[allow(clippy::expect_used, reason = "it is called by tests")]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
pub fn run(node: Node, config: Value) -> Result<Emitted, NodeError> {
    let emission = (node.execute)(config.to_string().as_bytes())?;
    let value = serde_json::from_slice(&emission.value).expect("a node emits JSON");
    Ok(Emitted { port: emission.port.into_owned(), value })
}

/// Takes the lines that were logged so far.
#[must_use]
pub fn take_logs() -> Vec<(Level, String)> {
    LOGS.with(|logs| mem::take(&mut *logs.borrow_mut()))
}

/// Takes the progress that was reported so far.
#[must_use]
pub fn take_progress() -> Vec<(Option<f64>, String)> {
    PROGRESS.with(|progress| mem::take(&mut *progress.borrow_mut()))
}

/// Says what `windflow_sdk::context` answers from now on.
pub fn set_context(context: Context) {
    CONTEXT.set(context);
}

/// Says what `windflow_sdk::cancellation` answers from now on.
pub fn set_cancelled(cancelled: bool) {
    CANCELLED.set(cancelled);
}

pub(crate) fn record_log(level: Level, message: &str) {
    LOGS.with(|logs| logs.borrow_mut().push((level, message.to_owned())));
}

pub(crate) fn record_progress(fraction: Option<f64>, message: &str) {
    PROGRESS.with(|progress| progress.borrow_mut().push((fraction, message.to_owned())));
}

pub(crate) fn is_cancelled() -> bool {
    CANCELLED.get()
}

/// The native side of `windflow_sdk::context`.
pub(crate) mod context {
    use super::CONTEXT;

    pub(crate) fn run_id() -> String {
        CONTEXT.with(|context| context.borrow().run_id.clone())
    }

    pub(crate) fn node_id() -> String {
        CONTEXT.with(|context| context.borrow().node_id.clone())
    }

    pub(crate) fn attempt() -> u32 {
        CONTEXT.with(|context| context.borrow().attempt)
    }

    pub(crate) fn idempotency_key() -> String {
        CONTEXT.with(|context| context.borrow().idempotency_key.clone())
    }

    pub(crate) fn remaining_ms() -> Option<u64> {
        CONTEXT.with(|context| context.borrow().remaining_ms)
    }
}

/// Answers what node types ask of targets.
pub mod docker {
    use std::cell::RefCell;

    use serde_json::Value;

    use crate::NodeError;

    type Target = Box<dyn Fn(&str, Value) -> Result<Value, NodeError>>;

    thread_local! {
        static TARGET: RefCell<Option<Target>> = const { RefCell::new(None) };
    }

    /// Says how targets answer from now on.
    pub fn set_target(target: impl Fn(&str, Value) -> Result<Value, NodeError> + 'static) {
        TARGET.set(Some(Box::new(target)));
    }

    pub(crate) fn answer(target: &str, request: &[u8]) -> Result<Vec<u8>, NodeError> {
        let request = serde_json::from_slice(request).unwrap_or_default();
        TARGET.with_borrow(|answers| match answers {
            Some(answers) => answers(target, request).map(|answer| answer.to_string().into_bytes()),
            None => Err(NodeError::new("no_target", "the test says nothing of targets")),
        })
    }
}

/// Takes the mail of node types.
pub mod email {
    use std::cell::RefCell;

    use serde_json::Value;

    use crate::NodeError;

    type Server = Box<dyn Fn(Value) -> Result<Value, NodeError>>;

    thread_local! {
        static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
    }

    /// Says what becomes of messages from now on.
    pub fn set_server(server: impl Fn(Value) -> Result<Value, NodeError> + 'static) {
        SERVER.set(Some(Box::new(server)));
    }

    pub(crate) fn take(message: &[u8]) -> Result<Vec<u8>, NodeError> {
        let message = serde_json::from_slice(message).unwrap_or_default();
        SERVER.with_borrow(|server| match server {
            Some(server) => server(message).map(|answer| answer.to_string().into_bytes()),
            None => Err(NodeError::new("no_server", "the test says nothing of mail")),
        })
    }
}

/// Hears the events of node types.
pub mod events {
    use std::cell::RefCell;

    use serde_json::{Value, json};

    thread_local! {
        static PUBLISHED: RefCell<Vec<(String, Value)>> = const { RefCell::new(Vec::new()) };
    }

    /// What was published on this thread since the last time.
    #[must_use]
    pub fn published() -> Vec<(String, Value)> {
        PUBLISHED.take()
    }

    pub(crate) fn take(name: &str, data: &[u8]) -> Vec<u8> {
        let data = serde_json::from_slice(data).unwrap_or_default();
        PUBLISHED.with_borrow_mut(|published| published.push((name.to_owned(), data)));
        json!({ "started": [] }).to_string().into_bytes()
    }
}

pub(crate) mod files;
pub(crate) mod state;

/// Answers the requests of node types.
#[cfg(feature = "http")]
pub mod http {
    pub use crate::http::fake::{Answer, Transport, set_transport};
}
