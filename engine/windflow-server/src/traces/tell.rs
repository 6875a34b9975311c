//! Tells what was read.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use windflow_core::ports::store::Position;
use windflow_core::ports::traces::Traces;
use windflow_core::trace::Span;

use super::read::Lot;
use super::{TOLD_TOGETHER, mark};
use crate::state::App;

/// How long a request waits for more to tell.
const GATHER: Duration = Duration::from_secs(1);
/// The longest that telling may take, whatever the collector's adapter promises.
const LONGEST: Duration = Duration::from_secs(30);

/// Tells until nothing more is read.
pub(super) async fn tell(app: &App, collector: &dyn Traces, mut lots: mpsc::Receiver<Lot>) {
    let mut fails = false;
    while let Some(Lot { mut spans, mut goes_on, mark }) = lots.recv().await {
        let mut marks: Vec<_> = mark.into_iter().collect();
        let until = Instant::now() + GATHER;
        while spans.len() < TOLD_TOGETHER
            && let Ok(Some(more)) = timeout_at(until, lots.recv()).await
        {
            spans.extend(more.spans);
            goes_on |= more.goes_on;
            marks.extend(more.mark);
        }
        let number = spans.len() as u64;
        let told = if spans.is_empty() { Ok(()) } else { tell_once(app, collector, spans, goes_on).await };
        // What could not be told is lost, here as at the end of a run.
        if let Err(error) = mark::keep(app, marks).await {
            tracing::warn!(%error, "it could not be kept how far runs were told: after a restart a part of them is told again");
        }
        // An outage is one piece of news, however long it lasts.
        match (&told, fails) {
            (Err(error), false) => {
                tracing::warn!(%error, "the collector of traces cannot be told; runs go on untold, and windflow_trace_spans_total counts what is lost");
            }
            (Ok(()), true) if number > 0 => tracing::info!("the collector of traces is told again"),
            _ => {}
        }
        if number > 0 {
            fails = told.is_err();
            app.metrics.trace_spans.with_label_values(&[if fails { "failed" } else { "told" }]).inc_by(number);
        }
    }
}

async fn tell_once(app: &App, collector: &dyn Traces, spans: Vec<Span>, goes_on: bool) -> Result<(), String> {
    // Nobody outside hears of what is not durable, and a run that goes on may have done something just now.
    if goes_on {
        app.store.durable(Position::LATEST).await.map_err(|error| error.to_string())?;
    }
    let told = timeout(LONGEST, collector.tell(spans)).await;
    told.unwrap_or_else(|_| Err(format!("it took longer than {} s", LONGEST.as_secs())))
}
