//! Secrets of an organisation: encrypted at rest, used by name, never given back to anybody.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;
use windflow_stacks::keys::Keys;

use crate::kept;
use crate::problem::Problem;
use crate::sealed::{Sealed, Sealer};

/// Longest value, in bytes.
pub(crate) const MAX_BYTES: usize = 16 << 10;

/// A secret, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) value: Sealed,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

/// Keeps secrets.
pub(crate) struct Secrets {
    records: Arc<dyn Records>,
    sealer: Sealer,
}

fn key(name: &str) -> String {
    format!("secrets/{name}")
}

/// What a value is bound to: moved under another name or into another organisation it does not open.
pub(crate) fn bound_to(organisation: &OrganisationId, name: &str) -> String {
    format!("{organisation}\0{name}")
}

impl Secrets {
    pub(crate) fn new(records: Arc<dyn Records>, keys: &Keys) -> Result<Self, Problem> {
        Ok(Self { records, sealer: Sealer::new(keys)? })
    }

    pub(crate) async fn set(
        &self,
        organisation: &OrganisationId,
        name: &str,
        value: &str,
        by: String,
        now: Timestamp,
    ) -> Result<Secret, Problem> {
        let kept = Secret {
            name: name.to_owned(),
            value: self.sealer.seal(&bound_to(organisation, name), value.as_bytes())?,
            updated_at: now,
            updated_by: by,
        };
        let changed = self.records.put(organisation, &key(name), Expected::Any, kept::encode(&kept)?)?;
        self.records.durable(changed.position).await?;
        Ok(kept)
    }

    /// Whether there is one of this name.
    pub(crate) fn has(&self, organisation: &OrganisationId, name: &str) -> Result<bool, StoreError> {
        Ok(self.records.get(organisation, &key(name))?.is_some())
    }

    /// The value, for the server's own use.
    pub(crate) fn open(&self, organisation: &OrganisationId, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(kept) = kept::read::<Secret>(&*self.records, organisation, &key(name))? else { return Ok(None) };
        let value = self.sealer.open(&bound_to(organisation, name), &kept.value.value);
        value.map(Some).ok_or_else(|| {
            Problem::internal(format!(
                "the secret {name} of {organisation} does not open: it was encrypted with another key than the present one"
            ))
        })
    }

    pub(crate) fn list(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Secret>, Option<String>), StoreError> {
        let after = after.map(key);
        let (items, next) = kept::scan::<Secret>(&*self.records, organisation, "secrets/", after.as_deref(), limit)?;
        let name = |key: String| key.strip_prefix("secrets/").map(str::to_owned);
        Ok((items.into_iter().map(|kept| kept.value).collect(), next.and_then(name)))
    }

    pub(crate) async fn remove(&self, organisation: &OrganisationId, name: &str) -> Result<(), Problem> {
        if self.records.get(organisation, &key(name))?.is_none() {
            return Err(Problem::not_found(format!("secret {name}")));
        }
        let changed = self.records.delete(organisation, &key(name), Expected::Any)?;
        self.records.durable(changed.position).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windflow_store::MemoryStore;

    #[tokio::test]
    async fn secrets_open_only_where_they_were_sealed() {
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let secrets = Secrets::new(records.clone(), &[7; 32].into()).unwrap();
        let (local, other) = (OrganisationId::local(), "other".parse::<OrganisationId>().unwrap());
        secrets.set(&local, "token", "abc", "me".to_owned(), Timestamp(1)).await.unwrap();
        assert_eq!(secrets.open(&local, "token").unwrap(), Some(b"abc".to_vec()));
        assert_eq!(secrets.open(&other, "token").unwrap(), None);
        let kept = records.get(&local, "secrets/token").unwrap().unwrap().value;
        assert!(!String::from_utf8_lossy(&kept).contains("abc"));
        // Copied elsewhere, or read with another key, it does not open.
        records.put(&other, "secrets/token", Expected::Any, kept.clone()).unwrap();
        records.put(&local, "secrets/renamed", Expected::Any, kept).unwrap();
        assert!(secrets.open(&other, "token").is_err() && secrets.open(&local, "renamed").is_err());
        assert!(Secrets::new(records, &[8; 32].into()).unwrap().open(&local, "token").is_err());
    }
}
