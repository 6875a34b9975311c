//! API keys: for programs, with scopes of their own, never more than the person who made them may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::records::{Expected, Records};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;

use super::user::{Login, login_key, normal, user_key};
use super::{People, User, UserError, random};
use crate::access::Permission;
use crate::audit::{self, Entry};
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

/// A key to be made for somebody by whoever works with the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The address that the person signs in with.
    pub email: String,
    /// What it is for.
    pub name: String,
    /// What it may do; never more than the person.
    pub scopes: BTreeSet<Permission>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Makes a key for somebody, and keeps in the audit trail that it was made. What is returned is all that there will ever be to see of it; it is
/// durable.
///
/// # Errors
/// Where there is nobody of that address, they may not do what the key is for, or the store refuses.
pub async fn add_key(records: &dyn Records, new: &NewKey, now: Timestamp) -> Result<String, UserError> {
    let unknown = || UserError::Unknown(normal(&new.email));
    let login = kept::read::<Login>(records, &OrganisationId::installation(), &login_key(&new.email))?;
    let Login { organisation, user } = login.ok_or_else(unknown)?.value;
    let user = kept::read::<User>(records, &organisation, &user_key(&user))?.ok_or_else(unknown)?.value;
    let name = check(&new.name, &new.scopes, new.expires_at, now).map_err(|why| UserError::Invalid(why.to_owned()))?;
    if let Some(scope) = new.scopes.iter().find(|scope| !user.role.may(**scope)) {
        let (role, scope) = (user.role.word(), scope.word());
        return Err(UserError::Invalid(format!(
            "{} is {role} and may not do {scope}: their key could not either",
            user.email
        )));
    }
    let entry = Entry {
        at: now,
        by: "cli".to_owned(),
        method: "CREATE".to_owned(),
        path: format!("key {name} of {}", user.email),
        status: 201,
    };
    let refused = |problem: Problem| UserError::Invalid(problem.to_string());
    audit::keep(records, &organisation, &entry).await.map_err(refused)?;
    let made = keep(records, &organisation, &user.id, name, new.scopes.clone(), new.expires_at, now).await;
    made.map(|(_, token)| token).map_err(refused)
}

/// The name as it is kept, where a key may be called so, have these scopes, and end then.
pub(crate) fn check(
    name: &str,
    scopes: &BTreeSet<Permission>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<String, &'static str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
        return Err("a key has a name of 1 to 100 characters");
    }
    if scopes.is_empty() {
        return Err("a key without a scope may do nothing");
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err("a key that has ended already opens nothing: its end is told in milliseconds since 1970");
    }
    Ok(name.to_owned())
}

/// Makes a key for a person; what is returned beside it is all that there will ever be to see of its secret. It is durable.
pub(crate) async fn keep(
    records: &dyn Records,
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
    let token_digest = random::digest(&secret);
    let made = ApiKey { id, name, scopes, user: user.to_owned(), token: token_digest, created_at: now, expires_at };
    let changed = records.put(organisation, &key(&made.id), Expected::Absent, kept::encode(&made)?)?;
    records.durable(changed.position).await?;
    Ok((made, token))
}

impl People {
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
