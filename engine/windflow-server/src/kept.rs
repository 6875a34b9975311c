//! Typed values over the store's bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{RecordVersion, Records, Stored};
use windflow_core::ports::store::StoreError;

/// A value with the version that a change of it has to expect.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) version: RecordVersion,
    pub(crate) value: T,
}

/// A value as it was found.
pub(crate) fn parse<T: DeserializeOwned>(stored: &Stored) -> Result<Kept<T>, StoreError> {
    let value = serde_json::from_slice(&stored.value)
        .map_err(|error| StoreError::Corrupted(format!("the record {:?} cannot be read: {error}", stored.key)))?;
    Ok(Kept { version: stored.version, value })
}

/// The value of a key.
pub(crate) fn read<T: DeserializeOwned>(
    records: &dyn Records,
    organisation: &OrganisationId,
    key: &str,
) -> Result<Option<Kept<T>>, StoreError> {
    records.get(organisation, key)?.as_ref().map(parse).transpose()
}

/// The values of a page, and the key after which the next one begins.
pub(crate) fn scan<T: DeserializeOwned>(
    records: &dyn Records,
    organisation: &OrganisationId,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Kept<T>>, Option<String>), StoreError> {
    let page = records.scan(organisation, prefix, after, limit)?;
    Ok((page.items.iter().map(parse).collect::<Result<_, _>>()?, page.next))
}

/// Every value of a prefix. For what an installation has few of.
pub(crate) fn all<T: DeserializeOwned>(
    records: &dyn Records,
    organisation: &OrganisationId,
    prefix: &str,
) -> Result<Vec<Kept<T>>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let (mut items, next) = scan(records, organisation, prefix, after.as_deref(), 1000)?;
        all.append(&mut items);
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// A value as it is kept.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Unavailable(format!("a record cannot be written: {error}")))
}
