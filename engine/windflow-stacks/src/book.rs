//! Where targets, stacks and deployments are kept: records of one organisation.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected, RecordVersion, Records, RecordsError};
use windflow_core::ports::store::{Position, StoreError};

use crate::vault::{Sealed, Vault};

mod anew;
mod deployments;
mod stacks;
mod targets;

pub use self::deployments::Request;

/// Why something cannot be kept or found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BookError {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// It is there already.
    #[error("there is a {0} already")]
    Exists(String),
    /// Another deployment of the same stack to the same target is under way.
    #[error("deployment {0} of this stack to this target is under way")]
    UnderWay(String),
    /// Something else uses it.
    #[error("{0}")]
    InUse(String),
    /// It is not valid.
    #[error("{0}")]
    Invalid(String),
    /// Somebody else changed it at the same time.
    #[error("it has changed meanwhile")]
    Conflict,
    /// A secret does not open.
    #[error(transparent)]
    Sealed(#[from] Sealed),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordsError> for BookError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Conflict { .. } => Self::Conflict,
            RecordsError::Refused(why) => Self::Invalid(why),
            RecordsError::Store(error) => Self::Store(error),
        }
    }
}

/// What books give.
pub type Result<T> = std::result::Result<T, BookError>;

/// A part of a list, and where the next one begins.
pub type Page<T> = (Vec<T>, Option<String>);

/// Targets, stacks and deployments of an organisation. Cheap to clone.
#[derive(Clone)]
pub struct Book {
    records: Arc<dyn Records>,
    vault: Arc<Vault>,
    organisation: OrganisationId,
}

impl Book {
    /// A book over a store.
    #[must_use]
    pub fn new(records: Arc<dyn Records>, vault: Arc<Vault>, organisation: OrganisationId) -> Self {
        Self { records, vault, organisation }
    }

    /// Waits until everything that was kept survives the loss of power.
    ///
    /// # Errors
    /// As the store's.
    pub async fn durable(&self) -> Result<()> {
        Ok(self.records.durable(Position::LATEST).await?)
    }

    fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.organisation)
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, RecordVersion)>> {
        let Some(stored) = self.records.get(&self.organisation, key)? else { return Ok(None) };
        let value = serde_json::from_slice(&stored.value)
            .map_err(|error| StoreError::Corrupted(format!("the record {key:?} cannot be read: {error}")))?;
        Ok(Some((value, stored.version)))
    }

    fn scan<T: DeserializeOwned>(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page<T>> {
        let page = self.records.scan(&self.organisation, prefix, after, limit)?;
        let mut items = Vec::new();
        for stored in page.items {
            let item = serde_json::from_slice(&stored.value).map_err(|error| {
                StoreError::Corrupted(format!("the record {:?} cannot be read: {error}", stored.key))
            })?;
            items.push(item);
        }
        Ok((items, page.next))
    }

    fn put(&self, key: impl Into<String>, expected: Expected, value: &impl Serialize) -> Result<Change> {
        let value = serde_json::to_vec(value)
            .map_err(|error| StoreError::Unavailable(format!("a record cannot be written: {error}")))?;
        Ok(Change::put(&self.organisation, key, expected, value))
    }

    fn write(&self, changes: Vec<Change>) -> Result<()> {
        self.records.batch(changes)?;
        Ok(())
    }
}

/// Given values, and those of the deployment before where they are passwords that nobody gave anew.
pub(crate) fn carry_over(
    given: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
    passwords: impl Iterator<Item = String>,
) -> BTreeMap<String, String> {
    let mut values = given.clone();
    for name in passwords.filter(|name| !given.contains_key(name)) {
        values.extend(before.get(&name).map(|value| (name, value.clone())));
    }
    values
}

#[cfg(test)]
mod tests;
