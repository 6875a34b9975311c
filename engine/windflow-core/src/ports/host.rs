//! What runs a single attempt of a node.

use std::sync::Arc;
use std::time::Duration;

use super::events::Events;
use super::files::FileStore;
use super::state::StateStore;
use super::store::BoxFuture;
use crate::capability::Grants;
use crate::failure::Failure;
use crate::id::{Digest, NodeId, NodeTypeRef, OrganisationId, PortName, RunId};
use crate::json::Json;
use crate::manifest::{Manifest, NodeType};
use crate::run::Timestamp;
use crate::trace::TraceContext;

/// An installed node type.
#[derive(Debug, Clone)]
pub struct InstalledNodeType {
    /// The plugin that offers it.
    pub manifest: Arc<Manifest>,
    /// Name of the node type within the manifest.
    pub name: Arc<str>,
    /// The component behind it.
    pub component: Digest,
    /// Whether it imports nothing by which it could differ from call to call, as read from the component itself. Pure
    /// attempts are not journalled before they start and are computed again after a crash.
    pub pure: bool,
}

impl InstalledNodeType {
    /// Its part of the manifest.
    #[must_use]
    pub fn node_type(&self) -> &NodeType {
        // A registry offers only names that it found in the manifest.
        &self.manifest.nodes[&*self.name]
    }
}

/// The node types that are installed.
pub trait Registry: Send + Sync {
    /// Finds one by the name and major version that a workflow wrote.
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType>;

    /// All, sorted by name.
    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)>;

    /// What is installed at this moment, and stays so: for whoever asks for several that have to fit each other. None where it
    /// never changes.
    fn snapshot(&self) -> Option<Arc<dyn Registry>> {
        None
    }
}

/// One attempt to make.
pub struct Call {
    /// The node type.
    pub uses: NodeTypeRef,
    /// The component that the run pinned.
    pub component: Digest,
    /// The configuration, evaluated and checked, as JSON text.
    pub config: Vec<u8>,
    /// The ports that this node may emit on beside `error`.
    pub ports: Arc<[PortName]>,
    /// Whose run it is.
    pub organisation: OrganisationId,
    /// The name of its workflow.
    pub workflow: Arc<str>,
    /// Which run.
    pub run: RunId,
    /// Which node.
    pub node: NodeId,
    /// Which item, from 0, where the node runs for each of several.
    pub item: Option<u32>,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Sent with effects.
    pub key: Arc<str>,
    /// The longest that it may take.
    pub timeout: Duration,
    /// What the run grants. The host holds it against the manifest and the operator's policy.
    pub grants: Arc<Grants>,
    /// What a test says the time is: granted clocks show it, and granted chance follows from the key, so that a case always
    /// goes the same way. None: both are the machine's.
    pub pretended: Option<Timestamp>,
    /// What it tells those whom it asks for something, where traces are told.
    pub trace: Option<TraceContext>,
    /// What the workflow's nodes keep between runs; none where nothing can be kept.
    pub state: Option<Arc<dyn StateStore>>,
    /// Keeps the files of runs; none where runs have none.
    pub files: Option<Arc<dyn FileStore>>,
    /// Who is told of the events that nodes publish; none where nobody listens.
    pub events: Option<Arc<dyn Events>>,
    /// Where lines and progress go.
    pub observer: Arc<dyn Observer>,
    /// Tells that the attempt should end.
    pub cancel: Arc<dyn CancelSignal>,
}

/// Hears what an attempt says while it runs. Called on the thread of the guest: it must return at once.
pub trait Observer: Send + Sync {
    /// A line for the node's log.
    fn log(&self, node: &NodeId, attempt: u32, level: LogLevel, message: &str);
    /// How far it has come, from 0 to 1 where known.
    fn progress(&self, node: &NodeId, attempt: u32, fraction: Option<f64>, message: &str);
}

/// Tells an attempt that it should end.
pub trait CancelSignal: Send + Sync {
    /// Whether it should.
    fn is_cancelled(&self) -> bool;
    /// Returns when it should.
    fn cancelled(&self) -> BoxFuture<'_, ()>;
}

/// How grave a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the author of the node.
    Debug,
    /// For whoever watches.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

/// What an attempt gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Emission {
    /// The port.
    pub port: PortName,
    /// The value.
    pub output: Json,
}

/// Runs attempts in sandboxes.
pub trait Host: Registry {
    /// Makes one attempt in a fresh sandbox and says how it ended. It ends within its timeout and a short grace, whatever
    /// the guest does; dropping the future ends it too. Every failure is typed by its kind.
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>>;
}
