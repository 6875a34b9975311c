//! API keys: for programs, with scopes of their own, never more than the person who made them may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::records::Expected;
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;

use super::{People, random};
use crate::access::Permission;
use crate::kept;
use crate::problem::Problem;

pub(super) const KIND: &str = "wfk";

/// A key, as kept. Its secret is not: it is shown once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scopes: BTreeSet<Permission>,
    /// Who made it.
    pub(crate) user: String,
    token: Digest,
    pub(crate) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
}

fn key(id: &str) -> String {
    format!("api_keys/{id}")
}

impl People {
    /// Makes a key; what is returned beside it is all that there will ever be to see of its secret.
    pub(crate) async fn add_key(
        &self,
        organisation: &OrganisationId,
        user: &str,
        name: String,
        scopes: BTreeSet<Permission>,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(ApiKey, String), Problem> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let secret = random::secret()?;
        let token = format!("{KIND}_{organisation}.{id}.{secret}");
        let made = ApiKey {
            id,
            name,
            scopes,
            user: user.to_owned(),
            token: random::digest(&secret),
            created_at: now,
            expires_at,
        };
        let changed = self.records.put(organisation, &key(&made.id), Expected::Absent, kept::encode(&made)?)?;
        self.records.durable(changed.position).await?;
        Ok((made, token))
    }

    /// The keys of an organisation.
    pub(crate) fn keys(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<ApiKey>, Option<String>), StoreError> {
        let after = after.map(key);
        let (items, next) = kept::scan::<ApiKey>(&*self.records, organisation, "api_keys/", after.as_deref(), limit)?;
        let id = |key: String| key.strip_prefix("api_keys/").map(str::to_owned);
        Ok((items.into_iter().map(|kept| kept.value).collect(), next.and_then(id)))
    }

    /// Takes a key away; it is void at once.
    pub(crate) async fn remove_key(&self, organisation: &OrganisationId, id: &str) -> Result<(), Problem> {
        if self.records.get(organisation, &key(id))?.is_none() {
            return Err(Problem::not_found("such key"));
        }
        let changed = self.records.delete(organisation, &key(id), Expected::Any)?;
        self.records.durable(changed.position).await?;
        Ok(())
    }

    /// The key of a token, where it is genuine and has not expired.
    pub(super) fn key_of(&self, token: &str, now: Timestamp) -> Result<Option<(OrganisationId, ApiKey)>, StoreError> {
        let Some((organisation, id, secret)) = random::split(token, KIND) else { return Ok(None) };
        let Ok(organisation) = organisation.parse::<OrganisationId>() else { return Ok(None) };
        if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = kept::read::<ApiKey>(&*self.records, &organisation, &key(&id))?;
        Ok(found
            .map(|found| found.value)
            .filter(|found| random::matches(&secret, &found.token))
            .filter(|found| found.expires_at.is_none_or(|end| now < end))
            .map(|found| (organisation, found)))
    }
}
