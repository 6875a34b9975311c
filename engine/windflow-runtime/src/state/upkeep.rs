//! Looking at what workflows keep, and clearing it: for people, since workflows do it themselves.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Records;
use windflow_core::ports::state::{Expected, StateChange, StateError, StateScope};

use super::{Kept, RecordState, Size, unavailable};

/// Values up to here are shown in lists.
const SHOWN_BYTES: usize = 4 << 10;

/// What is written as the change that took a value away.
const BY: &str = "cleared";

/// A workflow that keeps something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeper {
    /// Its name; there need be no such workflow any more.
    pub workflow: String,
    /// How many values.
    pub keys: u64,
    /// What they take in the store, in bytes.
    pub bytes: u64,
}

/// A value that a workflow keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptValue {
    /// Its key.
    pub key: String,
    /// Changes with every change of the value.
    pub version: u64,
    /// Of its JSON.
    pub bytes: u64,
    /// Left out in lists where it is long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
}

impl<R: Records + ?Sized> RecordState<R> {
    /// The workflows that keep something, by name, after one where that is given; and the one after which the next page begins.
    ///
    /// # Errors
    /// [`StateError::Unavailable`].
    pub fn keepers(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Keeper>, Option<String>), StateError> {
        let prefix = "state-size/";
        let after = after.map(|after| format!("{prefix}{after}"));
        let page = self.0.scan(organisation, prefix, after.as_deref(), limit).map_err(unavailable)?;
        let mut keepers = Vec::new();
        for stored in &page.items {
            let Size { keys, bytes } = read(&stored.key, &stored.value)?;
            let workflow = stored.key.strip_prefix(prefix).unwrap_or_default().to_owned();
            if keys > 0 {
                keepers.push(Keeper { workflow, keys, bytes });
            }
        }
        let next = page.next.and_then(|key| key.strip_prefix(prefix).map(str::to_owned));
        Ok((keepers, next))
    }

    /// What a workflow keeps, by key, after one where that is given; and the one after which the next page begins.
    ///
    /// # Errors
    /// [`StateError::Unavailable`].
    pub fn list(
        &self,
        scope: &StateScope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<KeptValue>, Option<String>), StateError> {
        let prefix = format!("state/{}/", scope.workflow);
        let after = after.map(|after| format!("{prefix}{after}"));
        let page = self.0.scan(&scope.organisation, &prefix, after.as_deref(), limit).map_err(unavailable)?;
        let values = page.items.iter().map(|stored| {
            let Kept { value, .. } = read(&stored.key, &stored.value)?;
            let key = stored.key.strip_prefix(&prefix).unwrap_or_default().to_owned();
            let bytes = value.get().len();
            let value = (bytes <= SHOWN_BYTES).then_some(value);
            Ok(KeptValue { key, version: stored.version, bytes: bytes as u64, value })
        });
        let values = values.collect::<Result<_, StateError>>()?;
        let next = page.next.and_then(|key| key.strip_prefix(&prefix).map(str::to_owned));
        Ok((values, next))
    }

    /// One value, however long it is.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn value(&self, scope: &StateScope, key: &str) -> Result<Option<KeptValue>, StateError> {
        let found: Option<super::Found<Kept>> = self.read(scope, &super::record_key(scope, key)?)?;
        Ok(found.map(|found| KeptValue {
            key: key.to_owned(),
            version: found.version,
            bytes: found.it.value.get().len() as u64,
            value: Some(found.it.value),
        }))
    }

    /// Takes away one value, or all that there are now; durable when it returns. How many there were.
    ///
    /// # Errors
    /// [`StateError`].
    pub async fn clear(&self, scope: &StateScope, key: Option<&str>) -> Result<u64, StateError> {
        let (mut cleared, mut last, mut after) = (0, None, None::<String>);
        loop {
            let (keys, next) = match key {
                Some(key) => (self.value(scope, key)?.into_iter().collect(), None),
                None => self.list(scope, after.as_deref(), 500)?,
            };
            for KeptValue { key, .. } in keys {
                let change = StateChange { key, expected: Expected::Any, value: None, by: BY.to_owned() };
                if let Some(position) = self.make(scope, change)?.position {
                    (cleared, last) = (cleared + 1, Some(position));
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        if let Some(position) = last {
            self.0.durable(position).await.map_err(unavailable)?;
        }
        Ok(cleared)
    }
}

fn read<T: serde::de::DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(bytes).map_err(|error| StateError::Unavailable(format!("{key:?} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use windflow_core::ports::state::StateStore;
    use windflow_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_seen_and_cleared_and_what_others_keep_stays() {
        let state = RecordState::new(Arc::new(MemoryStore::new()));
        let local = OrganisationId::local();
        let scope = |workflow: &str| StateScope { organisation: local.clone(), workflow: workflow.to_owned() };
        let (ours, theirs) = (scope("one"), scope("one-more"));
        let long = format!("\"{}\"", "x".repeat(SHOWN_BYTES));
        for (scope, key, value) in
            [(&ours, "a/b", "1"), (&ours, "long", &*long), (&ours, "z", "[2]"), (&theirs, "a", "3")]
        {
            let value = Some(value.as_bytes().to_vec());
            let change = StateChange { key: key.to_owned(), expected: Expected::Any, value, by: "x/0".to_owned() };
            state.change(scope.clone(), change).await.unwrap();
        }
        let (keepers, next) = state.keepers(&local, None, 1).unwrap();
        assert_eq!((&*keepers[0].workflow, keepers[0].keys, next.as_deref()), ("one", 3, Some("one")));
        let (keepers, _) = state.keepers(&local, next.as_deref(), 10).unwrap();
        assert_eq!((keepers.len(), &*keepers[0].workflow), (1, "one-more"));

        let (values, next) = state.list(&ours, None, 2).unwrap();
        let shown = |kept: &KeptValue| (kept.key.clone(), kept.value.as_ref().map(|value| value.get().to_owned()));
        assert_eq!(
            values.iter().map(shown).collect::<Vec<_>>(),
            [("a/b".to_owned(), Some("1".to_owned())), ("long".to_owned(), None)]
        );
        let (values, _) = state.list(&ours, next.as_deref(), 10).unwrap();
        assert_eq!(values.iter().map(|kept| &*kept.key).collect::<Vec<_>>(), ["z"]);
        assert_eq!(state.value(&ours, "long").unwrap().unwrap().value.unwrap().get(), long);
        assert!(matches!(state.value(&ours, ""), Err(StateError::Refused(_))));

        assert_eq!(state.clear(&ours, Some("a/b")).await, Ok(1));
        assert_eq!(state.clear(&ours, Some("a/b")).await, Ok(0));
        assert_eq!(state.clear(&ours, None).await, Ok(2));
        assert_eq!(state.clear(&ours, None).await, Ok(0));
        let (keepers, _) = state.keepers(&local, None, 10).unwrap();
        assert_eq!(keepers.iter().map(|keeper| &*keeper.workflow).collect::<Vec<_>>(), ["one-more"]);
        assert_eq!(state.get(&theirs, "a").unwrap().unwrap().value, b"3");
    }
}
