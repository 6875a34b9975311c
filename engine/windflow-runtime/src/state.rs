//! What nodes keep between runs, over the store's records.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use windflow_core::ports::records::{Change, Records, RecordsError};
use windflow_core::ports::state::{
    Expected, MAX_STATE_BYTES, MAX_STATE_KEY_BYTES, MAX_STATE_KEYS, MAX_STATE_VALUE_BYTES, StateChange, StateEntry,
    StateError, StateScope, StateStore,
};
use windflow_core::ports::store::{BoxFuture, Position, StoreError};

mod upkeep;

pub use self::upkeep::{Keeper, KeptValue};

/// So many changes of a value are known again where an attempt is made again.
const KNOWN: usize = 16;

/// How often a change is tried anew because others change the same workflow's values.
const ROUNDS: usize = 1000;

/// Keeps state as records under `state/WORKFLOW/KEY`, and what a workflow keeps in all under `state-size/WORKFLOW`.
pub struct RecordState<R: ?Sized>(Arc<R>);

/// A value with who wrote it.
#[derive(Serialize, Deserialize)]
struct Kept {
    value: Box<RawValue>,
    /// The change that wrote it.
    by: String,
    /// Changes before that one, each with the version that it gave, the last one last.
    before: Vec<(String, u64)>,
}

/// What a workflow keeps in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Size {
    keys: u64,
    bytes: u64,
}

/// What lies under a key of the records.
struct Found<T> {
    it: T,
    version: u64,
    bytes: u64,
}

impl<R: Records + ?Sized> RecordState<R> {
    /// Over these records.
    #[must_use]
    pub fn new(records: Arc<R>) -> Self {
        Self(records)
    }

    fn read<T: DeserializeOwned>(&self, scope: &StateScope, key: &str) -> Result<Option<Found<T>>, StateError> {
        let Some(stored) = self.0.get(&scope.organisation, key).map_err(unavailable)? else { return Ok(None) };
        let it = serde_json::from_slice(&stored.value)
            .map_err(|error| StateError::Unavailable(format!("{key:?} cannot be read: {error}")))?;
        Ok(Some(Found { it, version: stored.version, bytes: stored.value.len() as u64 }))
    }

    /// Tries until nobody else was quicker: each round that fails is one in which somebody else got on.
    fn make(&self, scope: &StateScope, change: StateChange) -> Result<Made, StateError> {
        let key = record_key(scope, &change.key)?;
        let value = change.value.map(json).transpose()?;
        for _ in 0..ROUNDS {
            let found: Option<Found<Kept>> = self.read(scope, &key)?;
            let size: Option<Found<Size>> = self.read(scope, &size_key(scope))?;
            let made_before = value.as_ref().and(found.as_ref()).and_then(|found| found.version_of(&change.by));
            let (next, version) = if let Some(version) = made_before {
                // An earlier attempt of the same node run got this far, perhaps without waiting for the disk.
                (None, Some(version))
            } else {
                check_expected(change.expected, found.as_ref())?;
                match (&value, &found) {
                    (None, None) => return Ok(Made { version: 0, position: None }),
                    (None, Some(_)) => (Some(None), Some(0)),
                    (Some(value), _) => (Some(Some(kept(value.clone(), &change.by, found.as_ref())?)), None),
                }
            };
            let after =
                next.as_ref().map(|next| resized(size.as_ref(), found.as_ref(), next.as_deref())).transpose()?;
            let after = after.unwrap_or_else(|| size.as_ref().map(|size| size.it).unwrap_or_default());
            let after = serde_json::to_vec(&after).map_err(|error| StateError::Refused(error.to_string()))?;
            let mut changes = vec![Change::put(&scope.organisation, size_key(scope), expect(size.as_ref()), after)];
            if let Some(value) = next {
                let (organisation, key) = (scope.organisation.clone(), key.clone());
                // The last one: its version is that of the batch.
                changes.push(Change { organisation, key, expected: expect(found.as_ref()), value });
            }
            match self.0.batch(changes) {
                Ok(changed) => {
                    let version = version.unwrap_or(changed.version);
                    return Ok(Made { version, position: Some(changed.position) });
                }
                Err(RecordsError::Conflict { .. }) => {}
                Err(RecordsError::Refused(why)) => return Err(StateError::Refused(why)),
                Err(RecordsError::Store(error)) => return Err(unavailable(error)),
            }
        }
        Err(StateError::Unavailable("too many others change what this workflow keeps".to_owned()))
    }
}

/// A change that can be read, but may not be durable.
struct Made {
    version: u64,
    position: Option<Position>,
}

impl Found<Kept> {
    /// The version that a change gave, where it was made.
    fn version_of(&self, by: &str) -> Option<u64> {
        if self.it.by == by {
            return Some(self.version);
        }
        self.it.before.iter().find(|(other, _)| other == by).map(|(_, version)| *version)
    }
}

fn kept(value: Box<RawValue>, by: &str, found: Option<&Found<Kept>>) -> Result<Vec<u8>, StateError> {
    let mut before = found.map(|found| found.it.before.clone()).unwrap_or_default();
    before.extend(found.map(|found| (found.it.by.clone(), found.version)));
    before.drain(..before.len().saturating_sub(KNOWN));
    serde_json::to_vec(&Kept { value, by: by.to_owned(), before })
        .map_err(|error| StateError::Refused(error.to_string()))
}

/// What a workflow keeps in all after a change, where it may grow so far.
fn resized(size: Option<&Found<Size>>, old: Option<&Found<Kept>>, new: Option<&[u8]>) -> Result<Size, StateError> {
    let before = size.map(|size| size.it).unwrap_or_default();
    let (old_bytes, new_bytes) = (old.map_or(0, |old| old.bytes), new.map_or(0, |new| new.len() as u64));
    let keys = (before.keys + u64::from(new.is_some())).saturating_sub(u64::from(old.is_some()));
    let bytes = (before.bytes + new_bytes).saturating_sub(old_bytes);
    if keys > before.keys && keys > MAX_STATE_KEYS {
        return Err(StateError::Refused(format!("a workflow keeps at most {MAX_STATE_KEYS} keys; delete some")));
    }
    if bytes > before.bytes && bytes > MAX_STATE_BYTES {
        let limit = MAX_STATE_BYTES >> 20;
        return Err(StateError::Refused(format!("a workflow keeps at most {limit} MiB in all; delete something")));
    }
    Ok(Size { keys, bytes })
}

fn check_expected(expected: Expected, found: Option<&Found<Kept>>) -> Result<(), StateError> {
    let fits = match expected {
        Expected::Any => true,
        Expected::Absent => found.is_none(),
        Expected::Version(version) => found.is_some_and(|found| found.version == version),
    };
    if fits { Ok(()) } else { Err(StateError::Conflict) }
}

fn expect<T>(found: Option<&Found<T>>) -> Expected {
    found.map_or(Expected::Absent, |found| Expected::Version(found.version))
}

fn json(bytes: Vec<u8>) -> Result<Box<RawValue>, StateError> {
    if bytes.len() > MAX_STATE_VALUE_BYTES {
        let length = bytes.len();
        return Err(StateError::Refused(format!(
            "the value has {length} bytes; at most {MAX_STATE_VALUE_BYTES} are kept under a key"
        )));
    }
    let value = String::from_utf8(bytes).ok().and_then(|text| RawValue::from_string(text).ok());
    value.ok_or_else(|| StateError::Refused("the value is no JSON".to_owned()))
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unavailable(error: StoreError) -> StateError {
    StateError::Unavailable(error.to_string())
}

/// Names of workflows hold no slash, so that no key leads into another workflow's.
fn record_key(scope: &StateScope, key: &str) -> Result<String, StateError> {
    if key.is_empty() || key.len() > MAX_STATE_KEY_BYTES || key.chars().any(char::is_control) {
        return Err(StateError::Refused(format!(
            "a key has 1 to {MAX_STATE_KEY_BYTES} bytes and no control characters"
        )));
    }
    Ok(format!("state/{}/{key}", scope.workflow))
}

fn size_key(scope: &StateScope) -> String {
    format!("state-size/{}", scope.workflow)
}

impl<R: Records + ?Sized> StateStore for RecordState<R> {
    fn get(&self, scope: &StateScope, key: &str) -> Result<Option<StateEntry>, StateError> {
        let found: Option<Found<Kept>> = self.read(scope, &record_key(scope, key)?)?;
        Ok(found.map(|Found { it, version, .. }| StateEntry { value: it.value.get().as_bytes().to_vec(), version }))
    }

    fn change(&self, scope: StateScope, change: StateChange) -> BoxFuture<'_, Result<u64, StateError>> {
        Box::pin(async move {
            let made = self.make(&scope, change)?;
            if let Some(position) = made.position {
                self.0.durable(position).await.map_err(unavailable)?;
            }
            Ok(made.version)
        })
    }
}

#[cfg(test)]
mod tests {
    use windflow_core::id::OrganisationId;
    use windflow_store::{MemoryStore, Options, SledStore};

    use super::*;

    fn scope(organisation: &str, workflow: &str) -> StateScope {
        let organisation: OrganisationId = organisation.parse().unwrap();
        StateScope { organisation, workflow: workflow.to_owned() }
    }

    fn put(value: &str, expected: Expected, by: &str) -> StateChange {
        StateChange { key: "a/b".to_owned(), expected, value: Some(value.as_bytes().to_vec()), by: by.to_owned() }
    }

    fn delete(by: &str) -> StateChange {
        StateChange { value: None, ..put("", Expected::Any, by) }
    }

    #[tokio::test]
    async fn values_are_compared_before_they_are_set() {
        let state = RecordState::new(Arc::new(MemoryStore::new()));
        let ours = scope("local", "one");
        let first = state.change(ours.clone(), put("1", Expected::Absent, "x/0")).await.unwrap();
        let entry = state.get(&ours, "a/b").unwrap().unwrap();
        assert_eq!((entry.value.as_slice(), entry.version), (&b"1"[..], first));
        assert_eq!(state.change(ours.clone(), put("2", Expected::Absent, "y/0")).await, Err(StateError::Conflict));
        let wrong = put("2", Expected::Version(first + 1), "y/0");
        assert_eq!(state.change(ours.clone(), wrong).await, Err(StateError::Conflict));
        assert!(state.change(ours.clone(), put("2", Expected::Version(first), "y/0")).await.unwrap() > first);
        for stranger in [scope("local", "two"), scope("other", "one")] {
            assert_eq!(state.get(&stranger, "a/b"), Ok(None));
        }
        assert_eq!(state.change(ours.clone(), delete("z/0")).await, Ok(0));
        assert_eq!(state.get(&ours, "a/b"), Ok(None));
        assert_eq!(state.change(ours.clone(), delete("z/1")).await, Ok(0));
    }

    #[tokio::test]
    async fn a_change_is_made_once_also_where_others_came_in_between_and_the_store_was_closed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || RecordState::new(Arc::new(SledStore::open(folder.path(), Options::default()).unwrap()));
        let ours = scope("local", "one");
        let first = {
            let state = open();
            let first = state.change(ours.clone(), put("1", Expected::Absent, "x/0")).await.unwrap();
            for number in 0..KNOWN {
                state.change(ours.clone(), put("2", Expected::Any, &format!("y/{number}"))).await.unwrap();
            }
            first
        };
        let state = open();
        assert_eq!(state.change(ours.clone(), put("1", Expected::Absent, "x/0")).await, Ok(first));
        assert_eq!(state.get(&ours, "a/b").unwrap().unwrap().value, b"2");
        // Long ago is forgotten.
        state.change(ours.clone(), put("3", Expected::Any, "z/0")).await.unwrap();
        assert_eq!(state.change(ours.clone(), put("1", Expected::Absent, "x/0")).await, Err(StateError::Conflict));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn those_who_change_at_the_same_time_lose_nothing() {
        let state = Arc::new(RecordState::new(Arc::new(MemoryStore::new())));
        let ours = scope("local", "one");
        let writers = (0..8).map(|writer| {
            let (state, ours) = (Arc::clone(&state), ours.clone());
            tokio::spawn(async move {
                for number in 0..25 {
                    let key = format!("{writer}/{number}");
                    let change = StateChange { key: key.clone(), ..put("1", Expected::Absent, &key) };
                    state.change(ours.clone(), change).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let size: Found<Size> = state.read(&ours, &size_key(&ours)).unwrap().unwrap();
        assert_eq!(size.it.keys, 200);
        for (writer, number) in (0..8).flat_map(|writer| (0..25).map(move |number| (writer, number))) {
            let gone = StateChange { key: format!("{writer}/{number}"), ..delete("z/0") };
            state.change(ours.clone(), gone).await.unwrap();
        }
        let size: Found<Size> = state.read(&ours, &size_key(&ours)).unwrap().unwrap();
        assert_eq!(size.it, Size::default());
    }

    #[tokio::test]
    async fn keys_and_values_are_bounded() {
        let state = RecordState::new(Arc::new(MemoryStore::new()));
        let long = format!("\"{}\"", "x".repeat(MAX_STATE_VALUE_BYTES));
        for (key, value) in [("", "1"), ("a\0", "1"), (&*"k".repeat(201), "1"), ("a", "{"), ("a", &*long)] {
            let change = StateChange { key: key.to_owned(), ..put(value, Expected::Any, "x/0") };
            let refused = state.change(scope("local", "one"), change).await;
            assert!(matches!(refused, Err(StateError::Refused(_))), "{key} {refused:?}");
        }
    }

    #[tokio::test]
    async fn what_a_workflow_keeps_in_all_is_bounded_and_can_still_be_made_less() {
        let state = RecordState::new(Arc::new(MemoryStore::new()));
        let ours = scope("local", "one");
        for size in [Size { keys: MAX_STATE_KEYS, bytes: 5000 }, Size { keys: 5, bytes: MAX_STATE_BYTES }] {
            state.change(ours.clone(), put("[1, 2]", Expected::Any, "x/0")).await.unwrap();
            let full = serde_json::to_vec(&size).unwrap();
            state.0.put(&ours.organisation, &size_key(&ours), Expected::Any, full).unwrap();
            let more = StateChange { key: "more".to_owned(), ..put("1", Expected::Any, "y/0") };
            let refused = state.change(ours.clone(), more.clone()).await;
            assert!(matches!(&refused, Err(StateError::Refused(why)) if why.contains("delete")), "{refused:?}");
            assert_eq!(state.change(ours.clone(), delete("z/0")).await, Ok(0));
            state.change(ours.clone(), more).await.unwrap();
            state.change(ours.clone(), StateChange { key: "more".to_owned(), ..delete("z/1") }).await.unwrap();
        }
    }
}
