//! Questions that an event answers.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use windflow_core::id::{NodeId, OrganisationId, RunKey};
use windflow_core::run::{Question, Sequence, Timestamp};

use crate::answer::{Answer, AnswerError, Reply};
use crate::service::Runtime;

/// An event, as those who wait for it are told of it.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'a> {
    /// Whose it is.
    pub organisation: &'a OrganisationId,
    /// Its name.
    pub name: &'a str,
    /// What it brings.
    pub data: &'a Value,
    /// Where it may have been told before: when it happened. Then it answers only what was asked before.
    pub before: Option<Timestamp>,
}

/// A question that an event was an answer to.
#[derive(Debug)]
pub struct AnsweredByEvent {
    /// The run that asked.
    pub run: RunKey,
    /// Its node.
    pub node: NodeId,
    /// The item, where the node runs for each of several.
    pub item: Option<u32>,
    /// The place of the answer in the journal, durable; or why it was not taken.
    pub taken: Result<Sequence, AnswerError>,
}

type Place = (NodeId, Option<u32>);
type Name = (OrganisationId, String);
type Questions = HashMap<Place, Question>;

/// What runs that this process is at work on wait for. It holds nothing that their journals do not say: a run that is taken up asks again.
#[derive(Default)]
pub(crate) struct Awaiting(Mutex<Table>);

#[derive(Default)]
struct Table {
    by_name: HashMap<Name, HashMap<RunKey, Questions>>,
    /// The names of each run, so that its end looks at no other.
    by_run: HashMap<RunKey, HashSet<String>>,
}

impl Awaiting {
    pub(crate) fn add(&self, run: &RunKey, node: &NodeId, item: Option<u32>, question: &Question) {
        let Some(event) = &question.event else { return };
        let name = (run.organisation.clone(), event.name.clone());
        let mut table = self.lock();
        table.by_run.entry(run.clone()).or_default().insert(event.name.clone());
        let questions = table.by_name.entry(name).or_default().entry(run.clone()).or_default();
        questions.insert((node.clone(), item), question.clone());
    }

    /// The run has ended, or was given up.
    pub(crate) fn forget(&self, run: &RunKey) {
        let mut table = self.lock();
        for name in table.by_run.remove(run).into_iter().flatten() {
            if let Entry::Occupied(mut runs) = table.by_name.entry((run.organisation.clone(), name)) {
                runs.get_mut().remove(run);
                if runs.get().is_empty() {
                    runs.remove();
                }
            }
        }
    }

    fn remove(&self, name: &Name, run: &RunKey, place: &Place, token: &str) {
        let mut table = self.lock();
        let Some(questions) = table.by_name.get_mut(name).and_then(|runs| runs.get_mut(run)) else { return };
        // The node may ask anew by now.
        if questions.get(place).is_some_and(|question| question.token == token) {
            questions.remove(place);
        }
    }

    fn waits(&self, name: &Name) -> bool {
        self.lock().by_name.get(name).is_some_and(|runs| runs.values().any(|questions| !questions.is_empty()))
    }

    fn whom(&self, name: &Name, happened: &Happened<'_>) -> Vec<(RunKey, Place, String)> {
        let table = self.lock();
        let places = table
            .by_name
            .get(name)
            .into_iter()
            .flatten()
            .flat_map(|(run, places)| places.iter().map(move |it| (run, it)));
        // What was asked in the very millisecond may be what came of it when it was told first.
        let asked_before = |since: Timestamp| happened.before.is_none_or(|at| since < at);
        let fits = |question: &Question| {
            question.event.as_ref().is_some_and(|event| asked_before(event.since) && event.fits(happened.data))
        };
        places
            .filter(|(_, (_, question))| fits(question))
            .map(|(run, (place, question))| (run.clone(), place.clone(), question.token.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime {
    /// Whether a run waits for events of that name.
    #[must_use]
    pub fn awaits(&self, organisation: &OrganisationId, name: &str) -> bool {
        self.0.awaiting.waits(&(organisation.clone(), name.to_owned()))
    }

    /// Answers every question that waits for an event, with what it brings. Durable when it returns. A question that the data
    /// does not fit stays open, as it does for everybody else.
    pub async fn happened(&self, happened: Happened<'_>) -> Vec<AnsweredByEvent> {
        let name = (happened.organisation.clone(), happened.name.to_owned());
        let mut answered = Vec::new();
        for (run, (node, item), token) in self.0.awaiting.whom(&name, &happened) {
            let reply = Reply::Data(happened.data.clone());
            let answer = Answer { node: node.clone(), item, token: Some(token.clone()), reply };
            let taken = self.answer(&run, answer).await;
            if !matches!(taken, Err(AnswerError::Invalid { .. } | AnswerError::Resume(_))) {
                self.0.awaiting.remove(&name, &run, &(node.clone(), item), &token);
            }
            // Somebody else was faster, or it was too late: nobody asks any more.
            if !matches!(taken, Err(AnswerError::NotAsked { .. } | AnswerError::WrongToken(_))) {
                answered.push(AnsweredByEvent { run, node, item, taken });
            }
        }
        answered
    }
}
