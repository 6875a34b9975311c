//! What nodes keep between runs, over the store's records.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use windflow_core::ports::records::{Change, Records, RecordsError, Stored};
use windflow_core::ports::state::{
    MAX_STATE_KEY_BYTES, MAX_STATE_VALUE_BYTES, StateChange, StateEntry, StateError, StateScope, StateStore,
};
use windflow_core::ports::store::{BoxFuture, StoreError};

/// Keeps state as records under `state/WORKFLOW/KEY`.
pub struct RecordState<R>(Arc<R>);

/// A value with who wrote it.
#[derive(Serialize, Deserialize)]
struct Kept {
    by: String,
    value: Box<RawValue>,
}

impl<R: Records> RecordState<R> {
    /// Over these records.
    #[must_use]
    pub fn new(records: Arc<R>) -> Self {
        Self(records)
    }

    fn read(&self, scope: &StateScope, key: &str) -> Result<Option<(Kept, u64)>, StateError> {
        let found = self.0.get(&scope.organisation, &record_key(scope, key)?).map_err(unavailable)?;
        let parse = |stored: Stored| {
            let kept = serde_json::from_slice(&stored.value)
                .map_err(|error| StateError::Unavailable(format!("the state {key:?} cannot be read: {error}")))?;
            Ok((kept, stored.version))
        };
        found.map(parse).transpose()
    }

    async fn make(&self, scope: StateScope, change: StateChange) -> Result<u64, StateError> {
        let key = record_key(&scope, &change.key)?;
        if let Some((kept, version)) = self.read(&scope, &change.key)?
            && kept.by == change.by
            && change.value.is_some()
        {
            // An earlier attempt of the same node run got this far.
            return Ok(version);
        }
        let removes = change.value.is_none();
        let value = match change.value {
            None => None,
            Some(bytes) if bytes.len() > MAX_STATE_VALUE_BYTES => {
                let length = bytes.len();
                return Err(StateError::Refused(format!(
                    "the value has {length} bytes; at most {MAX_STATE_VALUE_BYTES} are kept under a key"
                )));
            }
            Some(bytes) => {
                let value = String::from_utf8(bytes).ok().and_then(|text| RawValue::from_string(text).ok());
                let value = value.ok_or_else(|| StateError::Refused("the value is no JSON".to_owned()))?;
                let kept = Kept { by: change.by, value };
                Some(serde_json::to_vec(&kept).map_err(|error| StateError::Refused(error.to_string()))?)
            }
        };
        let change = Change { organisation: scope.organisation, key, expected: change.expected, value };
        let changed = self.0.batch(vec![change]).map_err(|error| match error {
            RecordsError::Conflict { .. } => StateError::Conflict,
            RecordsError::Refused(why) => StateError::Refused(why),
            RecordsError::Store(error) => unavailable(error),
        })?;
        self.0.durable(changed.position).await.map_err(unavailable)?;
        Ok(if removes { 0 } else { changed.version })
    }
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

impl<R: Records> StateStore for RecordState<R> {
    fn get(&self, scope: &StateScope, key: &str) -> Result<Option<StateEntry>, StateError> {
        let found = self.read(scope, key)?;
        Ok(found.map(|(kept, version)| StateEntry { value: kept.value.get().as_bytes().to_vec(), version }))
    }

    fn change(&self, scope: StateScope, change: StateChange) -> BoxFuture<'_, Result<u64, StateError>> {
        Box::pin(self.make(scope, change))
    }
}

#[cfg(test)]
mod tests {
    use windflow_core::id::OrganisationId;
    use windflow_core::ports::state::Expected;
    use windflow_store::MemoryStore;

    use super::*;

    fn scope(organisation: &str, workflow: &str) -> StateScope {
        let organisation: OrganisationId = organisation.parse().unwrap();
        StateScope { organisation, workflow: workflow.to_owned() }
    }

    fn put(value: &str, expected: Expected, by: &str) -> StateChange {
        StateChange { key: "a/b".to_owned(), expected, value: Some(value.as_bytes().to_vec()), by: by.to_owned() }
    }

    #[tokio::test]
    async fn values_are_compared_before_they_are_set_and_set_once() {
        let state = RecordState::new(Arc::new(MemoryStore::new()));
        let ours = scope("local", "one");
        let first = state.change(ours.clone(), put("1", Expected::Absent, "x/0")).await.unwrap();
        // The same attempt again, after a crash: it is done already.
        assert_eq!(state.change(ours.clone(), put("2", Expected::Any, "x/0")).await, Ok(first));
        let entry = state.get(&ours, "a/b").unwrap().unwrap();
        assert_eq!((entry.value.as_slice(), entry.version), (&b"1"[..], first));
        assert_eq!(state.change(ours.clone(), put("2", Expected::Absent, "y/0")).await, Err(StateError::Conflict));
        assert_eq!(
            state.change(ours.clone(), put("2", Expected::Version(first + 1), "y/0")).await,
            Err(StateError::Conflict)
        );
        assert!(state.change(ours.clone(), put("2", Expected::Version(first), "y/0")).await.unwrap() > first);
        for stranger in [scope("local", "two"), scope("other", "one")] {
            assert_eq!(state.get(&stranger, "a/b"), Ok(None));
        }
        let gone = StateChange { value: None, ..put("", Expected::Any, "z/0") };
        assert_eq!(state.change(ours.clone(), gone).await, Ok(0));
        assert_eq!(state.get(&ours, "a/b"), Ok(None));
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
}
