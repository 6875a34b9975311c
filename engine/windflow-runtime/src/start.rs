//! Beginning runs and taking up old ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use windflow_core::capability::Grants;
use windflow_core::id::{NodeId, NodeTypeRef, OrganisationId, PortName, RunId, RunKey, WorkflowName};
use windflow_core::json::Json;
use windflow_core::native::Native;
use windflow_core::ports::store::{Position, StoreError};
use windflow_core::problem::{Problem, did_you_mean, list};
use windflow_core::run::{Callbacks, Emitted, Event, ParentRun, Phase, PinnedChild, RunStarted, RunState};
use windflow_core::trace::TraceContext;
use windflow_core::workflow::{self, Child, Children, OnLimit};

use crate::admission::{Full, Group, Limit};
use crate::load::{Prepared, replay};
use crate::native;
use crate::run_loop::{Lost, RunLoop};
use crate::service::Inner;

/// What a run is started with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whose run it is.
    pub organisation: OrganisationId,
    /// The document, as text.
    pub document: String,
    /// The inputs that were given.
    pub inputs: Map<String, Value>,
    /// What the operator grants beyond the document's `permissions:`.
    pub extra_grants: Grants,
    /// Who or what starts it.
    pub started_by: String,
    /// The workflows that its nodes run, as [`workflow::resolve_children`] found them.
    pub children: Children,
    /// What nodes put out without being run, by their ids: data that was pinned to try the rest of a workflow.
    pub pinned: BTreeMap<NodeId, Emitted>,
    /// The work of another program that it is part of, where traces are told.
    pub trace: Option<TraceContext>,
}

/// A start whose documents are in the store.
pub(crate) struct Begin {
    pub(crate) organisation: OrganisationId,
    pub(crate) document: String,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) allowed: Grants,
    pub(crate) started_by: String,
    pub(crate) children: BTreeMap<String, PinnedChild>,
    pub(crate) parent: Option<ParentRun>,
    pub(crate) repeats: Option<RunId>,
    pub(crate) reused: BTreeMap<NodeId, Emitted>,
    pub(crate) trace: Option<TraceContext>,
}

/// A run that is under way.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub run: RunId,
    /// Where its beginning stands in the journal.
    pub position: Position,
}

/// The document or its inputs are not fit to run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the workflow has {} problem(s)", .problems.len())]
pub struct InvalidStart {
    /// All of them.
    pub problems: Vec<Problem>,
    /// The document is good: all of them are about the inputs that were given.
    pub of_inputs: bool,
}

impl InvalidStart {
    /// Something is wrong with the document, or with what was asked for beside its inputs.
    #[must_use]
    pub fn of_document(problems: Vec<Problem>) -> Self {
        Self { problems, of_inputs: false }
    }
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The document or the inputs are not fit to run.
    #[error(transparent)]
    Invalid(#[from] InvalidStart),
    /// There is a run of the id that it was to have: it was started before.
    #[error("run {0} was started before")]
    Exists(RunId),
    /// The workflow allows so many runs at the same time, and no more wait.
    #[error(
        "{workflow} has as many runs as its `concurrency:` allows at the same time ({limit}); start it again when one has ended"
    )]
    AtLimit {
        /// The workflow.
        workflow: WorkflowName,
        /// How many it allows.
        limit: u32,
    },
    /// This process is at work on as many runs as it takes.
    #[error("{0} runs have not ended, and no more are taken up until some have")]
    Overloaded(usize),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine contradicts itself.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Why a run was not taken up again.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// It is over.
    #[error("run {0} has ended; `windflow runs show {0}` shows how")]
    Ended(RunId),
    /// It pinned a component that is not installed as it was.
    #[error(
        "run {run} began with another version of {uses} than the one that is installed; install that one again, or start a new run"
    )]
    ComponentChanged {
        /// The run.
        run: RunId,
        /// The node type.
        uses: NodeTypeRef,
    },
    /// Its journal cannot be read or replayed.
    #[error(transparent)]
    Lost(#[from] Lost),
}

pub(crate) fn start(inner: &Arc<Inner>, start: Start, run: RunId) -> Result<(RunLoop, Position), StartError> {
    let children = pin(inner, &start.organisation, start.children)?;
    let Start { organisation, document, inputs, extra_grants: allowed, started_by, pinned: reused, trace, .. } = start;
    let (parent, repeats) = (None, None);
    let begun = Begin { organisation, document, inputs, allowed, started_by, children, parent, repeats, reused, trace };
    begin(inner, begun, run)
}

/// Keeps the documents of children, so that the run has them for good.
pub(crate) fn pin(
    inner: &Arc<Inner>,
    organisation: &OrganisationId,
    children: Children,
) -> Result<BTreeMap<String, PinnedChild>, StoreError> {
    let pin = |(key, child): (String, Child)| {
        let document = inner.store.put_blob(organisation, child.document.as_bytes())?;
        Ok((key, PinnedChild { document, children: pin(inner, organisation, child.children)? }))
    };
    children.0.into_iter().map(pin).collect()
}

pub(crate) fn begin(inner: &Arc<Inner>, start: Begin, run: RunId) -> Result<(RunLoop, Position), StartError> {
    let prepared = inner.plans.prepare(&start.document, &*inner.host).map_err(InvalidStart::of_document)?;
    let invalid = InvalidStart::of_document;
    let unfit = |problems| InvalidStart { problems, of_inputs: true };
    let inputs = prepared.workflow.resolve_inputs(start.inputs).map_err(unfit)?;
    check_emitted(&prepared, &start.reused).map_err(invalid)?;
    let grants = workflow::resolve_grants(&prepared.workflow, &inputs, &start.allowed).map_err(invalid)?;
    let key = RunKey { organisation: start.organisation.clone(), run };
    let limit = limit(&prepared, &key, &inputs).map_err(|problem| invalid(vec![problem]))?;
    let parent = start.parent.as_ref().map(|parent| parent.run);

    inner.store.put_blob(&start.organisation, start.document.as_bytes())?;
    let event = Event::RunStarted(Box::new(RunStarted {
        workflow: prepared.workflow.name.value.clone(),
        document: prepared.digest,
        inputs: Json::from(inputs),
        components: components(&prepared),
        grants,
        started_by: start.started_by,
        allowed: start.allowed,
        children: start.children,
        parent: start.parent,
        repeats: start.repeats,
        reused: start.reused,
        callbacks: callbacks(inner, &prepared),
        trace: start.trace.as_ref().map(|trace| trace.parent),
        trace_state: start.trace.and_then(|trace| trace.state),
    }));
    let state = RunState::new(&prepared.plan);
    let mut run_loop = RunLoop::new(inner.clone(), key, prepared, state, 0, None);
    enter(inner, &mut run_loop, limit, parent)?;
    match run_loop.append(event) {
        Ok(position) => {
            run_loop.make_room();
            Ok((run_loop, position))
        }
        Err(Lost::Store(StoreError::Conflict { .. })) => Err(StartError::Exists(run)),
        Err(lost) => Err(lost.into()),
    }
}

/// Where systems will report back, where nodes wait for that.
fn callbacks(inner: &Inner, prepared: &Prepared) -> Option<Callbacks> {
    let waits = prepared.plan.nodes().any(|(_, node)| node.native == Some(Native::Callback));
    let at = inner.config.callbacks_at.as_deref().unwrap_or_default().trim_end_matches('/').to_owned();
    waits.then(|| Callbacks { at, secret: native::token(&*inner.clock) })
}

/// Whether nodes can put out what they are to have put out.
fn check_emitted(prepared: &Prepared, emitted: &BTreeMap<NodeId, Emitted>) -> Result<(), Vec<Problem>> {
    let problem = |(id, emitted): (&NodeId, &Emitted)| {
        let Some(node) = prepared.plan.index(id).map(|index| prepared.plan.node(index)) else {
            let known = prepared.plan.nodes().map(|(_, node)| node.id.as_str());
            let hint = did_you_mean(id.as_str(), known);
            let message = format!("data is pinned to `{id}`, which is no node");
            return Some(Problem::document("unknown_node", message).remedy_if(hint));
        };
        let port = &emitted.port;
        let known = node.ports.contains(port);
        let ports = list(node.ports.iter().map(PortName::as_str));
        let message = format!("data is pinned to the port `{port}` of `{id}`, which it does not have");
        (!known).then(|| Problem::document("unknown_port", message).remedy(format!("its ports are {ports}")))
    };
    let problems: Vec<Problem> = emitted.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// How many runs that count together with this one the workflow allows.
fn limit(prepared: &Prepared, run: &RunKey, inputs: &Value) -> Result<Option<Limit>, Problem> {
    let Some(concurrency) = &prepared.workflow.concurrency else { return Ok(None) };
    let (organisation, workflow) = (run.organisation.clone(), prepared.workflow.name.value.clone());
    let group = Group { organisation, workflow, key: concurrency.key_of(inputs)? };
    Ok(Some(Limit { group, limit: concurrency.limit, on_limit: concurrency.on_limit }))
}

/// Gives a new run its place.
fn enter(
    inner: &Arc<Inner>,
    run_loop: &mut RunLoop,
    limit: Option<Limit>,
    parent: Option<RunId>,
) -> Result<(), StartError> {
    let key = run_loop.key().clone();
    let refusal = if parent.is_none() && inner.active_count() >= inner.config.max_runs {
        StartError::Overloaded(inner.config.max_runs)
    } else if let Some(limit) = limit {
        let refusal = StartError::AtLimit { workflow: limit.group.workflow.clone(), limit: limit.limit };
        let ancestors = inner.ancestors(&key, parent);
        match inner.admission.enter(limit, &key, &ancestors, run_loop.cancel_sender()) {
            Ok(place) => {
                run_loop.set_place(place);
                return Ok(());
            }
            Err(Full) => refusal,
        }
    } else {
        return Ok(());
    };
    // What was started before is told so, however full it is now.
    match inner.store.run(&key) {
        Ok(_) => Err(StartError::Exists(key.run)),
        Err(StoreError::NotFound(_)) => Err(refusal),
        Err(error) => Err(error.into()),
    }
}

fn components(prepared: &Prepared) -> BTreeMap<NodeTypeRef, windflow_core::id::Digest> {
    let plugins = prepared.plan.nodes().filter(|(_, node)| node.native.is_none());
    plugins.map(|(_, node)| (node.uses.clone(), node.component)).collect()
}

pub(crate) fn resume(inner: &Arc<Inner>, key: &RunKey, cancel: Option<String>) -> Result<RunLoop, ResumeError> {
    let replayed = replay(inner, key)?;
    if matches!(replayed.state.phase(), Phase::Ended { .. }) {
        return Err(ResumeError::Ended(key.run));
    }
    let pinned = replayed.state.started().map(|started| &started.components);
    for (uses, component) in components(&replayed.prepared) {
        if pinned.and_then(|pinned| pinned.get(&uses)) != Some(&component) {
            return Err(ResumeError::ComponentChanged { run: key.run, uses });
        }
    }
    let inputs = replayed.state.started().map_or_else(Json::null, |started| started.inputs.clone());
    // It was let in once. A key that cannot be evaluated did not let it in, and cannot be here.
    let limit = limit(&replayed.prepared, key, inputs.value()).ok().flatten();
    let mut run_loop =
        RunLoop::new(inner.clone(), key.clone(), replayed.prepared, replayed.state, replayed.sequence, cancel);
    if let Some(limit) = limit {
        let limit = Limit { on_limit: OnLimit::Queue, ..limit };
        match inner.admission.enter(limit, key, &[], run_loop.cancel_sender()) {
            Ok(place) => run_loop.set_place(place),
            Err(Full) => tracing::warn!(run = %key.run, "more runs of its workflow go on than it allows"),
        }
    }
    Ok(run_loop)
}
