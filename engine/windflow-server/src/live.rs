//! What happens in all runs of an organisation, as lists want to know it: runs that begin and end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, mpsc};
use windflow_core::id::OrganisationId;
use windflow_core::ports::store::{Position, RunStatus, RunSummary};
use windflow_core::run::Timestamp;
use windflow_runtime::Turn;

use crate::notices;
use crate::state::App;

/// Changes that are kept for readers who come back, and for those who fall behind.
const KEPT: usize = 4096;

/// A run that began or ended.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) organisation: OrganisationId,
    /// Counts from 1 since the server started.
    pub(crate) number: u64,
    pub(crate) run: RunSummary,
}

/// All changes since the server started, the latest of which are kept. Numbers are told together with the moment of the
/// start, so that a reader who comes back after another start is told to read the lists anew.
pub(crate) struct Feed {
    epoch: u64,
    kept: Mutex<VecDeque<Arc<Change>>>,
    sender: broadcast::Sender<Arc<Change>>,
}

/// What a reader who comes back has missed.
pub(crate) enum Missed {
    /// These.
    Changes(Vec<Arc<Change>>),
    /// Nobody knows any more.
    Unknown,
}

impl Feed {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { epoch: start.0, kept: Mutex::default(), sender: broadcast::Sender::new(KEPT) }
    }

    /// Tells what happened. False, and nothing is told, where somebody watches and it may not be durable yet.
    fn push(&self, runs: &[(OrganisationId, RunSummary)], durable: bool) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock: whoever subscribes afterwards finds it among what was kept, and waits by themselves.
        if !durable && self.sender.receiver_count() > 0 {
            return false;
        }
        for (organisation, run) in runs {
            let number = kept.back().map_or(0, |last| last.number) + 1;
            let change = Arc::new(Change { organisation: organisation.clone(), number, run: run.clone() });
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(change.clone());
            // Nobody listening is no error.
            let _ = self.sender.send(change);
        }
        true
    }

    /// The id of a change in streams.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    /// What comes from now on, and what was missed since a change that a reader has seen.
    pub(crate) fn subscribe(&self, since: Option<&str>) -> (broadcast::Receiver<Arc<Change>>, Missed) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let Some(since) = since else { return (receiver, Missed::Changes(Vec::new())) };
        let number = since
            .split_once('-')
            .filter(|(epoch, _)| epoch.parse() == Ok(self.epoch))
            .and_then(|(_, number)| number.parse::<u64>().ok());
        let first = kept.front().map_or(1, |first| first.number);
        let last = kept.back().map_or(0, |last| last.number);
        let missed = match number {
            Some(number) if number + 1 >= first && number <= last => {
                Missed::Changes(kept.iter().filter(|change| change.number > number).cloned().collect())
            }
            _ => Missed::Unknown,
        };
        (receiver, missed)
    }
}

/// Whether a run has ended in the meaning of lists.
fn word(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Succeeded => Some("succeeded"),
        RunStatus::Failed => Some("failed"),
        RunStatus::Cancelled => Some("cancelled"),
        RunStatus::Running | RunStatus::Cancelling => None,
    }
}

/// Turns that are told together.
const TOLD_TOGETHER: usize = 256;

/// Listens to the runtime until the server stops.
pub(crate) async fn watch(app: App) {
    let (sender, receiver) = mpsc::channel(KEPT);
    let listening = async {
        let mut turns = app.runtime.turns();
        while let Some(turn) = turns.next().await {
            match turn {
                Ok(turn) => {
                    count(&app, &turn);
                    if sender.try_send(turn).is_err() {
                        tracing::warn!("a run that began or ended was not told to those who watch");
                    }
                }
                Err(missed) => tracing::warn!(missed, "more runs began and ended than were counted"),
            }
        }
    };
    tokio::select! {
        () = listening => {}
        () = tell(&app, receiver) => {}
        () = app.stopped() => {}
    }
}

fn count(app: &App, turn: &Turn) {
    app.metrics.runs_active.set(i64::try_from(app.runtime.active_runs().len()).unwrap_or(i64::MAX));
    if let Turn::Left(key) = turn
        && let Ok(summary) = app.store.run(key)
        && let Some(word) = word(summary.status)
    {
        app.metrics.runs_finished.with_label_values(&[word]).inc();
    }
}

/// Tells those who watch, no earlier than it is durable. One wait for the disk serves all that happened meanwhile, and where
/// nobody watches there is none.
async fn tell(app: &App, mut turns: mpsc::Receiver<Turn>) {
    let mut together = Vec::new();
    while turns.recv_many(&mut together, TOLD_TOGETHER).await > 0 {
        let notices: Vec<_> = if app.notices.is_heard() { together.clone() } else { Vec::new() };
        let summaries: Vec<_> = together
            .drain(..)
            .filter_map(|turn| {
                let (Turn::Began(key) | Turn::Left(key)) = turn else { return None };
                let summary = app.store.run(&key);
                summary
                    .map_err(|error| tracing::warn!(run = %key.run, %error, "a run cannot be read"))
                    .ok()
                    .map(|run| (key.organisation, run))
            })
            .collect();
        if !app.feed.push(&summaries, false) {
            match app.store.durable(Position::LATEST).await {
                Ok(()) => _ = app.feed.push(&summaries, true),
                Err(error) => {
                    tracing::warn!(%error, "what is not durable is not told");
                    continue;
                }
            }
        }
        if !notices.is_empty() {
            notices::tell(app, &notices).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windflow_core::id::{Digest, RunId};

    fn run(number: u128) -> RunSummary {
        RunSummary {
            run: RunId(uuid::Uuid::from_u128(number)),
            workflow: "a".parse().unwrap(),
            document: Digest::of(b""),
            status: RunStatus::Running,
            started_by: "cli".to_owned(),
            started_at: Timestamp(1),
            finished_at: None,
            failure: None,
            sequence: 1,
        }
    }

    fn missed(feed: &Feed, since: &str) -> Option<Vec<u64>> {
        match feed.subscribe(Some(since)).1 {
            Missed::Changes(changes) => Some(changes.iter().map(|change| change.number).collect()),
            Missed::Unknown => None,
        }
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_or_is_told_that_nobody_knows() {
        let feed = Feed::new(Timestamp(7));
        assert_eq!(missed(&feed, "7-0"), Some(vec![]));
        for number in 1..=5 {
            feed.push(&[(OrganisationId::local(), run(number))], false);
        }
        assert_eq!(missed(&feed, &feed.id(3)), Some(vec![4, 5]));
        assert_eq!(missed(&feed, &feed.id(5)), Some(vec![]));
        for unknown in ["6-3", "7-6", "x", "7-", ""] {
            assert_eq!(missed(&feed, unknown), None, "{unknown}");
        }
        for number in 0..KEPT as u128 {
            feed.push(&[(OrganisationId::local(), run(number))], false);
        }
        assert_eq!(missed(&feed, &feed.id(4)), None);
        assert_eq!(missed(&feed, &feed.id(5)).map(|all| all.len()), Some(KEPT));
    }

    #[test]
    fn who_watches_hears_only_of_what_is_durable() {
        let feed = Feed::new(Timestamp(7));
        let (mut receiver, _) = feed.subscribe(None);
        let change = [(OrganisationId::local(), run(1))];
        assert!(!feed.push(&change, false) && receiver.try_recv().is_err());
        assert!(feed.push(&change, true) && receiver.try_recv().is_ok());
        drop(receiver);
        assert!(feed.push(&change, false));
    }
}
