//! What a run did, as spans: one of the run, one of each node that ran, one of each attempt. They say which, when and how it ended, and never
//! what went in or came out.

use std::collections::{BTreeMap, HashMap};

use serde::de::IgnoredAny;

use super::{RunTrace, Sampling, SpanId, TraceId, TraceState};
use crate::failure::Failure;
use crate::id::{NodeId, NodeTypeRef, RunKey};
use crate::run::{EndStatus, Event, Record, RunStarted};

/// The longest code of a failure that is told: those are words, and what is longer may be anything.
const MAX_CODE_BYTES: usize = 64;

/// A stretch of work that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace.
    pub trace: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// What it is part of.
    pub parent: Option<SpanId>,
    /// Whether that is another program's.
    pub parent_is_remote: bool,
    /// What is handed on beside the trace.
    pub state: Option<TraceState>,
    /// What it is called.
    pub name: String,
    /// When it began, in microseconds since 1970.
    pub began_us: u64,
    /// When it ended.
    pub ended_us: u64,
    /// The code of the failure, where it failed.
    pub failed: Option<String>,
    /// What else is to be known of it.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Attribute {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// What the plan says about a node.
#[derive(Debug, Clone)]
pub struct About {
    /// Its node type.
    pub uses: NodeTypeRef,
    /// Whether it succeeds even where some of its items fail.
    pub collects: bool,
}

/// The journal of a run, folded into spans: a record may bring some that are over, always the same ones. Holds no more than what is under way.
pub struct Spans<F> {
    run: RunKey,
    sampling: Sampling,
    about: F,
    begun: Option<Begun>,
    nodes: BTreeMap<NodeId, NodeRun>,
    /// When attempts began that have not ended.
    open: HashMap<(NodeId, Option<u32>, u32), u64>,
}

struct Begun {
    trace: RunTrace,
    started: RunStarted,
    at_us: u64,
    /// When the last thing in it ended.
    latest_us: u64,
}

struct NodeRun {
    began_us: u64,
    ended_us: u64,
    attempts: u32,
    /// How many of its items have not ended for good; of a node without items, whether it has.
    left: usize,
    iterates: bool,
    cancelled: bool,
    failed: Option<String>,
}

/// An attempt that is over.
struct Ended<'a> {
    node: &'a NodeId,
    item: Option<u32>,
    attempt: u32,
    took_us: u64,
    outcome: Outcome<'a>,
}

enum Outcome<'a> {
    Succeeded,
    Failed { failure: &'a Failure, again: bool },
    Cancelled,
}

impl<F: Fn(&NodeId) -> Option<About>> Spans<F> {
    /// Nothing is read yet.
    pub fn new(run: RunKey, sampling: Sampling, about: F) -> Self {
        Self { run, sampling, about, begun: None, nodes: BTreeMap::new(), open: HashMap::new() }
    }

    /// The next record of the journal; what is over with it is added to `out`.
    pub fn read(&mut self, record: &Record, out: &mut Vec<Span>) {
        let at_us = record.at.0.saturating_mul(1000);
        match &record.event {
            Event::RunStarted(started) => {
                let trace = RunTrace::of(&self.run, started.trace_context(), self.sampling);
                // What can be large is not needed.
                let started = RunStarted {
                    inputs: crate::json::Json::null(),
                    children: BTreeMap::new(),
                    reused: BTreeMap::new(),
                    ..(**started).clone()
                };
                self.begun = Some(Begun { trace, started, at_us, latest_us: at_us });
            }
            Event::ItemsListed { node, items } => {
                let run = self.node(node, at_us);
                run.iterates = true;
                // A list that is none is not in a journal; its node would end with the run.
                run.left =
                    serde_json::from_str::<Vec<IgnoredAny>>(items.text()).map_or(usize::MAX, |items| items.len());
                self.settle(node, out);
            }
            Event::AttemptStarted { node, item, attempt, .. } => {
                self.node(node, at_us);
                self.open.insert((node.clone(), *item, *attempt), at_us);
            }
            Event::AttemptSucceeded { node, item, attempt, took_us, .. } => {
                let (item, attempt, took_us) = (*item, *attempt, *took_us);
                self.ended(&Ended { node, item, attempt, took_us, outcome: Outcome::Succeeded }, at_us, out);
            }
            Event::AttemptFailed { node, item, attempt, failure, retry_at, took_us, .. } => {
                let outcome = Outcome::Failed { failure, again: retry_at.is_some() };
                let (item, attempt, took_us) = (*item, *attempt, *took_us);
                self.ended(&Ended { node, item, attempt, took_us, outcome }, at_us, out);
            }
            Event::AttemptCancelled { node, item, attempt } => {
                let (item, attempt) = (*item, *attempt);
                self.ended(&Ended { node, item, attempt, took_us: 0, outcome: Outcome::Cancelled }, at_us, out);
            }
            Event::RunFinished { status, failure, .. } => {
                let failure = failure.as_ref().map(|failure| (failure.node.as_ref(), &failure.failure));
                self.finished(*status, failure, at_us, out);
            }
            // A node that was skipped, or took over what another run had, did not run; how a run was told to end shows in how it ends.
            Event::NodeSkipped { .. }
            | Event::NodeReused { .. }
            | Event::CancelRequested { .. }
            | Event::RunTimedOut { .. } => {}
        }
    }

    fn node(&mut self, node: &NodeId, at_us: u64) -> &mut NodeRun {
        let run = self.nodes.entry(node.clone()).or_insert(NodeRun {
            began_us: at_us,
            ended_us: at_us,
            attempts: 0,
            left: 1,
            iterates: false,
            cancelled: false,
            failed: None,
        });
        run.began_us = run.began_us.min(at_us);
        run.ended_us = run.ended_us.max(at_us);
        run
    }

    fn ended(&mut self, ended: &Ended<'_>, at_us: u64, out: &mut Vec<Span>) {
        let Ended { node, item, attempt, took_us, ref outcome } = *ended;
        let Some(begun) = &mut self.begun else { return };
        let began_us = self.open.remove(&(node.clone(), item, attempt));
        let (began_us, ended_us) = match began_us {
            Some(began_us) => (began_us, at_us.max(began_us)),
            // The journal counts milliseconds, and does not know when pure attempts began. None did before its run.
            None => {
                let began_us = at_us.saturating_sub(took_us).max(begun.at_us);
                (began_us, began_us.saturating_add(took_us))
            }
        };
        begun.latest_us = begun.latest_us.max(ended_us);
        let about = (self.about)(node);
        let (status, failed) = match outcome {
            Outcome::Succeeded => ("succeeded", None),
            Outcome::Failed { failure, .. } => ("failed", Some(code(failure))),
            Outcome::Cancelled => ("cancelled", None),
        };
        let mut attributes = of_node(&self.run, &begun.started, node, about.as_ref());
        attributes.push(("windflow.attempt", attempt.into()));
        attributes.extend(item.map(|item| ("windflow.item", item.into())));
        attributes.push(("windflow.status", status.into()));
        attributes.extend(failed.clone().map(|code| ("error.type", code.into())));
        out.push(Span {
            trace: begun.trace.trace,
            id: begun.trace.attempt(node, item, attempt),
            parent: Some(begun.trace.node(node)),
            parent_is_remote: false,
            state: begun.trace.state.clone(),
            name: format!("attempt {node}"),
            began_us,
            ended_us,
            failed: failed.clone(),
            attributes,
        });
        let collects = about.is_some_and(|about| about.collects);
        let run = self.node(node, began_us);
        run.ended_us = run.ended_us.max(ended_us);
        run.attempts += 1;
        run.cancelled |= matches!(outcome, Outcome::Cancelled);
        match outcome {
            // Of several items any may have failed before.
            Outcome::Succeeded if item.is_none() => run.failed = None,
            Outcome::Failed { again, .. } if item.is_none() || !(collects || *again) => run.failed = failed,
            _ => {}
        }
        if !matches!(outcome, Outcome::Failed { again: true, .. }) {
            run.left = run.left.saturating_sub(1);
            self.settle(node, out);
        }
    }

    /// Tells of a node of which nothing is left to do.
    fn settle(&mut self, node: &NodeId, out: &mut Vec<Span>) {
        if self.nodes.get(node).is_some_and(|run| run.left == 0)
            && let (Some(run), Some(begun)) = (self.nodes.remove(node), &self.begun)
        {
            out.push(self.node_span(begun, node, run));
        }
    }

    fn node_span(&self, begun: &Begun, node: &NodeId, run: NodeRun) -> Span {
        let status = match (&run.failed, run.cancelled) {
            (Some(_), _) => "failed",
            (None, true) => "cancelled",
            (None, false) => "succeeded",
        };
        let about = (self.about)(node);
        let mut attributes = of_node(&self.run, &begun.started, node, about.as_ref());
        attributes.push(("windflow.attempts", run.attempts.into()));
        attributes.push(("windflow.iterates", if run.iterates { "yes" } else { "no" }.into()));
        attributes.push(("windflow.status", status.into()));
        attributes.extend(run.failed.clone().map(|code| ("error.type", code.into())));
        Span {
            trace: begun.trace.trace,
            id: begun.trace.node(node),
            parent: Some(begun.trace.run()),
            parent_is_remote: false,
            state: begun.trace.state.clone(),
            name: format!("node {node}"),
            began_us: run.began_us,
            ended_us: run.ended_us,
            failed: run.failed,
            attributes,
        }
    }

    fn finished(
        &mut self,
        status: EndStatus,
        failure: Option<(Option<&NodeId>, &Failure)>,
        at_us: u64,
        out: &mut Vec<Span>,
    ) {
        let Some(begun) = self.begun.take() else { return };
        // Those that the end of the run cut short: of some items, or between two attempts.
        for (node, run) in std::mem::take(&mut self.nodes) {
            out.push(self.node_span(&begun, &node, run));
        }
        let Begun { trace, started, at_us: began_us, latest_us } = begun;
        let mut attributes = of_run(&self.run, &started);
        // Who started it may be somebody's name; by what it was started is none.
        let trigger = started.started_by.split([':', ' ']).next().unwrap_or_default();
        attributes.push(("windflow.trigger", trigger.into()));
        attributes.extend(started.repeats.map(|run| ("windflow.repeats", run.to_string().into())));
        let word = match status {
            EndStatus::Succeeded => "succeeded",
            EndStatus::Failed => "failed",
            EndStatus::Cancelled => "cancelled",
        };
        attributes.push(("windflow.status", word.into()));
        attributes
            .extend(failure.and_then(|(node, _)| node).map(|node| ("windflow.failed_node", node.as_str().into())));
        let failed = (status == EndStatus::Failed)
            .then(|| failure.map_or_else(|| "failed".to_owned(), |(_, failure)| code(failure)));
        attributes.extend(failed.clone().map(|code| ("error.type", code.into())));
        out.push(Span {
            trace: trace.trace,
            id: trace.run(),
            parent: trace.parent,
            // The run of another run is this program's.
            parent_is_remote: trace.parent.is_some() && started.parent.is_none(),
            state: trace.state,
            name: format!("run {}", started.workflow),
            began_us,
            ended_us: at_us.max(latest_us),
            failed,
            attributes,
        });
    }
}

fn of_run(run: &RunKey, started: &RunStarted) -> Vec<(&'static str, Attribute)> {
    vec![
        ("windflow.organisation", run.organisation.as_str().into()),
        ("windflow.workflow", started.workflow.as_str().into()),
        ("windflow.run", run.run.to_string().into()),
    ]
}

fn of_node(run: &RunKey, started: &RunStarted, node: &NodeId, about: Option<&About>) -> Vec<(&'static str, Attribute)> {
    let mut attributes = of_run(run, started);
    attributes.push(("windflow.node", node.as_str().into()));
    attributes.extend(about.map(|about| ("windflow.node_type", about.uses.to_string().into())));
    attributes
}

/// The code of a failure, where it is a word; a plugin may call its failures anything, what it was given included.
fn code(failure: &Failure) -> String {
    let code = &failure.code;
    let is_word = !code.is_empty()
        && code.len() <= MAX_CODE_BYTES
        && code.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-' | b'.'));
    if is_word { code.clone() } else { failure.kind.code().to_owned() }
}

#[cfg(test)]
mod tests;
