//! Making one attempt.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use windflow_core::capability::Grants;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{Digest, NodeId, RunKey};
use windflow_core::ports::host::{Call, CancelSignal, Emission, LogLevel, Observer};
use windflow_core::ports::store::{BoxFuture, Position, StoreError};
use windflow_core::run::{KeptLog, LogLine, Question, Step};
use windflow_core::trace::TraceContext;

use crate::load::Prepared;
use crate::run_loop::Lost;
use crate::service::Inner;
use crate::updates::Watchers;

/// What is kept of an attempt's log: so many lines, and so many bytes of them.
const KEPT_LINES: usize = 100;
const KEPT_BYTES: usize = 16 << 10;
/// The same for an attempt at one item of many.
const KEPT_OF_ITEM: usize = 1 << 10;
/// What is kept of one line, in bytes.
const KEPT_LINE: usize = 1 << 10;

/// An attempt that is ready to be made.
pub(crate) struct Attempt {
    pub(crate) step: Step,
    pub(crate) attempt: u32,
    pub(crate) config: Vec<u8>,
    pub(crate) key: Arc<str>,
    pub(crate) trace: Option<TraceContext>,
    /// What must be durable before it may do anything.
    pub(crate) barrier: Option<Position>,
    pub(crate) timeout: Option<Duration>,
}

/// What the run loop hears back.
pub(crate) enum Done {
    /// The time of a retry has come.
    Due { step: Step, attempt: u32 },
    /// It is durable that a step waits for an answer.
    Asked { step: Step, question: Question },
    /// The instant that a step waits for has come, or it is too late for an answer (it only guarded that).
    TimeIsUp { step: Step, attempt: u32, guard: bool },
    /// A run that a step started has ended. It may have run in this process meanwhile.
    ChildEnded { step: Step, attempt: u32, result: Result<Emission, Failure>, took_us: u64, ran: bool },
    /// The run has had its time.
    RunTimedOut { limit: Duration },
    /// An attempt ended.
    Ended { step: Step, attempt: u32, result: Result<Emission, Failure>, course: Course },
    /// A run that a step started was given up until somebody takes it up again.
    GivenUp(Arc<Lost>),
    /// The store failed before an attempt could begin.
    Lost(StoreError),
}

/// How an attempt went, whatever came of it.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) took_us: u64,
    pub(crate) log: KeptLog,
}

impl Course {
    pub(crate) fn took(took_us: u64) -> Self {
        Self { took_us, log: KeptLog::default() }
    }
}

/// The key that all attempts of a step send with their effects. It follows from the run, the node and the item alone.
pub(crate) fn idempotency_key(run: &RunKey, node: &NodeId, item: Option<u32>) -> Arc<str> {
    let item = item.map(|item| format!("/{item}")).unwrap_or_default();
    let digest = Digest::of(format!("{}/{}/{node}{item}", run.organisation, run.run).as_bytes());
    digest.0[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

pub(crate) fn make(
    inner: &Arc<Inner>,
    run: &RunKey,
    prepared: &Arc<Prepared>,
    attempt: Attempt,
    grants: Arc<Grants>,
    observer: Arc<Watchers>,
    cancel: Arc<CancelFlag>,
) -> BoxFuture<'static, Done> {
    let (inner, run, prepared) = (inner.clone(), run.clone(), prepared.clone());
    Box::pin(async move {
        let Attempt { step, attempt, config, key, trace, barrier, timeout } = attempt;
        if let Some(position) = barrier
            && let Err(error) = inner.store.durable(position).await
        {
            return Done::Lost(error);
        }
        let Ok(_slot) = inner.slots.acquire().await else {
            return Done::Lost(StoreError::Unavailable("the engine is stopping".into()));
        };
        let node = prepared.plan.node(step.node);
        let begun = Instant::now();
        let observer = Arc::new(AttemptObserver::new(observer, step.item.is_some()));
        let said = observer.clone();
        let result = if cancel.is_cancelled() {
            Err(Failure::new(FailureKind::Cancelled, "the run was cancelled before the attempt began"))
        } else {
            let call = Call {
                uses: node.uses.clone(),
                component: node.component,
                config,
                ports: node.ports.clone(),
                organisation: run.organisation,
                workflow: prepared.workflow.name.value.as_str().into(),
                state: inner.config.state.clone(),
                files: inner.config.files.clone(),
                events: inner.events.get().cloned(),
                run: run.run,
                node: node.id.clone(),
                item: step.item,
                attempt,
                key,
                timeout: timeout.unwrap_or(inner.config.attempt_timeout),
                grants,
                pretended: inner.clock.pretended(),
                trace,
                observer,
                cancel,
            };
            inner.host.execute(call).await
        };
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Done::Ended { step, attempt, result, course: Course { took_us, log: said.take() } }
    })
}

/// Runs the work on a task of its own, which ends when the future is dropped.
pub(crate) fn spawned(guests: &tokio::runtime::Handle, work: BoxFuture<'static, Done>) -> BoxFuture<'static, Done> {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn_on(work, guests);
    Box::pin(async move {
        match tasks.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) => {
                Done::Lost(StoreError::Unavailable(format!("an attempt's task ended abnormally: {error}")))
            }
            None => Done::Lost(StoreError::Unavailable("an attempt's task vanished".into())),
        }
    })
}

/// Keeps what one attempt says, beside passing it on.
struct AttemptObserver {
    run: Arc<Watchers>,
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<LogLine>,
    bytes: usize,
    left_out: u64,
}

impl AttemptObserver {
    /// Of a node with very many items each keeps less.
    fn new(run: Arc<Watchers>, of_item: bool) -> Self {
        Self { run, most_bytes: if of_item { KEPT_OF_ITEM } else { KEPT_BYTES }, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> KeptLog {
        let Kept { lines, left_out, .. } = std::mem::take(&mut *self.kept());
        KeptLog { lines: lines.into(), left_out }
    }
}

impl Observer for AttemptObserver {
    fn log(&self, node: &NodeId, attempt: u32, level: LogLevel, message: &str) {
        self.run.log(node, attempt, level, message);
        let cut = message.floor_char_boundary(message.len().min(KEPT_LINE));
        let line = LogLine { level, message: message[..cut].to_owned() };
        let mut kept = self.kept();
        kept.bytes += line.message.len();
        kept.lines.push_back(line);
        // The last lines tell why an attempt failed.
        while kept.lines.len() > KEPT_LINES || kept.bytes > self.most_bytes {
            let Some(first) = kept.lines.pop_front() else { break };
            kept.bytes -= first.message.len();
            kept.left_out += 1;
        }
    }

    fn progress(&self, node: &NodeId, attempt: u32, fraction: Option<f64>, message: &str) {
        self.run.progress(node, attempt, fraction, message);
    }
}

/// Raised once, when the run is asked to stop.
#[derive(Debug, Default)]
pub(crate) struct CancelFlag {
    raised: AtomicBool,
    waiting: Notify,
}

impl CancelFlag {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }
}

impl CancelSignal for CancelFlag {
    fn is_cancelled(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            loop {
                // Registered before the flag is looked at, so that a raise in between is not missed.
                let notified = self.waiting.notified();
                if self.is_cancelled() {
                    return;
                }
                notified.await;
            }
        })
    }
}
