//! Credentials of an organisation: encrypted at rest, handed to the host by name, never given back to anybody.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windflow_core::credential::Credential;
use windflow_core::id::OrganisationId;
use windflow_core::ports::credentials::{Credentials, Replaced};
use windflow_core::ports::records::{Expected, Records, RecordsError};
use windflow_core::ports::store::{BoxFuture, StoreError};
use windflow_core::run::Timestamp;
use windflow_stacks::keys::Keys;

use crate::kept::{self, Kept};
use crate::problem::Problem;
use crate::sealed::{Sealed, Sealer};
use crate::server::ServerError;

/// Keeps credentials, and gives them to the host that the binary makes.
#[derive(Clone)]
pub struct CredentialStore(Arc<Inner>);

struct Inner {
    records: Arc<dyn Records>,
    sealer: Sealer,
}

/// A credential, as kept. All of it is sealed, its hosts too: whoever can write to the store cannot send it elsewhere.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) document: Sealed,
    updated_at: Timestamp,
    updated_by: String,
}

/// A credential with who set it last. For this crate alone: it holds the value.
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) credential: Credential,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

pub(crate) const PREFIX: &str = "credentials/";

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

pub(crate) fn bound_to(organisation: &OrganisationId, name: &str) -> String {
    format!("{organisation}\0{}", key(name))
}

impl CredentialStore {
    /// A store over these records.
    ///
    /// # Errors
    /// Where a key cannot be used.
    pub fn new(records: Arc<dyn Records>, keys: &Keys) -> Result<Self, ServerError> {
        Ok(Self(Arc::new(Inner { records, sealer: Sealer::new(keys)? })))
    }

    pub(crate) async fn set(
        &self,
        organisation: &OrganisationId,
        name: &str,
        credential: Credential,
        by: String,
        now: Timestamp,
    ) -> Result<Opened, Problem> {
        let document = serde_json::to_vec(&credential).map_err(Problem::internal)?;
        let record = Record {
            name: name.to_owned(),
            document: self.0.sealer.seal(&bound_to(organisation, name), &document)?,
            updated_at: now,
            updated_by: by,
        };
        let records = &self.0.records;
        let changed = records.put(organisation, &key(name), Expected::Any, kept::encode(&record)?)?;
        records.durable(changed.position).await?;
        Ok(Opened { name: record.name, credential, updated_at: now, updated_by: record.updated_by })
    }

    pub(crate) fn has(&self, organisation: &OrganisationId, name: &str) -> Result<bool, StoreError> {
        Ok(self.0.records.get(organisation, &key(name))?.is_some())
    }

    pub(crate) fn read(&self, organisation: &OrganisationId, name: &str) -> Result<Option<Opened>, Problem> {
        let kept: Option<Kept<Record>> = kept::read(&*self.0.records, organisation, &key(name))?;
        kept.map(|kept| self.open(organisation, name, kept.value)).transpose()
    }

    fn open(&self, organisation: &OrganisationId, name: &str, record: Record) -> Result<Opened, Problem> {
        let document = self.0.sealer.open(&bound_to(organisation, name), &record.document);
        let credential = document.and_then(|document| serde_json::from_slice(&document).ok());
        let credential = credential.ok_or_else(|| {
            Problem::internal(format!(
                "the credential {name} of {organisation} does not open: it was encrypted with another key than the present one"
            ))
        })?;
        Ok(Opened { name: record.name, credential, updated_at: record.updated_at, updated_by: record.updated_by })
    }

    pub(crate) fn list(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Opened>, Option<String>), Problem> {
        let after = after.map(key);
        let (items, next) = kept::scan::<Record>(&*self.0.records, organisation, PREFIX, after.as_deref(), limit)?;
        let opened = items.into_iter().map(|kept| {
            let name = kept.value.name.clone();
            self.open(organisation, &name, kept.value)
        });
        let next = next.and_then(|key| key.strip_prefix(PREFIX).map(str::to_owned));
        Ok((opened.collect::<Result<_, _>>()?, next))
    }

    /// Seals it with another value in the place of the one that was read; who set it, and when, stays.
    async fn replace_value(
        &self,
        organisation: &OrganisationId,
        name: &str,
        from: &Credential,
        to: &Credential,
    ) -> Result<Replaced, Problem> {
        let records = &self.0.records;
        let Some(kept) = kept::read::<Record>(&**records, organisation, &key(name))? else {
            return Ok(Replaced::Changed);
        };
        let (updated_at, updated_by) = (kept.value.updated_at, kept.value.updated_by.clone());
        if self.open(organisation, name, kept.value)?.credential != *from {
            return Ok(Replaced::Changed);
        }
        let document = serde_json::to_vec(to).map_err(Problem::internal)?;
        let document = self.0.sealer.seal(&bound_to(organisation, name), &document)?;
        let record = Record { name: name.to_owned(), document, updated_at, updated_by };
        let put = records.put(organisation, &key(name), Expected::Version(kept.version), kept::encode(&record)?);
        match put {
            Ok(changed) => records.durable(changed.position).await.map(|()| Replaced::Kept).map_err(Into::into),
            Err(RecordsError::Conflict { .. }) => Ok(Replaced::Changed),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn remove(&self, organisation: &OrganisationId, name: &str) -> Result<(), Problem> {
        let records = &self.0.records;
        if records.get(organisation, &key(name))?.is_none() {
            return Err(Problem::not_found(format!("credential {name}")));
        }
        let changed = records.delete(organisation, &key(name), Expected::Any)?;
        records.durable(changed.position).await?;
        Ok(())
    }
}

impl Credentials for CredentialStore {
    fn get(&self, organisation: &OrganisationId, name: &str) -> Result<Option<Arc<Credential>>, String> {
        match self.read(organisation, name) {
            Ok(opened) => Ok(opened.map(|opened| Arc::new(opened.credential))),
            Err(problem) => Err(problem.to_string()),
        }
    }

    fn how_to_set(&self, name: &str) -> String {
        format!("Somebody who may manage secrets sets it: PUT /api/v1/credentials/{name}")
    }

    fn replace<'a>(
        &'a self,
        organisation: &'a OrganisationId,
        name: &'a str,
        from: &'a Credential,
        to: &'a Credential,
    ) -> BoxFuture<'a, Result<Replaced, String>> {
        Box::pin(async move {
            self.replace_value(organisation, name, from, to).await.map_err(|problem| problem.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windflow_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn credentials_open_only_where_they_were_sealed() {
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let store = CredentialStore::new(records.clone(), &[7; 32].into()).unwrap();
        let (local, other) = (OrganisationId::local(), "other".parse::<OrganisationId>().unwrap());
        let document = json!({ "bind": "bearer", "hosts": ["api.example.org"], "value": "s3cret-value" });
        let credential: Credential = serde_json::from_value(document).unwrap();
        store.set(&local, "chat", credential.clone(), "me".to_owned(), Timestamp(1)).await.unwrap();
        assert_eq!(store.get(&local, "chat").unwrap().as_deref(), Some(&credential));
        assert_eq!(store.get(&other, "chat").unwrap(), None);
        let kept = records.get(&local, "credentials/chat").unwrap().unwrap().value;
        let text = String::from_utf8_lossy(&kept);
        assert!(!text.contains("s3cret") && !text.contains("example"), "{text}");
        // Copied elsewhere, or read with another key, it does not open.
        records.put(&other, "credentials/chat", Expected::Any, kept.clone()).unwrap();
        records.put(&local, "credentials/renamed", Expected::Any, kept.clone()).unwrap();
        records.put(&local, "secrets/chat", Expected::Any, kept).unwrap();
        assert!(store.get(&other, "chat").is_err() && store.get(&local, "renamed").is_err());
        let secrets = crate::secrets::Secrets::new(records.clone(), &[7; 32].into()).unwrap();
        assert!(secrets.open(&local, "chat").is_err());
        assert!(CredentialStore::new(records, &[8; 32].into()).unwrap().get(&local, "chat").is_err());
    }

    #[tokio::test]
    async fn a_new_refresh_token_takes_the_place_of_the_one_that_was_shown_and_of_no_other() {
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let store = CredentialStore::new(records.clone(), &[7; 32].into()).unwrap();
        let local = OrganisationId::local();
        let document = json!({
            "bind": { "oauth2": { "token_url": "https://a.b/t", "client_id": "flow", "grant": "refresh_token" } },
            "hosts": ["api.example.org"], "value": "s3cret-refresh", "client_secret": "s3cret-client",
        });
        let first: Credential = serde_json::from_value(document).unwrap();
        let [second, third] =
            ["s3cret-second", "s3cret-third"].map(|value| first.with_value(value.to_owned()).unwrap());
        assert_eq!(store.replace(&local, "drive", &first, &second).await, Ok(Replaced::Changed), "there is none");
        store.set(&local, "drive", first.clone(), "ada".to_owned(), Timestamp(1)).await.unwrap();
        assert_eq!(store.replace(&local, "drive", &first, &second).await, Ok(Replaced::Kept));
        assert_eq!(store.replace(&local, "drive", &first, &third).await, Ok(Replaced::Changed));
        let kept = store.read(&local, "drive").unwrap().unwrap();
        assert!(kept.credential == second && kept.updated_by == "ada" && kept.updated_at == Timestamp(1));
        let text = records.get(&local, "credentials/drive").unwrap().unwrap().value;
        assert!(!String::from_utf8_lossy(&text).contains("s3cret"));
    }
}
