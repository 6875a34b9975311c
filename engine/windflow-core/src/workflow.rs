//! The workflow document: what a YAML file says, with the place of every value.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::capability::{EventPattern, Grants, HttpPattern};
use crate::expression::{Expression, Template};
use crate::id::{NodeId, NodeTypeRef, PortName, WorkflowName};
use crate::place::Spanned;
use crate::ports::host::Registry;
use crate::problem::Problem;
use crate::schema::Checker;

pub use self::children::{Child, ChildName, Children, Documents, FoundDocument, resolve as resolve_children};
pub use self::concurrency::{Concurrency, OnLimit};
pub use self::duration::{format_duration, parse as parse_duration};
pub use self::note::{MAX_NOTE_CHARS, MAX_NOTES, NOTE_SIDE, NOTE_SIZE, Note, NoteColor};
pub use self::parse::FORMAT;
pub use self::reach::{Known, Reached, ReachedKind, reach};

mod children;
mod concurrency;
mod config;
mod document_schema;
mod duration;
mod grants;
mod inputs;
mod labels;
mod node;
mod note;
mod outputs;
mod parse;
mod reach;
mod read;
mod trigger;
mod validate;

/// A workflow as it was written. Parsing has checked its shape; [`validate`](crate::workflow) holds it against itself and
/// against the installed node types.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Its name.
    pub name: Spanned<WorkflowName>,
    /// One or two sentences.
    pub description: Option<Spanned<String>>,
    /// Where lists show it: names of folders with `/` between them.
    pub folder: Option<Spanned<String>>,
    /// By what lists find it; each once.
    pub tags: Vec<Spanned<String>>,
    /// What it wants to know when it is started.
    pub inputs: IndexMap<String, Spanned<Input>>,
    /// What starts it, besides people.
    pub triggers: IndexMap<String, Spanned<Trigger>>,
    /// What its nodes may touch.
    pub permissions: Permissions,
    /// Its nodes, in the order of the file.
    pub nodes: IndexMap<NodeId, Node>,
    /// What it gives back.
    pub outputs: IndexMap<String, Output>,
    /// How many of its runs go on at the same time; none: as many as are started.
    pub concurrency: Option<Concurrency>,
    /// The longest that a run may take.
    pub timeout: Option<Duration>,
    /// What people wrote beside its nodes, in the order of the file; no part of its logic.
    pub notes: IndexMap<NodeId, Note>,
    /// Where the editor draws its nodes; no part of its logic.
    pub layout: BTreeMap<NodeId, [f64; 2]>,
    /// What is there but could not be read, as `nodes.a`, `uses.a`, `with.a` or `inputs.x`: told once, when it was read,
    /// so that validation does not call it unknown as well.
    unreadable: HashSet<String>,
}

impl Workflow {
    /// Reads a workflow, and finds every problem of its grammar at once. Where some are errors, the workflow is what could
    /// be read: fit to be validated, so that all problems are told together, and for nothing else.
    #[must_use]
    pub fn parse(text: &str) -> (Option<Self>, Vec<Problem>) {
        parse::parse(text)
    }

    /// Whether a part is there but could not be read.
    fn is_unreadable(&self, part: &str, name: impl std::fmt::Display) -> bool {
        !self.unreadable.is_empty() && self.unreadable.contains(&format!("{part}.{name}"))
    }

    /// The inputs of a run: what was given, with defaults filled in, held against the schemas.
    ///
    /// # Errors
    /// Every input that is missing, unknown or of the wrong type. Places are those of the inputs in the document.
    pub fn resolve_inputs(
        &self,
        given: serde_json::Map<String, serde_json::Value>,
    ) -> Result<serde_json::Value, Vec<Problem>> {
        inputs::resolve(self, given)
    }

    /// The value that the text of a command line's `key=value` means by the input's schema.
    #[must_use]
    pub fn input_from_text(&self, input: &str, text: &str) -> serde_json::Value {
        inputs::from_text(self, input, text)
    }
}

/// Holds a workflow against itself and the installed node types, and finds every problem at once.
#[must_use]
pub fn validate(workflow: &Workflow, registry: &(impl Registry + ?Sized)) -> Vec<Problem> {
    validate::validate(workflow, registry)
}

/// What a run grants: the workflow's permissions with their expressions evaluated, and what the operator allows beyond.
/// An expression gives one public origin; a private one only where the operator's grants cover it.
///
/// # Errors
/// Every permission that grants nothing sensible.
pub fn resolve_grants(
    workflow: &Workflow,
    inputs: &serde_json::Value,
    allowed: &Grants,
) -> Result<Grants, Vec<Problem>> {
    grants::resolve(workflow, inputs, allowed)
}

/// The JSON Schema of workflow files, with the configurations of the installed node types.
#[must_use]
pub fn document_schema(registry: &(impl Registry + ?Sized)) -> serde_json::Value {
    document_schema::document_schema(registry)
}

/// An input: a JSON Schema and whether it must be given. An input without a default is required.
#[derive(Debug, Clone)]
pub struct Input {
    /// The schema, without its `default`.
    pub schema: serde_json::Value,
    /// The schema, compiled: inputs are checked at every start.
    pub checker: Arc<Checker>,
    /// What it is when nobody gives it.
    pub default: Option<serde_json::Value>,
}

/// An output: a value of the run, and what it has to fit where the document says so.
#[derive(Debug, Clone)]
pub struct Output {
    /// The value.
    pub value: Template,
    /// What it has to fit.
    pub typed: Option<Typed>,
}

/// A type that a document declares.
#[derive(Debug, Clone)]
pub struct Typed {
    /// The JSON Schema.
    pub schema: serde_json::Value,
    /// The schema, compiled: outputs are checked at the end of every run.
    pub checker: Arc<Checker>,
}

/// A trigger as written; the trigger crate gives it meaning.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// `cron`, `webhook`, `event` or `manual`.
    pub uses: Spanned<String>,
    /// Its configuration.
    pub with: Template,
    /// How what it brings becomes inputs.
    pub inputs: IndexMap<String, Template>,
}

/// The workflow's key to capabilities. Templates here may read `inputs` only.
#[derive(Debug, Clone, Default)]
pub struct Permissions {
    /// Patterns of hosts.
    pub http: Vec<Template>,
    /// Names of credentials.
    pub credentials: Vec<Spanned<String>>,
    /// Names of targets.
    pub docker: Vec<Spanned<String>>,
    /// Mail servers, each with its port.
    pub email: Vec<Spanned<HttpPattern>>,
    /// Whether nodes may keep values for later runs.
    pub state: bool,
    /// Whether nodes may use the scratch folder of the run.
    pub files: bool,
    /// Events that nodes may publish.
    pub events: Vec<Spanned<EventPattern>>,
    /// Whether nodes may read the time of the machine.
    pub clock: bool,
    /// Whether nodes may draw random numbers of the machine.
    pub random: bool,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its key, with its place.
    pub id: Spanned<NodeId>,
    /// What the editor calls it instead of its key.
    pub title: Option<Spanned<String>>,
    /// The node type.
    pub uses: Spanned<NodeTypeRef>,
    /// Its configuration, a map.
    pub with: Template,
    /// The edges that it starts on. `None`: the success of every node that its expressions reference.
    pub needs: Option<Vec<Spanned<Need>>>,
    /// How many of them.
    pub join: Join,
    /// Whether it runs once it could.
    pub condition: Option<Spanned<Expression>>,
    /// What it runs for each of.
    pub for_each: Option<ForEach>,
    /// The node that undoes it where the run does not succeed.
    pub compensate: Option<Spanned<NodeId>>,
    /// Whether another node names it as its `compensate:`, so that it runs for nothing else.
    pub compensates: bool,
    /// How often it is tried.
    pub retry: Option<Retry>,
    /// The longest that one attempt may take.
    pub timeout: Option<Duration>,
    /// What becomes of an attempt whose outcome a crash left unknown.
    pub on_unknown: OnUnknown,
    /// Left out of runs: it is skipped, and so is what needs it.
    pub disabled: bool,
}

/// A node runs once for each item of a list.
#[derive(Debug, Clone)]
pub struct ForEach {
    /// The list, or the expression that gives it.
    pub items: Template,
    /// How many items run at the same time.
    pub concurrency: u32,
    /// What becomes of the node when one item fails for good.
    pub on_item_error: OnItemError,
}

/// What becomes of a node when one of its items fails for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnItemError {
    /// The node fails. Items that have not begun never will; those under way settle.
    #[default]
    Fail,
    /// The other items go on. The node succeeds; the item's output is null, and `nodes.<id>.error` lists the failures.
    Collect,
}

/// An edge that a node listens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Need {
    /// The node that it comes from.
    pub node: NodeId,
    /// The port; `None` is success on whichever port.
    pub port: Option<PortName>,
}

/// When a node starts, seen from its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// When all have fired; it is skipped when one is dead.
    #[default]
    All,
    /// When the first has fired; it is skipped when all are dead.
    Any,
}

/// What becomes of an attempt whose outcome a crash left unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// It is made again, with the same idempotency key: at least once.
    #[default]
    Retry,
    /// The node fails: at most once.
    Fail,
}

/// How a failed attempt is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// How the wait grows.
    pub backoff: Backoff,
    /// The first wait.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// How much of each wait is left to chance, from 0 to 1.
    pub jitter: f64,
}

/// How the wait between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// Always the first wait.
    Fixed,
    /// By the first wait each time.
    Linear,
    /// Twofold each time.
    Exponential,
}
