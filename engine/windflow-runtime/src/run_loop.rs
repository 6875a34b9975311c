//! One run, driven to its end: the only place that interprets effects and appends to the run's journal.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use windflow_core::capability::Grants;
use windflow_core::id::{RunId, RunKey};
use windflow_core::plan::NodeIndex;
use windflow_core::ports::store::{BoxFuture, Position, StoreError};
use windflow_core::problem::Problem;
use windflow_core::run::{
    Effect, Event, IllegalTransition, Phase, Record, RunState, Sequence, SkipReason, Step, Timestamp, apply,
};

use crate::admission::Place;
use crate::answer::{Answer, AnswerError};
use crate::attempt::{CancelFlag, Done};
use crate::child::Asleep;
use crate::load::Prepared;
use crate::report::RunReport;
use crate::service::Inner;
use crate::updates::{Update, Watchers};

mod begin;
mod settle;

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
    /// The engine has a mistake that this run shows. Other runs go on.
    #[error("the engine failed at this run: {0}")]
    Crashed(String),
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
    /// Steps whose runs this process watches.
    children: HashSet<Step>,
    /// Attempts that this process is at work on.
    live: HashMap<Step, u32>,
    in_flight: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Those of `in_flight` that only watch for something to be too late.
    guards: usize,
    /// How many runs that this one started wait for nothing but answers.
    asleep: Arc<Asleep>,
    pulse: Arc<Pulse>,
    /// Whether nothing goes on until somebody answers.
    idle: watch::Sender<bool>,
    answers_in: mpsc::Sender<Given>,
    answers: mpsc::Receiver<Given>,
    watchers: Arc<Watchers>,
    cancel_in: watch::Sender<Option<String>>,
    cancel: watch::Receiver<Option<String>>,
    cancel_flag: Arc<CancelFlag>,
    grants: Option<Arc<Grants>>,
    /// Where the workflow limits how many of its runs go on.
    place: Option<Place>,
}

/// What others see of a run that is under way without asking it.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Whether it waits for nothing but time, answers and other runs.
    pub(crate) rests: AtomicBool,
    /// Where its journal ends.
    pub(crate) sequence: AtomicU64,
    /// Where it ended when somebody last asked which runs went on.
    pub(crate) seen: AtomicU64,
}

struct Due {
    step: Step,
    attempt: u32,
    unknown: bool,
}

/// An answer, and where to say whether it was taken.
pub(crate) struct Given {
    pub(crate) answer: Answer,
    pub(crate) taken: oneshot::Sender<Result<Sequence, AnswerError>>,
}

/// What a run that waits was woken by.
enum Heard {
    Done(Done),
    Answer(Given),
    Change,
}

/// Answers that wait to be looked at.
const ANSWERS_WAITING: usize = 16;

impl RunLoop {
    pub(crate) fn new(
        inner: Arc<Inner>,
        key: RunKey,
        prepared: Arc<Prepared>,
        state: RunState,
        sequence: Sequence,
        cancel: Option<String>,
    ) -> Self {
        let (cancel_in, cancelled) = watch::channel(cancel);
        let (answers_in, answers) = mpsc::channel(ANSWERS_WAITING);
        let pulse = Pulse { sequence: sequence.into(), ..Pulse::default() };
        Self {
            inner,
            key,
            prepared,
            state,
            sequence,
            // What was read may not be durable: a run may be taken up by the very process that gave it up.
            position: Position::LATEST,
            queue: VecDeque::new(),
            children: HashSet::new(),
            live: HashMap::new(),
            in_flight: FuturesUnordered::new(),
            guards: 0,
            asleep: Arc::default(),
            pulse: Arc::new(pulse),
            idle: watch::Sender::new(false),
            answers_in,
            answers,
            watchers: Arc::default(),
            cancel_in,
            cancel: cancelled,
            cancel_flag: Arc::default(),
            grants: None,
            place: None,
        }
    }

    pub(crate) fn set_place(&mut self, place: Place) {
        self.place = Some(place);
    }

    /// Asks older runs to stop, where the workflow wants that.
    pub(crate) fn make_room(&self) {
        if let Some(place) = &self.place {
            place.make_room();
        }
    }

    pub(crate) fn key(&self) -> &RunKey {
        &self.key
    }

    pub(crate) fn watchers(&self) -> &Arc<Watchers> {
        &self.watchers
    }

    pub(crate) fn cancel_sender(&self) -> watch::Sender<Option<String>> {
        self.cancel_in.clone()
    }

    pub(crate) fn answers(&self) -> mpsc::Sender<Given> {
        self.answers_in.clone()
    }

    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    pub(crate) fn idle(&self) -> watch::Receiver<bool> {
        self.idle.subscribe()
    }

    /// Whether its nodes may have files.
    pub(crate) fn has_files(&self) -> bool {
        self.state.started().is_some_and(|started| started.grants.files)
    }

    pub(crate) fn is_child(&self) -> bool {
        self.parent().is_some()
    }

    /// The run that started this one, and waits for it.
    pub(crate) fn parent(&self) -> Option<RunId> {
        self.state.started()?.parent.as_ref().map(|parent| parent.run)
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
        self.pulse.sequence.store(self.sequence, Ordering::Relaxed);
        self.watchers.tell(|| Update::Event(self.sequence, Arc::new(record)));
        Ok(self.position)
    }

    /// Drives the run to its end and waits until that is durable.
    pub(crate) async fn drive(&mut self) -> Result<(), Lost> {
        self.watch_the_time();
        self.wait_for_place().await?;
        loop {
            self.hear_cancel()?;
            self.act()?;
            if matches!(self.state.phase(), Phase::Ended { .. }) {
                // Pure attempts that nobody needs any more end here.
                self.in_flight.clear();
                self.inner.store.durable(self.position).await?;
                return Ok(());
            }
            let asleep = self.asleep.count();
            if self.in_flight.len() == self.guards + asleep {
                self.tell_idle(asleep)?;
            } else {
                self.idle.send_if_modified(std::mem::take);
            }
            // A run that it waits for says for itself whether it is at work.
            let rests = self.live.is_empty() && self.queue.is_empty();
            if rests {
                // What needs no waiting comes first: a question is put, and a child started, before time may pass.
                if let Some(Some(done)) = self.in_flight.next().now_or_never() {
                    self.settle(done).await?;
                    continue;
                }
                self.inner.clock.rests();
                self.pulse.rests.store(true, Ordering::Relaxed);
            }
            let heard = tokio::select! {
                Some(done) = self.in_flight.next(), if !self.in_flight.is_empty() => Heard::Done(done),
                changed = self.cancel.changed() => changed.map(|()| Heard::Change).map_err(|_| Lost::Stopped)?,
                Some(given) = self.answers.recv() => Heard::Answer(given),
                () = self.asleep.changed() => Heard::Change,
            };
            if rests {
                self.pulse.rests.store(false, Ordering::Relaxed);
                self.inner.clock.works();
            }
            match heard {
                Heard::Done(done) => self.settle(done).await?,
                Heard::Answer(given) => self.answer(given).await?,
                Heard::Change => {}
            }
        }
    }

    /// Waits until the workflow's limit lets the run go on, or until it is asked to stop: then it ends without having begun.
    async fn wait_for_place(&mut self) -> Result<(), Lost> {
        let Some(place) = self.place.as_mut().filter(|place| place.is_waiting()) else { return Ok(()) };
        if self.cancel.borrow().is_some() {
            return Ok(());
        }
        self.pulse.rests.store(true, Ordering::Relaxed);
        self.inner.clock.rests();
        let late = tokio::select! {
            () = place.admitted() => None,
            _ = self.cancel.changed() => None,
            // Nothing but the time is watched so far.
            Some(done) = self.in_flight.next(), if !self.in_flight.is_empty() => Some(done),
        };
        self.pulse.rests.store(false, Ordering::Relaxed);
        self.inner.clock.works();
        match late {
            Some(done) => self.settle(done).await,
            None => {
                // The loop looks for itself whether it was asked to stop.
                self.cancel.mark_changed();
                Ok(())
            }
        }
    }

    /// The workflow's own `timeout:` counts from the beginning of the run, whichever process is at work on it.
    fn watch_the_time(&mut self) {
        if let Some(limit) = self.prepared.plan.timeout() {
            let at = self.state.started_at().0.saturating_add(milliseconds(limit));
            let sleep = self.inner.clock.sleep_until(Timestamp(at));
            self.guards += 1;
            self.in_flight.push(Box::pin(async move {
                sleep.await;
                Done::RunTimedOut { limit }
            }));
        }
    }

    /// All that the run waits for are answers, its own or those of runs that it started.
    fn tell_idle(&mut self, asleep: usize) -> Result<(), Lost> {
        if asleep == 0 && self.state.questions().next().is_none() {
            return Err(Lost::Stuck);
        }
        if !self.idle.send_replace(true) {
            self.watchers.tell(|| Update::Idle(self.sequence));
        }
        Ok(())
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
            self.idle.send_if_modified(std::mem::take);
            for effect in effects {
                self.interpret(&effect)?;
            }
        }
    }

    fn interpret(&mut self, effect: &Effect) -> Result<(), Lost> {
        match *effect {
            Effect::Skip { node, reason } => self.skip(node, reason),
            Effect::Attempt { step, attempt, not_before: None, unknown } => {
                self.queue.push_back(Due { step, attempt, unknown });
                Ok(())
            }
            Effect::Attempt { step, attempt, not_before: Some(at), .. } => {
                let sleep = self.inner.clock.sleep_until(at);
                self.in_flight.push(Box::pin(async move {
                    sleep.await;
                    Done::Due { step, attempt }
                }));
                Ok(())
            }
            // What is live hears the flag; what began in another process ended with it, and what waits just stops.
            Effect::Cancel { step, .. } if self.live.contains_key(&step) || self.children.contains(&step) => Ok(()),
            Effect::Cancel { step, attempt } if self.child_of(step).is_some() => {
                self.watch_child(step, attempt, None, self.position);
                Ok(())
            }
            Effect::Cancel { step, attempt } => self.cancelled(step, attempt),
            Effect::Finish { status } => self.finish(status),
        }
    }

    fn skip(&mut self, node: NodeIndex, reason: SkipReason) -> Result<(), Lost> {
        // Skipping one node can end the run or fail it before the next of the same batch is looked at.
        if !matches!(self.state.phase(), Phase::Running | Phase::Compensating { .. }) {
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
        if self.state.wants_attempt(due.step, due.attempt) {
            self.begin(&due)?;
        }
        Ok(true)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
