//! The handle to the runtime.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use windflow_core::id::{NodeId, RunId, RunKey};
use windflow_core::ports::events::Events;
use windflow_core::ports::files::FileStore;
use windflow_core::ports::host::Host;
use windflow_core::ports::state::StateStore;
use windflow_core::ports::store::{Position, Store, StoreError};
use windflow_core::rerun::Verdict;
use windflow_core::run::{Asked, Question, Sequence};
use windflow_core::trace::Sampling;

use crate::admission::Admission;
use crate::answer::{Answer, AnswerError, Reply};
use crate::awaiting::Awaiting;
use crate::clock::Clock;
use crate::files;
use crate::load::{Plans, replay};
use crate::report::RunReport;
use crate::rerun::{Rerun, RerunError};
use crate::run_loop::{Given, Lost, Pulse, RunLoop};
use crate::stalled::{Stalled, StalledRuns, words};
use crate::start::{Begin, ResumeError, Start, StartError, Started};
use crate::updates::{UPDATES_KEPT, Updates, Watchers};

/// Settings of the runtime.
#[derive(Clone)]
pub struct Config {
    /// The executor of run loops and guests: threads of their own, so that no guest starves anything else.
    pub guests: tokio::runtime::Handle,
    /// Attempts that run at the same time, over all runs. Each needs a sandbox; more wait their turn.
    pub max_attempts: usize,
    /// Attempts that one run has in flight at the same time.
    pub max_attempts_per_run: usize,
    /// Runs that have not ended, waiting ones included. Beyond that none is started by itself; those that runs start are.
    pub max_runs: usize,
    /// The longest that an attempt may take where its node says nothing.
    pub attempt_timeout: Duration,
    /// Who answers before anybody is asked.
    pub responder: Option<Arc<dyn Responder>>,
    /// Keeps what nodes want to have in their next run.
    pub state: Option<Arc<dyn StateStore>>,
    /// Keeps the files of runs until they end.
    pub files: Option<Arc<dyn FileStore>>,
    /// Under which address systems reach the server, to report back to `callback` nodes.
    pub callbacks_at: Option<String>,
    /// Of how many runs traces are told; none where none are.
    pub traces: Option<Sampling>,
}

/// Answers questions in place of people and other systems.
pub trait Responder: Send + Sync {
    /// The answer; none where it has to come from outside.
    fn respond(&self, node: &NodeId, item: Option<u32>, question: &Question) -> Option<Reply>;
}

impl Config {
    /// Sensible settings on an executor.
    #[must_use]
    pub fn new(guests: tokio::runtime::Handle) -> Self {
        Self {
            guests,
            max_attempts: 512,
            max_attempts_per_run: 128,
            max_runs: 100_000,
            attempt_timeout: Duration::from_secs(300),
            responder: None,
            state: None,
            files: None,
            callbacks_at: None,
            traces: None,
        }
    }
}

/// Starts runs, resumes them and tells how they stand. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Config,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) plans: Plans,
    pub(crate) admission: Arc<Admission>,
    pub(crate) events: OnceLock<Arc<dyn Events>>,
    pub(crate) awaiting: Awaiting,
    active: Mutex<HashMap<RunKey, Active>>,
    stalled: StalledRuns,
    turns: broadcast::Sender<Turn>,
}

/// A run that this process is at work on.
#[derive(Clone)]
struct Active {
    parent: Option<RunId>,
    cancel: watch::Sender<Option<String>>,
    idle: watch::Receiver<bool>,
    pulse: Arc<Pulse>,
    answers: mpsc::Sender<Given>,
    watchers: Weak<Watchers>,
    ended: watch::Receiver<Option<Ended>>,
}

/// A run was taken up by this process, or let go of.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It is under way. Its beginning may not be durable yet.
    Began(RunKey),
    /// One of its nodes asks something, durably. Told again where another process takes the run up.
    Asked {
        /// The run.
        run: RunKey,
        /// The node.
        node: NodeId,
        /// Which item, where the node runs for each of several.
        item: Option<u32>,
        /// Whether a person is asked.
        of: Asked,
        /// What is asked.
        message: Option<String>,
    },
    /// It has ended, durably, or was given up until somebody resumes it.
    Left(RunKey),
}

/// Which runs are taken up and let go of, of every organisation. Bounded: one who reads too slowly misses some.
#[derive(Debug)]
pub struct Turns(broadcast::Receiver<Turn>);

impl Turns {
    /// The next one; `Err(n)` says that `n` were missed; nothing once the runtime is gone.
    pub async fn next(&mut self) -> Option<Result<Turn, u64>> {
        match self.0.recv().await {
            Ok(turn) => Some(Ok(turn)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

type Ended = Result<Arc<RunReport>, Arc<Lost>>;

impl Runtime {
    /// A runtime over its ports.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, host: Arc<dyn Host>, clock: Arc<dyn Clock>, config: Config) -> Self {
        let slots = Arc::new(Semaphore::new(config.max_attempts));
        let (plans, active, turns) = (Plans::default(), Mutex::default(), broadcast::Sender::new(UPDATES_KEPT));
        let (admission, events, stalled) = (Arc::default(), OnceLock::new(), StalledRuns::default());
        let awaiting = Awaiting::default();
        Self(Arc::new(Inner {
            store,
            host,
            clock,
            config,
            slots,
            plans,
            admission,
            events,
            awaiting,
            active,
            stalled,
            turns,
        }))
    }

    /// Says who is told of the events that nodes publish: whoever starts what listens, which needs a runtime first. Once;
    /// where nobody was named nobody listens.
    pub fn tell_events(&self, events: Arc<dyn Events>) {
        let _ = self.0.events.set(events);
    }

    /// Starts a run. It is under way at once; hand its id to others only after [`Runtime::durable`] of the position.
    ///
    /// # Errors
    /// [`StartError::Invalid`] with every problem of the document or its inputs; [`StartError::Store`].
    pub fn start(&self, start: Start) -> Result<Started, StartError> {
        self.start_as(start, self.0.clock.new_run_id())
    }

    /// The same, with an id that the caller has chosen: what must not start twice is started under an id that follows from
    /// its cause. The id should begin with the time, as [`Clock::new_run_id`] makes them.
    ///
    /// # Errors
    /// As [`Runtime::start`], and [`StartError::Exists`].
    pub fn start_as(&self, start: Start, run: RunId) -> Result<Started, StartError> {
        let (run_loop, position) = crate::start::start(&self.0, start, run)?;
        self.launch(run_loop);
        Ok(Started { run, position })
    }

    /// As [`Runtime::start`], for one who watches: with everything that happens in the run after its beginning.
    ///
    /// # Errors
    /// As [`Runtime::start`].
    pub fn start_watched(&self, start: Start) -> Result<(Started, Updates), StartError> {
        let run = self.0.clock.new_run_id();
        let (run_loop, position) = crate::start::start(&self.0, start, run)?;
        let updates = run_loop.watchers().watch();
        self.launch(run_loop);
        Ok((Started { run, position }, updates))
    }

    /// What a new run can take over from an old one, with the reasons.
    ///
    /// # Errors
    /// [`RerunError`]: the old run is unknown, has not ended, or the document is not fit to run.
    pub fn judge_rerun(&self, key: &RunKey, rerun: &Rerun) -> Result<Verdict, RerunError> {
        crate::rerun::judge(&self.0, key, rerun).map(|(verdict, _)| verdict)
    }

    /// Starts a run that repeats another with the same inputs and takes over what is sound to.
    ///
    /// # Errors
    /// As [`Runtime::judge_rerun`], and as [`Runtime::start`].
    pub fn rerun(&self, key: &RunKey, rerun: Rerun) -> Result<Started, RerunError> {
        self.rerun_as(key, rerun, self.0.clock.new_run_id())
    }

    /// The same, with an id that the caller has chosen, as [`Runtime::start_as`] takes it.
    ///
    /// # Errors
    /// As [`Runtime::rerun`], and [`StartError::Exists`].
    pub fn rerun_as(&self, key: &RunKey, rerun: Rerun, run: RunId) -> Result<Started, RerunError> {
        let (run_loop, started) = self.repeat(key, rerun, run)?;
        self.launch(run_loop);
        Ok(started)
    }

    /// As [`Runtime::rerun`], for one who watches: with everything that happens in the run after its beginning.
    ///
    /// # Errors
    /// As [`Runtime::rerun`].
    pub fn rerun_watched(&self, key: &RunKey, rerun: Rerun) -> Result<(Started, Updates), RerunError> {
        let (run_loop, started) = self.repeat(key, rerun, self.0.clock.new_run_id())?;
        let updates = run_loop.watchers().watch();
        self.launch(run_loop);
        Ok((started, updates))
    }

    fn repeat(&self, key: &RunKey, rerun: Rerun, run: RunId) -> Result<(RunLoop, Started), RerunError> {
        let begin = crate::rerun::begin(&self.0, key, rerun)?;
        let (run_loop, position) = crate::start::begin(&self.0, begin, run)?;
        Ok((run_loop, Started { run, position }))
    }

    /// Starts a run on behalf of another, once: where it was started before it goes on.
    /// True: it was not.
    pub(crate) fn start_child(&self, begin: Begin, run: RunId) -> Result<bool, StartError> {
        match crate::start::begin(&self.0, begin, run) {
            Ok((run_loop, _)) => {
                self.launch(run_loop);
                Ok(true)
            }
            Err(StartError::Exists(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing goes on in a run that this process is at work on until somebody answers.
    pub(crate) fn idle(&self, key: &RunKey) -> Option<watch::Receiver<bool>> {
        Some(self.active(key)?.idle)
    }

    /// Goes on with a run that no process is at work on. A run that this process is at work on just goes on.
    ///
    /// # Errors
    /// [`ResumeError`]: it has ended, is unknown, or what it pinned is not installed.
    pub fn resume(&self, key: &RunKey) -> Result<(), ResumeError> {
        match self.active(key) {
            Some(_) => Ok(()),
            None => self.take_up(key, None, |_| ()),
        }
    }

    /// As [`Runtime::resume`], for one who watches: with everything that happens in the run from now on.
    ///
    /// # Errors
    /// As [`Runtime::resume`].
    pub fn resume_watched(&self, key: &RunKey) -> Result<Updates, ResumeError> {
        match self.updates(key) {
            Some(updates) => Ok(updates),
            None => self.take_up(key, None, Watchers::watch),
        }
    }

    fn take_up<T>(
        &self,
        key: &RunKey,
        cancel: Option<String>,
        watch: impl FnOnce(&Watchers) -> T,
    ) -> Result<T, ResumeError> {
        // A journal that the engine cannot fold must keep nothing else from going on.
        let resume = AssertUnwindSafe(|| crate::start::resume(&self.0, key, cancel));
        let resumed = catch_unwind(resume).unwrap_or_else(|panic| Err(Lost::Crashed(words(&*panic)).into()));
        match resumed {
            Ok(run_loop) => {
                let watched = watch(run_loop.watchers());
                self.launch(run_loop);
                Ok(watched)
            }
            Err(error) => {
                let unknown = matches!(error, ResumeError::Lost(Lost::Store(StoreError::NotFound(_))));
                if !unknown && !matches!(error, ResumeError::Ended(_)) {
                    self.stall(key, error.to_string());
                }
                Err(error)
            }
        }
    }

    /// Says that a run does not go on until somebody resumes it.
    pub fn stall(&self, key: &RunKey, reason: String) {
        tracing::error!(run = %key.run, reason, "a run does not go on until somebody resumes it");
        self.0.stalled.add(key, reason, self.0.clock.now());
    }

    /// Why a run does not go on, where this process had to give it up or could not take it up.
    #[must_use]
    pub fn stalled(&self, key: &RunKey) -> Option<Stalled> {
        self.0.stalled.get(key)
    }

    /// How many runs do not go on until somebody resumes them.
    #[must_use]
    pub fn stalled_count(&self) -> usize {
        self.0.stalled.count()
    }

    /// Asks a run to stop. One that no process is at work on is taken up for that; its attempts whose outcome nobody
    /// knows count as cancelled.
    ///
    /// # Errors
    /// As [`Runtime::resume`].
    pub fn cancel(&self, key: &RunKey, by: &str) -> Result<(), ResumeError> {
        match self.active(key) {
            Some(active) => {
                active.cancel.send_replace(Some(by.to_owned()));
                Ok(())
            }
            None => self.take_up(key, Some(by.to_owned()), |_| ()),
        }
    }

    /// Answers what a run asks. One that no process is at work on is taken up for that, and goes on. Returns the
    /// place of the answer in the journal, once it is durable.
    ///
    /// # Errors
    /// [`AnswerError`]: the run asks nothing of that kind, or the answer does not fit; the run is as it was.
    pub async fn answer(&self, key: &RunKey, answer: Answer) -> Result<Sequence, AnswerError> {
        // A run may end, or be taken up, between two looks at it.
        for _ in 0..3 {
            self.resume(key)?;
            let Some(active) = self.active(key) else { continue };
            let (taken, verdict) = oneshot::channel();
            if active.answers.send(Given { answer: answer.clone(), taken }).await.is_err() {
                continue;
            }
            if let Ok(verdict) = verdict.await {
                return verdict;
            }
        }
        Err(ResumeError::Lost(Lost::Stopped).into())
    }

    /// Waits until a run that this process is at work on has ended, durably.
    ///
    /// # Errors
    /// [`Lost`] where the process had to give the run up; the journal keeps it.
    pub async fn wait(&self, key: &RunKey) -> Result<Arc<RunReport>, Arc<Lost>> {
        let Some(mut active) = self.active(key) else {
            return self.report(key).map(Arc::new).map_err(Arc::new);
        };
        match active.ended.wait_for(Option::is_some).await.map(|ended| ended.clone()) {
            Ok(Some(ended)) => ended,
            _ => Err(Arc::new(Lost::Stopped)),
        }
    }

    /// What happens in a run from now on; nothing where this process is not at work on it.
    #[must_use]
    pub fn updates(&self, key: &RunKey) -> Option<Updates> {
        self.active(key)?.watchers.upgrade().map(|watchers| watchers.watch())
    }

    /// The runs that do more than waiting for time, answers or other runs: a process that ends should let their attempts
    /// end. All others lose nothing by being taken up again.
    #[must_use]
    pub fn working_runs(&self) -> Vec<RunKey> {
        let active = self.lock();
        active.iter().filter(|(_, run)| !run.pulse.rests.load(Ordering::Relaxed)).map(|(key, _)| key.clone()).collect()
    }

    /// Whether a run waits for others of its workflow to end, as the workflow's `concurrency:` asks.
    #[must_use]
    pub fn is_queued(&self, key: &RunKey) -> bool {
        self.0.admission.is_queued(key)
    }

    /// The runs that this process is at work on.
    #[must_use]
    pub fn active_runs(&self) -> Vec<RunKey> {
        self.lock().keys().cloned().collect()
    }

    /// The runs that this process is at work on whose journals grew since this was last asked. For one who follows them all: whoever else asks
    /// takes them away.
    #[must_use]
    pub fn grown(&self) -> Vec<RunKey> {
        let grew = |pulse: &Pulse| {
            let sequence = pulse.sequence.load(Ordering::Relaxed);
            pulse.seen.swap(sequence, Ordering::Relaxed) != sequence
        };
        self.lock().iter().filter(|(_, run)| grew(&run.pulse)).map(|(key, _)| key.clone()).collect()
    }

    /// Which runs are taken up and let go of from now on.
    #[must_use]
    pub fn turns(&self) -> Turns {
        Turns(self.0.turns.subscribe())
    }

    /// How a run stands, read from its journal.
    ///
    /// # Errors
    /// [`Lost`] where it cannot be read or replayed.
    pub fn report(&self, key: &RunKey) -> Result<RunReport, Lost> {
        let replayed = replay(&self.0, key)?;
        Ok(RunReport::of(key.run, &replayed.prepared.plan, &replayed.state))
    }

    /// Takes away the files of runs that have ended, which a process that was killed left behind. Before runs are taken up or
    /// started; it costs nothing where there are none.
    pub fn sweep_files(&self) {
        files::sweep(&self.0);
    }

    /// Waits until everything up to a position is durable.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`].
    pub async fn durable(&self, position: Position) -> Result<(), StoreError> {
        self.0.store.durable(position).await
    }

    fn active(&self, key: &RunKey) -> Option<Active> {
        self.lock().get(key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunKey, Active>> {
        self.0.active()
    }

    fn launch(&self, mut run_loop: RunLoop) {
        let key = run_loop.key().clone();
        let (ended_in, ended) = watch::channel(None);
        let watchers = run_loop.watchers().clone();
        let (cancel, answers) = (run_loop.cancel_sender(), run_loop.answers());
        let (idle, pulse) = (run_loop.idle(), run_loop.pulse());
        let parent = run_loop.parent();
        let active = Active { parent, cancel, idle, pulse, answers, watchers: Arc::downgrade(&watchers), ended };
        self.lock().insert(key.clone(), active);
        self.0.stalled.remove(&key);
        // Nobody listening is no error, here and below.
        let _ = self.0.turns.send(Turn::Began(key.clone()));
        let runtime = self.clone();
        self.0.clock.works();
        // Whoever waits for it takes over before time may pass.
        let is_child = run_loop.is_child();
        self.0.config.guests.spawn(async move {
            let driven = AssertUnwindSafe(run_loop.drive()).catch_unwind().await;
            let ended = match driven.unwrap_or_else(|panic| Err(Lost::Crashed(words(&*panic)))) {
                Ok(()) => {
                    if run_loop.has_files() {
                        files::forget(&runtime.0, &key).await;
                    }
                    Ok(Arc::new(run_loop.report()))
                }
                Err(lost) => {
                    runtime.stall(&key, lost.to_string());
                    Err(Arc::new(lost))
                }
            };
            runtime.0.awaiting.forget(&key);
            runtime.lock().remove(&key);
            if !is_child {
                runtime.0.clock.rests();
            }
            ended_in.send_replace(Some(ended));
            let _ = runtime.0.turns.send(Turn::Left(key));
            drop(watchers);
        });
    }
}

impl Inner {
    /// Tells whoever watches all runs that one of them asks something.
    pub(crate) fn asks(&self, run: RunKey, node: NodeId, item: Option<u32>, question: &Question) {
        // Nobody listening is no error.
        let (of, message) = (question.of, question.message.clone());
        let _ = self.turns.send(Turn::Asked { run, node, item, of, message });
    }

    fn active(&self) -> MutexGuard<'_, HashMap<RunKey, Active>> {
        // Nothing that holds the lock can leave the map half changed.
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many runs this process is at work on.
    pub(crate) fn active_count(&self) -> usize {
        self.active().len()
    }

    /// The runs that wait for a run which `parent` starts: that one, the one that started it, and so on.
    pub(crate) fn ancestors(&self, run: &RunKey, parent: Option<RunId>) -> Vec<RunKey> {
        let active = self.active();
        let mut ancestors = Vec::new();
        let mut next = parent;
        while let Some(run_id) = next {
            let key = RunKey { organisation: run.organisation.clone(), run: run_id };
            next = active.get(&key).and_then(|run| run.parent);
            ancestors.push(key);
        }
        ancestors
    }
}
