//! Who looks at which workflow right now. Kept in memory only: who is there says so again every few seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::run::Timestamp;

/// How long somebody counts as there who says nothing more, in milliseconds.
pub(crate) const LASTS: u64 = 30_000;

/// Workflows that somebody looks at, and people who look at one, at most. More are not told of each other.
const MOST_WORKFLOWS: usize = 10_000;
const MOST_PEOPLE: usize = 100;

/// Somebody who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Present {
    /// Id of the person: two may have the same name.
    pub(crate) person: String,
    pub(crate) name: String,
    /// They have begun to change something.
    pub(crate) editing: bool,
    pub(crate) since: Timestamp,
    seen: Timestamp,
}

/// People by their session: one with two windows is there twice.
type People = BTreeMap<String, Present>;

#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<HashMap<(OrganisationId, WorkflowName), People>>);

impl Presence {
    /// Somebody is there; tells who else is.
    pub(crate) fn here(
        &self,
        workflow: (OrganisationId, WorkflowName),
        window: &str,
        person: String,
        name: String,
        editing: bool,
        now: Timestamp,
    ) -> Vec<Present> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_WORKFLOWS && !all.contains_key(&workflow) {
            all.retain(|_, people| people.values().any(|present| is_there(present, now)));
            if all.len() >= MOST_WORKFLOWS {
                return Vec::new();
            }
        }
        let people = all.entry(workflow).or_default();
        people.retain(|_, present| is_there(present, now));
        if people.len() < MOST_PEOPLE || people.contains_key(window) {
            let since = people.get(window).map_or(now, |present| present.since);
            people.insert(window.to_owned(), Present { person, name, editing, since, seen: now });
        }
        people.iter().filter(|(other, _)| *other != window).map(|(_, present)| present.clone()).collect()
    }

    /// Somebody has left.
    pub(crate) fn gone(&self, workflow: &(OrganisationId, WorkflowName), window: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(people) = all.get_mut(workflow) {
            people.remove(window);
            if people.is_empty() {
                all.remove(workflow);
            }
        }
    }
}

fn is_there(present: &Present, now: Timestamp) -> bool {
    now.0.saturating_sub(present.seen.0) < LASTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_each_other_for_as_long_as_they_are_there() {
        let presence = Presence::default();
        let flow = || (OrganisationId::local(), "flow".parse::<WorkflowName>().unwrap());
        let here = |window: &str, editing, at| {
            let others = presence.here(flow(), window, String::new(), format!("{window}'s"), editing, Timestamp(at));
            others.into_iter().map(|other| (other.name, other.editing, other.since.0)).collect::<Vec<_>>()
        };
        assert_eq!(here("a", false, 0), []);
        assert_eq!(here("b", false, 10), [("a's".to_owned(), false, 0)]);
        assert_eq!(here("a", true, 20_000), [("b's".to_owned(), false, 10)]);
        assert_eq!(here("b", false, 20_010), [("a's".to_owned(), true, 0)]);
        presence.gone(&flow(), "b");
        assert_eq!(here("a", true, 20_020), []);
        assert_eq!(here("c", false, 20_020 + LASTS), []);
        let other = (OrganisationId::local(), "other".parse().unwrap());
        assert_eq!(presence.here(other, "d", String::new(), String::new(), false, Timestamp(20_021 + LASTS)), []);
    }
}
