//! What happens in all runs of an organisation, as lists want to know it: runs that begin and end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::store::{RunStatus, RunSummary};
use windflow_core::run::Timestamp;
use windflow_runtime::Turn;

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

    fn push(&self, organisation: OrganisationId, run: RunSummary) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.back().map_or(0, |last| last.number) + 1;
        let change = Arc::new(Change { organisation, number, run });
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(change.clone());
        // Within the lock, so that whoever subscribes sees each change once. Nobody listening is no error.
        let _ = self.sender.send(change);
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

/// Listens to the runtime until the server stops.
pub(crate) async fn watch(app: App) {
    let mut turns = app.runtime.turns();
    loop {
        let turn = tokio::select! {
            turn = turns.next() => turn,
            () = app.stopped() => return,
        };
        match turn {
            Some(Ok(turn)) => hear(&app, turn),
            Some(Err(missed)) => tracing::warn!(missed, "more runs began and ended than were counted"),
            None => return,
        }
    }
}

fn hear(app: &App, turn: Turn) {
    let (key, left): (RunKey, bool) = match turn {
        Turn::Began(key) => (key, false),
        Turn::Left(key) => (key, true),
    };
    app.metrics.runs_active.set(i64::try_from(app.runtime.active_runs().len()).unwrap_or(i64::MAX));
    match app.store.run(&key) {
        Ok(summary) => {
            if left && let Some(word) = word(summary.status) {
                app.metrics.runs_finished.with_label_values(&[word]).inc();
            }
            app.feed.push(key.organisation, summary);
        }
        Err(error) => tracing::warn!(run = %key.run, %error, "a run cannot be read"),
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
            feed.push(OrganisationId::local(), run(number));
        }
        assert_eq!(missed(&feed, &feed.id(3)), Some(vec![4, 5]));
        assert_eq!(missed(&feed, &feed.id(5)), Some(vec![]));
        for unknown in ["6-3", "7-6", "x", "7-", ""] {
            assert_eq!(missed(&feed, unknown), None, "{unknown}");
        }
        for number in 0..KEPT as u128 {
            feed.push(OrganisationId::local(), run(number));
        }
        assert_eq!(missed(&feed, &feed.id(4)), None);
        assert_eq!(missed(&feed, &feed.id(5)).map(|all| all.len()), Some(KEPT));
    }
}
