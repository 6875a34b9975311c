//! Attempts begin.

use std::sync::Arc;

use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::RunKey;
use windflow_core::native::Native;
use windflow_core::plan::PlanNode;
use windflow_core::ports::store::Position;
use windflow_core::run::{Event, NodeState, SkipReason, Step, Wait};
use windflow_core::trace::{RunTrace, TraceContext};
use windflow_core::workflow::OnUnknown;

use super::{Due, Lost, RunLoop};
use crate::attempt::{self, Attempt, CancelFlag, Course, Done};
use crate::load::Prepared;
use crate::service::Runtime;
use crate::start::Begin;
use crate::updates::Update;
use crate::{child, native, scope};

impl RunLoop {
    pub(super) fn begin(&mut self, due: &Due) -> Result<(), Lost> {
        let prepared = self.prepared.clone();
        let Due { step, attempt, unknown } = *due;
        let node = prepared.plan.node(step.node);
        if unknown {
            if let NodeState::Running { wait: Some(wait), .. } = self.state.step(step) {
                // A wait has no outcome that could be unknown.
                let wait = wait.clone();
                return match self.child_again(&prepared, node, step, attempt, &wait) {
                    Ok(child) => {
                        self.wait(step, attempt, &wait, child, self.position);
                        Ok(())
                    }
                    Err(failure) => self.failed(step, attempt, failure, Course::default()),
                };
            }
            if node.on_unknown == OnUnknown::Fail {
                let message = "the engine stopped during this attempt, so that nobody knows its outcome, and `on_unknown: fail` forbids trying again";
                return self.failed(
                    step,
                    attempt,
                    Failure::new(FailureKind::OutcomeUnknown, message),
                    Course::default(),
                );
            }
        }
        let reused = self.state.started().is_some_and(|started| started.reused.contains_key(&node.id));
        if reused && step.item.is_none() && !node.compensates {
            return self.append(Event::NodeReused { node: node.id.clone() }).map(drop);
        }
        match self.prepare(&prepared, node, due) {
            Ok(Next::Attempt(config)) => self.attempt(&prepared, node, due, config),
            Ok(Next::Wait(wait, child)) => {
                let key = attempt::idempotency_key(&self.key, &node.id, step.item).to_string();
                let (id, item) = (node.id.clone(), step.item);
                let position =
                    self.append(Event::AttemptStarted { node: id, item, attempt, key, wait: Some(wait.clone()) })?;
                self.wait(step, attempt, &wait, child, position);
                Ok(())
            }
            Ok(Next::Items(items)) => self.append(Event::ItemsListed { node: node.id.clone(), items }).map(drop),
            Ok(Next::Skip) => self.skip(step.node, SkipReason::Condition),
            Err(failure) => self.failed(step, attempt, failure, Course::default()),
        }
    }

    /// Evaluates what decides how the step begins.
    fn prepare(&self, prepared: &Prepared, node: &PlanNode, due: &Due) -> Result<Next, Failure> {
        let step = due.step;
        let scope = scope::of_step(&self.key, prepared, &self.state, step);
        if step.item.is_none() && !due.unknown {
            if due.attempt == 1 && !scope::condition(node, &scope)? {
                return Ok(Next::Skip);
            }
            if let Some(each) = &node.for_each {
                return Ok(Next::Items(scope::items(each, &scope)?));
            }
        }
        let config = scope::config(node, &prepared.checkers[step.node.0 as usize], &scope)?;
        match node.native {
            Some(Native::Workflow) => {
                let run = child::run_id(&self.key, &node.id, step.item, due.attempt, self.inner.clock.now());
                let trace = self.trace(node, step, due.attempt);
                let begin = child::begin(&self.inner, &self.key, &self.state, node, step, trace, &config)?;
                Ok(Next::Wait(Wait::Child { run }, Some(Box::new(begin))))
            }
            Some(kind) => {
                let callbacks = self.state.started().and_then(|started| started.callbacks.as_ref());
                let wait = native::wait(kind, (node, step.item), &config, callbacks, &*self.inner.clock)?;
                Ok(Next::Wait(wait, None))
            }
            None => serde_json::to_vec(&config)
                .map(Next::Attempt)
                .map_err(|error| Failure::new(FailureKind::InvalidConfig, error.to_string())),
        }
    }

    fn attempt(&mut self, prepared: &Prepared, node: &PlanNode, due: &Due, config: Vec<u8>) -> Result<(), Lost> {
        let Due { step, attempt, unknown } = *due;
        let key = attempt::idempotency_key(&self.key, &node.id, step.item);
        let trace = self.trace(node, step, attempt);
        if !node.pure && !unknown {
            let (id, item) = (node.id.clone(), step.item);
            let started = Event::AttemptStarted { node: id, item, attempt, key: key.to_string(), wait: None };
            self.append(started)?;
        }
        let barrier = (!node.pure).then_some(self.position);
        self.live.insert(step, attempt);
        let compensates = prepared.plan.node(step.node).compensates;
        self.launch(Attempt { step, attempt, config, key, trace, barrier, timeout: node.timeout }, compensates);
        Ok(())
    }

    fn launch(&mut self, attempt: Attempt, compensates: bool) {
        let grants = match &self.grants {
            Some(grants) => grants.clone(),
            None => {
                let grants = self.state.started().map(|started| started.grants.clone()).unwrap_or_default();
                self.grants.insert(Arc::new(grants)).clone()
            }
        };
        self.watchers.tell(|| {
            let node = self.prepared.plan.node(attempt.step.node).id.clone();
            Update::Began { node, item: attempt.step.item, attempt: attempt.attempt }
        });
        // Undoing is what is left to do in a run that was cancelled: nobody cancels that.
        let cancel = if compensates { Arc::new(CancelFlag::default()) } else { self.cancel_flag.clone() };
        let observer = self.watchers.clone();
        let work = attempt::make(&self.inner, &self.key, &self.prepared, attempt, grants, observer, cancel);
        // An attempt that is alone runs on this very task: handing it to another thread and back costs as much as a small
        // node takes. Where several are due, each gets a task, so that they run in parallel.
        if self.in_flight.is_empty() && self.queue.is_empty() {
            self.in_flight.push(work);
        } else {
            self.in_flight.push(attempt::spawned(&self.inner.config.guests, work));
        }
    }

    /// What an attempt tells those whom it asks for something, where traces are told.
    fn trace(&self, node: &PlanNode, step: Step, attempt: u32) -> Option<TraceContext> {
        let sampling = self.inner.config.traces?;
        let from = self.state.started()?.trace_context();
        Some(RunTrace::of(&self.key, from, sampling).handed_out(&node.id, step.item, attempt))
    }

    /// What a step that waits for another run has to start, where it did not come to that.
    fn child_again(
        &self,
        prepared: &Prepared,
        node: &PlanNode,
        step: Step,
        attempt: u32,
        wait: &Wait,
    ) -> Result<Option<Box<Begin>>, Failure> {
        if !matches!(wait, Wait::Child { .. }) {
            return Ok(None);
        }
        let scope = scope::of_step(&self.key, prepared, &self.state, step);
        let config = scope::config(node, &prepared.checkers[step.node.0 as usize], &scope)?;
        let trace = self.trace(node, step, attempt);
        child::begin(&self.inner, &self.key, &self.state, node, step, trace, &config).map(|begin| Some(Box::new(begin)))
    }

    /// Waits for what a step waits for, once it is durable that it does.
    fn wait(&mut self, step: Step, attempt: u32, wait: &Wait, child: Option<Box<Begin>>, recorded: Position) {
        let (until, question) = match wait {
            Wait::Child { .. } => return self.watch_child(step, attempt, child, recorded),
            Wait::Until { at } => (Some(*at), None),
            Wait::Answer(question) => (question.expires, Some(question.clone())),
        };
        let store = self.inner.store.clone();
        if let Some(question) = question {
            let store = store.clone();
            self.in_flight.push(Box::pin(async move {
                match store.durable(recorded).await {
                    Ok(()) => Done::Asked { step, question },
                    Err(error) => Done::Lost(error),
                }
            }));
        }
        // A timer that only says when an answer comes too late is nothing that goes on.
        let guard = matches!(wait, Wait::Answer(_)) && until.is_some();
        self.guards += usize::from(guard);
        if let Some(at) = until {
            let sleep = self.inner.clock.sleep_until(at);
            self.in_flight.push(Box::pin(async move {
                if let Err(error) = store.durable(recorded).await {
                    return Done::Lost(error);
                }
                sleep.await;
                Done::TimeIsUp { step, attempt, guard }
            }));
        }
    }
}

impl RunLoop {
    /// The run that a step waits for.
    pub(super) fn child_of(&self, step: Step) -> Option<RunKey> {
        match self.state.step(step) {
            NodeState::Running { wait: Some(Wait::Child { run }), .. } => {
                Some(RunKey { organisation: self.key.organisation.clone(), run: *run })
            }
            _ => None,
        }
    }

    /// Starts the run of a step, where it is to be started, and waits for its end; stops it once this run is to stop.
    pub(super) fn watch_child(&mut self, step: Step, attempt: u32, begin: Option<Box<Begin>>, recorded: Position) {
        let Some(child) = self.child_of(step) else { return };
        self.children.insert(step);
        let (inner, cancel, asleep) = (self.inner.clone(), self.cancel_flag.clone(), self.asleep.clone());
        // A recovered run that is cancelling heard of it in another process.
        if begin.is_none() {
            cancel.raise();
        }
        self.in_flight.push(Box::pin(async move {
            if let Err(error) = inner.store.durable(recorded).await {
                return Done::Lost(error);
            }
            let began = std::time::Instant::now();
            let (result, ran) = match child::watch(&Runtime(inner), &child, begin, &cancel, &asleep).await {
                Ok(ended) => ended,
                Err(lost) => return Done::GivenUp(lost),
            };
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            Done::ChildEnded { step, attempt, result, took_us, ran }
        }));
    }
}

/// How a step begins.
enum Next {
    /// With an attempt in the sandbox, with this configuration.
    Attempt(Vec<u8>),
    /// With a wait, of which another run may be the reason.
    Wait(Wait, Option<Box<Begin>>),
    /// With the list of its items.
    Items(windflow_core::json::Json),
    /// Not at all.
    Skip,
}
