//! Reads what runs did: those that have ended, and, every few seconds, those that went on meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use windflow_core::id::RunKey;
use windflow_core::run::Sequence;
use windflow_core::trace::Span;
use windflow_runtime::Lost;

use super::TOLD_TOGETHER;
use super::mark::{self, Mark};
use crate::state::{App, blocking};

/// How often those are looked at that went on.
const EVERY: Duration = Duration::from_secs(2);
/// So many times as long as that took there is a rest: long journals that are read again and again take no more than a part of a processor.
const REST: u32 = 9;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Runs that are read in one go.
const READ_TOGETHER: usize = 64;
/// Of so many runs it is known here how far they were told. Of more their marks say so, which may lag a moment behind.
const KNOWN: usize = 1 << 16;

/// Spans of one run that are told together.
pub(super) struct Lot {
    pub(super) spans: Vec<Span>,
    /// Whether the run had not ended: what it did last may not be durable yet.
    pub(super) goes_on: bool,
    /// What is kept of the run once they are told.
    pub(super) mark: Option<Mark>,
}

/// Reads until nothing more ends.
pub(super) async fn read(app: &App, mut waiting: mpsc::Receiver<RunKey>, lots: mpsc::Sender<Lot>) {
    let reader = Reader { app: app.clone(), lots, told: Arc::default() };
    let (mut ended, mut grown) = (Vec::new(), Vec::new());
    let (mut next, mut spent) = (Instant::now() + EVERY, Duration::ZERO);
    reader.run(Reader::left_over).await;
    loop {
        // Those that have ended come first: what of the others is not told now is told later.
        tokio::select! {
            biased;
            number = waiting.recv_many(&mut ended, READ_TOGETHER) => {
                if number == 0 {
                    return;
                }
                let keys = std::mem::take(&mut ended);
                reader.run(move |reader| keys.iter().for_each(|key| reader.left(key))).await;
            }
            () = sleep_until(next), if grown.is_empty() => {
                grown = app.runtime.grown();
                next = Instant::now() + EVERY;
            }
            () = std::future::ready(()), if !grown.is_empty() => {
                let keys = grown.split_off(grown.len().saturating_sub(READ_TOGETHER));
                let began = Instant::now();
                reader.run(move |reader| keys.iter().for_each(|key| reader.went_on(key))).await;
                spent += began.elapsed();
                if grown.is_empty() {
                    next = Instant::now() + (std::mem::take(&mut spent) * REST).clamp(EVERY, LONGEST_REST);
                }
            }
        }
    }
}

#[derive(Clone)]
struct Reader {
    app: App,
    lots: mpsc::Sender<Lot>,
    /// How far runs were told of which something was told before they ended. What waits to be told counts as well.
    told: Arc<Mutex<HashMap<RunKey, Sequence>>>,
}

impl Reader {
    async fn run(&self, work: impl FnOnce(&Self) + Send + 'static) {
        let reader = self.clone();
        if let Err(problem) = blocking(move || work(&reader)).await {
            tracing::warn!(%problem, "runs could not be read for their traces");
        }
    }

    fn told(&self) -> MutexGuard<'_, HashMap<RunKey, Sequence>> {
        // Nothing that holds the lock can leave the map half changed.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs that ended in a process before this one, which told a part of them and did not come to the rest.
    fn left_over(&self) {
        let ended = match mark::marked(&self.app, |key| self.has_ended(key)) {
            Ok(ended) => ended,
            Err(error) => return tracing::warn!(%error, "what is left to tell of earlier runs could not be read"),
        };
        for key in ended {
            self.over(&key);
            // It may have ended a moment ago, and be heard of again.
            self.told().insert(key, Sequence::MAX);
        }
    }

    fn has_ended(&self, key: &RunKey) -> bool {
        !self.app.store.run(key).is_ok_and(|run| run.finished_at.is_none())
    }

    /// A run was let go of. What was given up goes on later.
    fn left(&self, key: &RunKey) {
        if self.has_ended(key) { self.over(key) } else { self.went_on(key) }
    }

    fn over(&self, key: &RunKey) {
        let outcome = match self.tell(key, false) {
            Ok(()) => "told",
            Err(lost) => {
                tracing::warn!(run = %key.run, %lost, "a run could not be read for its trace");
                "dropped"
            }
        };
        self.app.metrics.traced_runs.with_label_values(&[outcome]).inc();
    }

    /// What of a run is over so far. Of one that has just ended the rest is told when it is let go of.
    fn went_on(&self, key: &RunKey) {
        if !self.has_ended(key)
            && let Err(lost) = self.tell(key, true)
        {
            tracing::warn!(run = %key.run, %lost, "a run that goes on could not be read for its trace");
        }
    }

    /// Tells what is over and was not told. The last lot says what is kept of the run then.
    fn tell(&self, key: &RunKey, goes_on: bool) -> Result<(), Lost> {
        let known = self.told().get(key).copied();
        let told = known.or_else(|| mark::of(&self.app, key));
        let send = |spans, mark| self.lots.blocking_send(Lot { spans, goes_on, mark }).is_ok();
        let mut last = Vec::new();
        let read = self.app.runtime.spans(key, told.unwrap_or_default(), TOLD_TOGETHER, |spans| {
            let before = std::mem::replace(&mut last, spans);
            before.is_empty() || send(before, None)
        });
        let mark = match (&read, goes_on) {
            (Ok(read), true) if !last.is_empty() => Some(Mark::Told(key.clone(), *read)),
            (_, true) => None,
            // Most runs were told nothing of before, and have none.
            (_, false) => told.map(|_| Mark::Over(key.clone())),
        };
        match &mark {
            Some(Mark::Told(key, read)) => self.remember(key, *read),
            _ if goes_on => {}
            _ => {
                self.told().remove(key);
            }
        }
        if !last.is_empty() || mark.is_some() {
            send(last, mark);
        }
        read.map(drop)
    }

    fn remember(&self, key: &RunKey, read: Sequence) {
        let mut told = self.told();
        if told.len() >= KNOWN {
            told.clear();
        }
        told.insert(key.clone(), read);
    }
}
