//! Attempts begin.

use std::sync::Arc;

use windflow_core::failure::{Failure, FailureKind};
use windflow_core::plan::PlanNode;
use windflow_core::ports::store::Position;
use windflow_core::run::{Event, NodeState, SkipReason, Step, Wait};
use windflow_core::workflow::OnUnknown;

use super::{Due, Lost, RunLoop};
use crate::attempt::{self, Attempt, CancelFlag, Done};
use crate::load::Prepared;
use crate::updates::Update;
use crate::{native, scope};

impl RunLoop {
    pub(super) fn begin(&mut self, due: &Due) -> Result<(), Lost> {
        let prepared = self.prepared.clone();
        let Due { step, attempt, unknown } = *due;
        let node = prepared.plan.node(step.node);
        if unknown {
            if let NodeState::Running { wait: Some(wait), .. } = self.state.step(step) {
                // A wait has no outcome that could be unknown.
                let wait = wait.clone();
                self.wait(step, attempt, &wait, self.position);
                return Ok(());
            }
            if node.on_unknown == OnUnknown::Fail {
                let message = "the engine stopped during this attempt, so that nobody knows its outcome, and `on_unknown: fail` forbids trying again";
                return self.failed(step, attempt, Failure::new(FailureKind::OutcomeUnknown, message), 0);
            }
        }
        match self.prepare(&prepared, node, due) {
            Ok(Next::Attempt(config)) => self.attempt(&prepared, node, due, config),
            Ok(Next::Wait(wait)) => {
                let key = attempt::idempotency_key(&self.key, &node.id, step.item).to_string();
                let (id, item) = (node.id.clone(), step.item);
                let position =
                    self.append(Event::AttemptStarted { node: id, item, attempt, key, wait: Some(wait.clone()) })?;
                self.wait(step, attempt, &wait, position);
                Ok(())
            }
            Ok(Next::Items(items)) => self.append(Event::ItemsListed { node: node.id.clone(), items }).map(drop),
            Ok(Next::Skip) => self.skip(step.node, SkipReason::Condition),
            Err(failure) => self.failed(step, attempt, failure, 0),
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
            Some(kind) => Ok(Next::Wait(native::wait(kind, node, &config, &*self.inner.clock)?)),
            None => serde_json::to_vec(&config)
                .map(Next::Attempt)
                .map_err(|error| Failure::new(FailureKind::InvalidConfig, error.to_string())),
        }
    }

    fn attempt(&mut self, prepared: &Prepared, node: &PlanNode, due: &Due, config: Vec<u8>) -> Result<(), Lost> {
        let Due { step, attempt, unknown } = *due;
        let key = attempt::idempotency_key(&self.key, &node.id, step.item);
        let mut barrier = None;
        if !node.pure && !unknown {
            let (id, item) = (node.id.clone(), step.item);
            let started = Event::AttemptStarted { node: id, item, attempt, key: key.to_string(), wait: None };
            barrier = Some(self.append(started)?);
        }
        self.live.insert(step, attempt);
        let compensates = prepared.plan.node(step.node).compensates;
        self.launch(Attempt { step, attempt, config, key, barrier, timeout: node.timeout }, compensates);
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
        if self.updates.receiver_count() > 0 {
            let node = self.prepared.plan.node(attempt.step.node).id.clone();
            let _ = self.updates.send(Update::Began { node, item: attempt.step.item, attempt: attempt.attempt });
        }
        // Undoing is what is left to do in a run that was cancelled: nobody cancels that.
        let cancel = if compensates { Arc::new(CancelFlag::default()) } else { self.cancel_flag.clone() };
        let observer = self.observer.clone();
        let work = attempt::make(&self.inner, &self.key, &self.prepared, attempt, grants, observer, cancel);
        // An attempt that is alone runs on this very task: handing it to another thread and back costs as much as a small
        // node takes. Where several are due, each gets a task, so that they run in parallel.
        if self.in_flight.is_empty() && self.queue.is_empty() {
            self.in_flight.push(work);
        } else {
            self.in_flight.push(attempt::spawned(&self.inner.config.guests, work));
        }
    }

    /// Waits for what a step waits for, once it is durable that it does.
    fn wait(&mut self, step: Step, attempt: u32, wait: &Wait, recorded: Position) {
        let (until, question) = match wait {
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

/// How a step begins.
enum Next {
    /// With an attempt in the sandbox, with this configuration.
    Attempt(Vec<u8>),
    /// With a wait.
    Wait(Wait),
    /// With the list of its items.
    Items(windflow_core::json::Json),
    /// Not at all.
    Skip,
}
