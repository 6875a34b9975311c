//! Traces: what runs did, told to a collector: of a run that goes on what is over so far, within seconds, and all the rest once it has ended.
//! Nothing waits for the collector but what tells it: where it is slow or gone, runs go untold, and are counted.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use windflow_core::id::RunKey;
use windflow_core::trace::{TraceContext, TraceState};
use windflow_runtime::{Turn, Turns};

use crate::state::App;

mod mark;
mod read;
mod tell;

/// Runs that have ended and wait to be told.
const WAITING: usize = 4096;
/// Spans that are told in one request.
const TOLD_TOGETHER: usize = 512;
/// So many lots of spans are read before the first is told.
const AHEAD: usize = 4;
/// The longest that a stop waits for it.
const FLUSH: Duration = Duration::from_secs(3);
/// A run that ended is heard of a moment later.
const QUIET: Duration = Duration::from_millis(50);

/// The trace that a request is part of, where traces are told and it says so well.
pub(crate) fn context(app: &App, headers: &HeaderMap) -> Option<TraceContext> {
    app.traces.as_ref()?;
    let mut all = headers.get_all("traceparent").iter();
    let first = all.next()?;
    // Of two, nobody knows which is meant.
    if all.next().is_some() {
        return None;
    }
    let parent = first.to_str().ok()?.parse().ok()?;
    Some(TraceContext { parent, state: state(headers) })
}

/// What is handed on beside it: one list, over however many headers. One that is not well formed is left aside, and the trace stays.
fn state(headers: &HeaderMap) -> Option<TraceState> {
    let parts = headers.get_all("tracestate").iter().map(HeaderValue::to_str);
    parts.collect::<Result<Vec<_>, _>>().ok()?.join(",").parse().ok()
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
                read::read(&app, waiting, lots_in),
                tell::tell(&app, &*collector, lots)
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
