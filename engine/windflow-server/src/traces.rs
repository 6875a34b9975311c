//! Traces: what runs did, told to a collector once they have ended. Nothing waits for the collector but what tells it: where it is slow or gone,
//! runs go untold, and are counted.

use std::time::Duration;

use axum::http::HeaderMap;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use windflow_core::id::RunKey;
use windflow_core::ports::traces::Traces;
use windflow_core::trace::{Span, TraceParent};
use windflow_runtime::{Turn, Turns};

use crate::state::{App, blocking};

/// Runs that have ended and wait to be told.
const WAITING: usize = 4096;
/// Runs that are read in one go.
const READ_TOGETHER: usize = 64;
/// Spans that are told in one request.
const TOLD_TOGETHER: usize = 512;
/// So many lots of spans are read before the first is told.
const AHEAD: usize = 4;
/// How long a request waits for more to tell.
const GATHER: Duration = Duration::from_secs(1);
/// The longest that telling may take, whatever the collector's adapter promises.
const LONGEST: Duration = Duration::from_secs(30);
/// The longest that a stop waits for it.
const FLUSH: Duration = Duration::from_secs(3);
/// A run that ended is heard of a moment later.
const QUIET: Duration = Duration::from_millis(50);

/// The trace that a request is part of, where traces are told and it says so well.
pub(crate) fn parent(app: &App, headers: &HeaderMap) -> Option<TraceParent> {
    app.traces.as_ref()?;
    let mut all = headers.get_all("traceparent").iter();
    let first = all.next()?;
    // Of two, nobody knows which is meant.
    if all.next().is_some() {
        return None;
    }
    first.to_str().ok()?.parse().ok()
}

/// Telling, under way.
pub(crate) struct Telling {
    over: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Telling {
    /// Listens from now on; nothing where nobody collects traces.
    pub(crate) fn start(app: &App) -> Option<Self> {
        let collector = app.traces.clone()?;
        let turns = app.runtime.turns();
        let (over, is_over) = oneshot::channel();
        let (ended, waiting) = mpsc::channel(WAITING);
        let (lots_in, lots) = mpsc::channel(AHEAD);
        let app = app.clone();
        let task = tokio::spawn(async move {
            tokio::join!(
                listen(&app, turns, ended, is_over),
                read(&app, waiting, lots_in),
                tell(&app, &*collector, lots)
            );
        });
        Some(Self { over, task })
    }

    /// Tells what has ended so far, as far as the collector takes it soon.
    pub(crate) async fn finish(mut self) {
        let _ = self.over.send(());
        if timeout(FLUSH, &mut self.task).await.is_err() {
            tracing::warn!("the collector of traces is slow: what it was not told yet is not told any more");
            self.task.abort();
        }
    }
}

/// Hears which runs end.
async fn listen(app: &App, mut turns: Turns, ended: mpsc::Sender<RunKey>, mut over: oneshot::Receiver<()>) {
    let heard = |turn| match turn {
        Ok(Turn::Left(key)) => {
            if ended.try_send(key).is_err() {
                app.metrics.traced_runs.with_label_values(&["dropped"]).inc();
            }
        }
        Ok(Turn::Began(_) | Turn::Asked { .. }) => {}
        Err(missed) => app.metrics.traced_runs.with_label_values(&["dropped"]).inc_by(missed),
    };
    loop {
        tokio::select! {
            Some(turn) = turns.next() => heard(turn),
            _ = &mut over => break,
        }
    }
    while let Ok(Some(turn)) = timeout(QUIET, turns.next()).await {
        heard(turn);
    }
}

/// Reads what they did.
async fn read(app: &App, mut waiting: mpsc::Receiver<RunKey>, lots: mpsc::Sender<Vec<Span>>) {
    let mut keys = Vec::new();
    while waiting.recv_many(&mut keys, READ_TOGETHER).await > 0 {
        let (app, lots, keys) = (app.clone(), lots.clone(), std::mem::take(&mut keys));
        let read = blocking(move || keys.iter().for_each(|key| read_one(&app, key, &lots))).await;
        if let Err(problem) = read {
            tracing::warn!(%problem, "runs could not be read for their traces");
        }
    }
}

fn read_one(app: &App, key: &RunKey, lots: &mpsc::Sender<Vec<Span>>) {
    // What was given up goes on later, and is told when it has ended.
    if !app.store.run(key).is_ok_and(|run| run.finished_at.is_some()) {
        return;
    }
    let outcome = match app.runtime.spans(key, TOLD_TOGETHER, |spans| lots.blocking_send(spans).is_ok()) {
        Ok(()) => "told",
        Err(lost) => {
            tracing::warn!(run = %key.run, %lost, "a run could not be read for its trace");
            "dropped"
        }
    };
    app.metrics.traced_runs.with_label_values(&[outcome]).inc();
}

/// Tells it.
async fn tell(app: &App, collector: &dyn Traces, mut lots: mpsc::Receiver<Vec<Span>>) {
    let mut fails = false;
    while let Some(mut spans) = lots.recv().await {
        let until = Instant::now() + GATHER;
        while spans.len() < TOLD_TOGETHER
            && let Ok(Some(more)) = timeout_at(until, lots.recv()).await
        {
            spans.extend(more);
        }
        let number = spans.len() as u64;
        let told = timeout(LONGEST, collector.tell(spans)).await;
        let told = told.unwrap_or_else(|_| Err(format!("it took longer than {} s", LONGEST.as_secs())));
        // An outage is one piece of news, however long it lasts.
        match (&told, fails) {
            (Err(error), false) => {
                tracing::warn!(%error, "the collector of traces cannot be told; runs go on untold, and windflow_trace_spans_total counts what is lost");
            }
            (Ok(()), true) => tracing::info!("the collector of traces is told again"),
            _ => {}
        }
        fails = told.is_err();
        app.metrics.trace_spans.with_label_values(&[if fails { "failed" } else { "told" }]).inc_by(number);
    }
}
