//! People, and the organisations that they belong to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected, Records, RecordsError};
use windflow_core::ports::store::{Position, StoreError};
use windflow_core::run::Timestamp;

use super::{Organisation, People, organisation_key, password};
use crate::access::Role;
use crate::kept::{self, Kept};
use crate::problem::Problem;
use crate::state::blocking;

/// A person of an organisation, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) password_hash: String,
    pub(crate) created_at: Timestamp,
}

/// Where a person signs in to. Belongs to the installation, since nobody says their organisation when they sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) organisation: OrganisationId,
    pub(super) user: String,
}

/// A person to be added.
#[derive(Clone)]
pub struct NewUser {
    /// Of which organisation; it is made where there is none of that name.
    pub organisation: OrganisationId,
    /// Signs in with it; nobody else in the installation may have it.
    pub email: String,
    /// What others call the person.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// At least ten characters.
    pub password: String,
}

/// Why a person was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// What was given is not valid.
    #[error("{0}")]
    Invalid(String),
    /// Somebody has the address already.
    #[error("somebody signs in with {0} already")]
    Taken(String),
    /// There is nobody with that address.
    #[error("nobody signs in with {0}")]
    Unknown(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Invalid(why) => Self::invalid("invalid_user", why),
            UserError::Taken(_) => Self::conflict("email_taken", error.to_string()),
            UserError::Unknown(_) => Self::not_found("such person"),
            UserError::Store(error) => error.into(),
        }
    }
}

/// An address as it is compared.
pub(super) fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

fn check(new: &NewUser) -> Result<(), UserError> {
    let email = normal(&new.email);
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let parts = email.split_once('@');
    if email.len() > 254 || email.contains(odd) || parts.is_none_or(|(user, host)| user.is_empty() || host.is_empty()) {
        return Err(UserError::Invalid(format!(
            "{:?} is no e-mail address",
            email.chars().take(80).collect::<String>()
        )));
    }
    if new.name.chars().count() > 100 || new.name.contains(char::is_control) {
        return Err(UserError::Invalid(
            "a name has at most 100 characters, none of them control characters".to_owned(),
        ));
    }
    if new.organisation == OrganisationId::installation() {
        return Err(UserError::Invalid("no organisation may be called `installation`".to_owned()));
    }
    password::check(&new.password).map_err(UserError::Invalid)
}

pub(super) fn user_key(id: &str) -> String {
    format!("users/{id}")
}

pub(super) fn login_key(email: &str) -> String {
    format!("logins/{}", normal(email))
}

/// Adds a person, and the organisation where there is none of that name. For the command line, which waits by itself.
///
/// # Errors
/// [`UserError`]; then nothing has changed.
pub fn add_user(records: &dyn Records, new: &NewUser, now: Timestamp) -> Result<Position, UserError> {
    add(records, new, now).map(|(position, _)| position)
}

fn add(records: &dyn Records, new: &NewUser, now: Timestamp) -> Result<(Position, User), UserError> {
    check(new)?;
    let password_hash = password::hash(&new.password).map_err(UserError::Invalid)?;
    let user = User {
        id: uuid::Uuid::now_v7().simple().to_string(),
        email: normal(&new.email),
        name: new.name.trim().to_owned(),
        role: new.role,
        password_hash,
        created_at: now,
    };
    let installation = OrganisationId::installation();
    let login = Login { organisation: new.organisation.clone(), user: user.id.clone() };
    let mut changes = vec![
        Change::put(&installation, login_key(&user.email), Expected::Absent, kept::encode(&login)?),
        Change::put(&new.organisation, user_key(&user.id), Expected::Absent, kept::encode(&user)?),
    ];
    if records.get(&installation, &organisation_key(&new.organisation))?.is_none() {
        let organisation = Organisation { id: new.organisation.clone(), created_at: now };
        let key = organisation_key(&new.organisation);
        // Should somebody else make it at the same moment, that is as good.
        changes.push(Change::put(&installation, key, Expected::Any, kept::encode(&organisation)?));
    }
    match records.batch(changes) {
        Ok(changed) => Ok((changed.position, user)),
        Err(RecordsError::Conflict { .. }) => Err(UserError::Taken(user.email)),
        Err(RecordsError::Refused(why)) => Err(UserError::Invalid(why)),
        Err(RecordsError::Store(error)) => Err(error.into()),
    }
}

/// The people of all organisations, for the command line: organisation, address, name and role.
///
/// # Errors
/// [`StoreError`].
pub fn list_users(records: &dyn Records) -> Result<Vec<(OrganisationId, String, String, Role)>, StoreError> {
    let mut all = Vec::new();
    for organisation in super::organisations(records)? {
        for user in kept::all::<User>(records, &organisation.id, "users/")? {
            all.push((organisation.id.clone(), user.value.email, user.value.name, user.value.role));
        }
    }
    Ok(all)
}

/// Gives a person another password, and ends all their sessions.
///
/// # Errors
/// [`UserError`].
pub fn set_password(records: &dyn Records, email: &str, password: &str) -> Result<Position, UserError> {
    password::check(password).map_err(UserError::Invalid)?;
    let unknown = || UserError::Unknown(normal(email));
    let login =
        kept::read::<Login>(records, &OrganisationId::installation(), &login_key(email))?.ok_or_else(unknown)?;
    let Login { organisation, user } = login.value;
    let mut found = kept::read::<User>(records, &organisation, &user_key(&user))?.ok_or_else(unknown)?;
    found.value.password_hash = password::hash(password).map_err(UserError::Invalid)?;
    super::session::end_all(records, &organisation, &user)?;
    let value = kept::encode(&found.value)?;
    match records.put(&organisation, &user_key(&user), Expected::Version(found.version), value) {
        Ok(changed) => Ok(changed.position),
        Err(RecordsError::Store(error)) => Err(error.into()),
        Err(other) => Err(UserError::Invalid(other.to_string())),
    }
}

impl People {
    /// Adds a person; durable when it returns.
    pub(crate) async fn add(&self, new: NewUser, now: Timestamp) -> Result<User, Problem> {
        let _turn = self.passwords.acquire().await.map_err(Problem::internal)?;
        let records = Arc::clone(&self.records);
        let (position, user) = blocking(move || add(&*records, &new, now)).await??;
        self.records.durable(position).await?;
        Ok(user)
    }

    pub(crate) fn user(&self, organisation: &OrganisationId, id: &str) -> Result<Option<Kept<User>>, StoreError> {
        kept::read(&*self.records, organisation, &user_key(id))
    }

    pub(super) fn login(&self, email: &str) -> Result<Option<Login>, StoreError> {
        let login = kept::read::<Login>(&*self.records, &OrganisationId::installation(), &login_key(email))?;
        Ok(login.map(|login| login.value))
    }

    /// The people of an organisation.
    pub(crate) fn users(
        &self,
        organisation: &OrganisationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<User>, Option<String>), StoreError> {
        let after = after.map(user_key);
        let (items, next) = kept::scan::<User>(&*self.records, organisation, "users/", after.as_deref(), limit)?;
        let id = |key: String| key.strip_prefix("users/").map(str::to_owned);
        Ok((items.into_iter().map(|kept| kept.value).collect(), next.and_then(id)))
    }

    /// Gives a person another role.
    pub(crate) async fn set_role(&self, organisation: &OrganisationId, id: &str, role: Role) -> Result<User, Problem> {
        let mut user = self.user(organisation, id)?.ok_or_else(|| Problem::not_found("such person"))?;
        if user.value.role == Role::Admin && role != Role::Admin {
            self.keep_an_admin(organisation, id)?;
        }
        user.value.role = role;
        let value = kept::encode(&user.value)?;
        let changed = self.records.put(organisation, &user_key(id), Expected::Version(user.version), value)?;
        self.records.durable(changed.position).await?;
        Ok(user.value)
    }

    /// Takes a person away, with their sessions and keys.
    pub(crate) async fn remove(&self, organisation: &OrganisationId, id: &str) -> Result<(), Problem> {
        let user = self.user(organisation, id)?.ok_or_else(|| Problem::not_found("such person"))?;
        if user.value.role == Role::Admin {
            self.keep_an_admin(organisation, id)?;
        }
        let changes = vec![
            Change::delete(organisation, user_key(id), Expected::Version(user.version)),
            Change::delete(&OrganisationId::installation(), login_key(&user.value.email), Expected::Any),
        ];
        let changed = self.records.batch(changes)?;
        // Sessions and keys ask for their person each time: they are void already, this only tidies up.
        super::session::end_all(&*self.records, organisation, id)?;
        self.records.durable(changed.position).await?;
        Ok(())
    }

    /// An organisation without an admin could let nobody in any more.
    fn keep_an_admin(&self, organisation: &OrganisationId, but: &str) -> Result<(), Problem> {
        let all = kept::all::<User>(&*self.records, organisation, "users/")?;
        if all.iter().any(|user| user.value.role == Role::Admin && user.value.id != but) {
            return Ok(());
        }
        Err(Problem::conflict("last_admin", "this is the last admin of the organisation")
            .remedy("make somebody else an admin first"))
    }
}
