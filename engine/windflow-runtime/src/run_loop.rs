//! One run, driven to its end: the only place that interprets effects and appends to the run's journal.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::{broadcast, watch};
use windflow_core::capability::Grants;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::RunKey;
use windflow_core::json::Json;
use windflow_core::plan::NodeIndex;
use windflow_core::ports::store::{BoxFuture, Position, StoreError};
use windflow_core::problem::Problem;
use windflow_core::retry;
use windflow_core::run::{
    Effect, EndStatus, Event, IllegalTransition, Phase, Record, RunFailure, RunState, Sequence, SkipReason, Timestamp,
    apply,
};

use crate::attempt::{self, Attempt, CancelFlag, Done, RunObserver};
use crate::load::Prepared;
use crate::report::RunReport;
use crate::scope;
use crate::service::{Inner, updates_channel};
use crate::updates::Update;

/// Why a process gave up a run. Its journal keeps it: it can be resumed once the cause is gone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Lost {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event did not fit. The journal is of another document, or the engine has a mistake.
    #[error("the run contradicts itself: {0}")]
    Illegal(#[from] IllegalTransition),
    /// The document that the run pinned is not valid any more, for example because a plugin was removed.
    #[error("the workflow of the run cannot be run here any more: {}", .0.first().map_or("", |problem| &problem.message))]
    Document(Vec<Problem>),
    /// Nothing was in flight and nothing due, and yet the run had not ended.
    #[error("the run has nothing left to do and has not ended")]
    Stuck,
    /// The process is ending.
    #[error("the process stopped before the run ended")]
    Stopped,
}

pub(crate) struct RunLoop {
    inner: Arc<Inner>,
    key: RunKey,
    prepared: Arc<Prepared>,
    state: RunState,
    sequence: Sequence,
    position: Position,
    /// Attempts that are due and wait for a place.
    queue: VecDeque<Due>,
    /// Attempts that this process is at work on.
    live: HashMap<NodeIndex, u32>,
    in_flight: FuturesUnordered<BoxFuture<'static, Done>>,
    observer: Arc<RunObserver>,
    updates: broadcast::Sender<Update>,
    cancel_in: watch::Sender<Option<String>>,
    cancel: watch::Receiver<Option<String>>,
    cancel_flag: Arc<CancelFlag>,
    grants: Option<Arc<Grants>>,
}

struct Due {
    node: NodeIndex,
    attempt: u32,
    unknown: bool,
}

impl RunLoop {
    pub(crate) fn new(
        inner: Arc<Inner>,
        key: RunKey,
        prepared: Arc<Prepared>,
        state: RunState,
        sequence: Sequence,
        cancel: Option<String>,
    ) -> Self {
        let updates = updates_channel();
        let (cancel_in, cancelled) = watch::channel(cancel);
        Self {
            inner,
            key,
            prepared,
            state,
            sequence,
            position: Position::default(),
            queue: VecDeque::new(),
            live: HashMap::new(),
            in_flight: FuturesUnordered::new(),
            observer: Arc::new(RunObserver(updates.clone())),
            updates,
            cancel_in,
            cancel: cancelled,
            cancel_flag: Arc::default(),
            grants: None,
        }
    }

    pub(crate) fn key(&self) -> &RunKey {
        &self.key
    }

    pub(crate) fn updates(&self) -> &broadcast::Sender<Update> {
        &self.updates
    }

    pub(crate) fn cancel_sender(&self) -> watch::Sender<Option<String>> {
        self.cancel_in.clone()
    }

    pub(crate) fn report(&self) -> RunReport {
        RunReport::of(self.key.run, &self.prepared.plan, &self.state)
    }

    /// Records an event and folds it in.
    pub(crate) fn append(&mut self, event: Event) -> Result<Position, Lost> {
        let record = Record::new(self.inner.clock.now(), event);
        // Folded first: what does not fit must never reach the journal.
        apply(&mut self.state, &self.prepared.plan, &record)?;
        self.position = self.inner.store.append(&self.key, self.sequence, std::slice::from_ref(&record))?;
        self.sequence += 1;
        if self.updates.receiver_count() > 0 {
            // Nobody listening any more is no error.
            let _ = self.updates.send(Update::Event(self.sequence, Arc::new(record)));
        }
        Ok(self.position)
    }

    /// Drives the run to its end and waits until that is durable.
    pub(crate) async fn drive(&mut self) -> Result<(), Lost> {
        loop {
            self.hear_cancel()?;
            self.act()?;
            if matches!(self.state.phase(), Phase::Ended { .. }) {
                // Pure attempts that nobody needs any more end here.
                self.in_flight.clear();
                self.inner.store.durable(self.position).await?;
                return Ok(());
            }
            tokio::select! {
                done = self.in_flight.next() => match done {
                    Some(done) => self.settle(done)?,
                    None => return Err(Lost::Stuck),
                },
                changed = self.cancel.changed() => changed.map_err(|_| Lost::Stopped)?,
            }
        }
    }

    fn hear_cancel(&mut self) -> Result<(), Lost> {
        let by = self.cancel.borrow_and_update().clone();
        match by {
            Some(by) if *self.state.phase() == Phase::Running => {
                self.append(Event::CancelRequested { by })?;
                self.cancel_flag.raise();
            }
            _ => {}
        }
        Ok(())
    }

    /// Does everything that is due, until all that is left is to wait.
    fn act(&mut self) -> Result<(), Lost> {
        loop {
            let effects = self.state.take_effects();
            if effects.is_empty() && !self.begin_next()? {
                return Ok(());
            }
            for effect in effects {
                self.interpret(effect)?;
            }
        }
    }

    fn interpret(&mut self, effect: Effect) -> Result<(), Lost> {
        match effect {
            Effect::Skip { node, reason } => self.skip(node, reason),
            Effect::Attempt { node, attempt, not_before: None, unknown } => {
                self.queue.push_back(Due { node, attempt, unknown });
                Ok(())
            }
            Effect::Attempt { node, attempt, not_before: Some(at), .. } => {
                let sleep = self.inner.clock.sleep_until(at);
                self.in_flight.push(Box::pin(async move {
                    sleep.await;
                    Done::Due { node, attempt }
                }));
                Ok(())
            }
            // What is live hears the flag; what began in another process ended with it.
            Effect::Cancel { node, .. } if self.live.contains_key(&node) => Ok(()),
            Effect::Cancel { node, attempt } => {
                let node = self.prepared.plan.node(node).id.clone();
                self.append(Event::AttemptCancelled { node, attempt }).map(drop)
            }
            Effect::Finish { status } => self.finish(status),
        }
    }

    fn skip(&mut self, node: NodeIndex, reason: SkipReason) -> Result<(), Lost> {
        // Skipping one node can end the run or fail it before the next of the same batch is looked at.
        if *self.state.phase() != Phase::Running {
            return Ok(());
        }
        let node = self.prepared.plan.node(node).id.clone();
        self.append(Event::NodeSkipped { node, reason }).map(drop)
    }

    /// Begins the next attempt that waits for a place. False where none does, or no place is free.
    fn begin_next(&mut self) -> Result<bool, Lost> {
        if self.live.len() >= self.inner.config.max_attempts_per_run {
            return Ok(false);
        }
        let Some(due) = self.queue.pop_front() else { return Ok(false) };
        if self.state.wants_attempt(due.node, due.attempt) {
            self.begin(&due)?;
        }
        Ok(true)
    }

    fn begin(&mut self, due: &Due) -> Result<(), Lost> {
        let prepared = self.prepared.clone();
        let node = prepared.plan.node(due.node);
        if due.unknown && node.on_unknown == windflow_core::workflow::OnUnknown::Fail {
            let message = "the engine stopped during this attempt, so that nobody knows its outcome, and `on_unknown: fail` forbids trying again";
            return self.failed(due.node, due.attempt, Failure::new(FailureKind::OutcomeUnknown, message), 0);
        }
        let scope = scope::of_node(&self.key, &prepared, &self.state, due.node);
        if due.attempt == 1 && !due.unknown {
            match scope::condition(node, &scope) {
                Ok(true) => {}
                Ok(false) => return self.skip(due.node, SkipReason::Condition),
                Err(failure) => return self.failed(due.node, due.attempt, failure, 0),
            }
        }
        let checker = &prepared.checkers[due.node.0 as usize];
        let config = match scope::config(node, checker, &scope) {
            Ok(config) => config,
            Err(failure) => return self.failed(due.node, due.attempt, failure, 0),
        };
        let key = attempt::idempotency_key(&self.key, &node.id);
        let mut barrier = None;
        if !node.pure && !due.unknown {
            let started = Event::AttemptStarted { node: node.id.clone(), attempt: due.attempt, key: key.to_string() };
            barrier = Some(self.append(started)?);
        }
        self.live.insert(due.node, due.attempt);
        let attempt = Attempt { node: due.node, attempt: due.attempt, config, key, barrier, timeout: node.timeout };
        self.launch(attempt);
        Ok(())
    }

    fn launch(&mut self, attempt: Attempt) {
        let grants = match &self.grants {
            Some(grants) => grants.clone(),
            None => {
                let grants = self.state.started().map(|started| started.grants.clone()).unwrap_or_default();
                self.grants.insert(Arc::new(grants)).clone()
            }
        };
        if self.updates.receiver_count() > 0 {
            let node = self.prepared.plan.node(attempt.node).id.clone();
            let _ = self.updates.send(Update::Began { node, attempt: attempt.attempt });
        }
        let work = attempt::make(
            &self.inner,
            &self.key,
            &self.prepared,
            attempt,
            grants,
            self.observer.clone(),
            self.cancel_flag.clone(),
        );
        // An attempt that is alone runs on this very task: handing it to another thread and back costs as much as a small
        // node takes. Where several are due, each gets a task, so that they run in parallel.
        if self.in_flight.is_empty() && self.queue.is_empty() {
            self.in_flight.push(work);
        } else {
            self.in_flight.push(attempt::spawned(&self.inner.config.guests, work));
        }
    }

    fn settle(&mut self, done: Done) -> Result<(), Lost> {
        match done {
            Done::Due { node, attempt } => {
                self.queue.push_back(Due { node, attempt, unknown: false });
                Ok(())
            }
            Done::Lost(error) => Err(error.into()),
            Done::Ended { node, attempt, result, took_us } => {
                self.live.remove(&node);
                if !self.state.wants_attempt(node, attempt) {
                    // A pure attempt of a run that is failing or cancelling: its node never began, as far as anybody knows.
                    return Ok(());
                }
                match result {
                    Ok(emission) => {
                        let node = self.prepared.plan.node(node).id.clone();
                        let (port, output) = (emission.port, emission.output);
                        self.append(Event::AttemptSucceeded { node, attempt, port, output, took_us }).map(drop)
                    }
                    Err(failure)
                        if failure.kind == FailureKind::Cancelled && *self.state.phase() == Phase::Cancelling =>
                    {
                        let node = self.prepared.plan.node(node).id.clone();
                        self.append(Event::AttemptCancelled { node, attempt }).map(drop)
                    }
                    Err(failure) => self.failed(node, attempt, failure, took_us),
                }
            }
        }
    }

    fn failed(&mut self, index: NodeIndex, attempt: u32, failure: Failure, took_us: u64) -> Result<(), Lost> {
        let prepared = self.prepared.clone();
        let node = prepared.plan.node(index);
        let wait = retry::wait(node.retry.as_ref(), attempt, &failure, self.inner.clock.chance());
        let retry_at = wait.filter(|_| *self.state.phase() == Phase::Running).map(|wait| {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            Timestamp(self.inner.clock.now().0.saturating_add(wait))
        });
        let node = node.id.clone();
        self.append(Event::AttemptFailed { node, attempt, failure, retry_at, took_us }).map(drop)
    }

    fn finish(&mut self, status: EndStatus) -> Result<(), Lost> {
        let (status, outputs, failure) = match status {
            EndStatus::Succeeded => match scope::outputs(&self.key, &self.prepared, &self.state) {
                Ok(outputs) => (status, Some(Json::from(outputs)), None),
                Err(failure) => (EndStatus::Failed, None, Some(RunFailure { node: None, failure })),
            },
            EndStatus::Failed => match self.state.phase() {
                Phase::Failing(failure) => (status, None, Some(failure.clone())),
                _ => (status, None, None),
            },
            EndStatus::Cancelled => (status, None, None),
        };
        self.append(Event::RunFinished { status, outputs, failure }).map(drop)
    }
}
