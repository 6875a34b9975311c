//! Sessions: a refresh token that changes with each use. One that is shown again was stolen or copied: the session ends, unless it was replaced a moment
//! ago. Then its answer never came: a page was loaded anew in the middle of it, or a network changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::records::{Expected, Records, RecordsError};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;

use super::{People, User, access_token, password, random, user};
use crate::kept;
use crate::problem::Problem;
use crate::state::blocking;

/// How long a session lives without being used, in milliseconds.
const LIFETIME: u64 = 30 * 24 * 3600 * 1000;

/// For how long a refresh token is good after it was replaced, in milliseconds.
const GRACE: u64 = 30 * 1000;

/// So many of those that were replaced within that time are known. Whoever loads a page over and over shows the same one again.
const KNOWN: usize = 8;

const KIND: &str = "wfr";

/// A session, as kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: String,
    /// Of the newest refresh token.
    token: Digest,
    /// Those that were replaced a moment ago, whichever was used last at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<Replaced>,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Replaced {
    token: Digest,
    at: Timestamp,
}

impl Session {
    fn new(id: String, user: String, secret: &str, now: Timestamp) -> Self {
        let expires_at = Timestamp(now.0 + LIFETIME);
        Self { id, user, token: random::digest(secret), replaced: Vec::new(), expires_at }
    }

    /// Whether this is its refresh token, or was until a moment ago.
    fn takes(&self, secret: &str, now: Timestamp) -> bool {
        random::matches(secret, &self.token)
            || self.replaced.iter().any(|it| it.is_recent(now) && random::matches(secret, &it.token))
    }

    /// Gives it another refresh token, to whoever showed one that it takes.
    fn renew(&mut self, shown: &str, secret: &str, now: Timestamp) {
        let before = std::mem::replace(&mut self.token, random::digest(secret));
        self.replaced.retain(|it| it.is_recent(now));
        self.replaced.push(Replaced { token: before, at: now });
        self.replaced.sort_by_key(|it| random::matches(shown, &it.token));
        let surplus = self.replaced.len().saturating_sub(KNOWN);
        self.replaced.drain(..surplus);
        self.expires_at = Timestamp(now.0 + LIFETIME);
    }
}

impl Replaced {
    fn is_recent(&self, now: Timestamp) -> bool {
        now.0 < self.at.0.saturating_add(GRACE)
    }
}

/// A session, as its person sees it.
#[derive(Debug)]
pub(crate) struct SessionOf {
    pub(crate) id: String,
    pub(crate) used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What whoever signs in gets.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) organisation: OrganisationId,
    pub(crate) user: User,
    pub(crate) access_token: String,
    /// Seconds.
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: String,
}

fn key(id: &str) -> String {
    format!("sessions/{id}")
}

fn refused() -> Problem {
    Problem::unauthorized("this refresh token is not valid").remedy("sign in again")
}

impl People {
    /// Signs in by e-mail address and password.
    pub(crate) async fn sign_in(&self, email: &str, password: &str, now: Timestamp) -> Result<SignedIn, Problem> {
        let email = user::normal(email);
        if let Some(seconds) = self.throttle.wait(&email, now) {
            let status = axum::http::StatusCode::TOO_MANY_REQUESTS;
            return Err(Problem::new(status, "too_many_failures", "this person failed to sign in too often of late")
                .retry_after(seconds));
        }
        let login = self.login(&email)?;
        let user = match &login {
            Some(login) => self.user(&login.organisation, &login.user)?,
            None => None,
        };
        let hash = user.as_ref().map(|user| user.value.password_hash.clone());
        let given = password.to_owned();
        let turn = self.passwords.acquire().await.map_err(Problem::internal)?;
        let genuine = blocking(move || password::verify(&given, hash.as_deref())).await?;
        drop(turn);
        match (genuine, login, user) {
            (true, Some(login), Some(user)) => {
                self.throttle.succeeded(&email);
                self.open_session(login.organisation, user.value, now).await
            }
            _ => {
                self.throttle.failed(&email, now);
                Err(Problem::unauthorized("this e-mail address and password do not go together"))
            }
        }
    }

    /// Gives somebody who is signed in another password. All their sessions end, and one begins.
    pub(crate) async fn change_password(
        &self,
        organisation: OrganisationId,
        user: User,
        current: &str,
        new: String,
        now: Timestamp,
    ) -> Result<SignedIn, Problem> {
        // Guessing is slowed here as it is at the door.
        self.sign_in(&user.email, current, now).await.map_err(|problem| match problem.status() {
            401 => Problem::invalid("wrong_password", "this is not your password")
                .remedy("an admin can take you away and let you in again, if you have lost it"),
            _ => problem,
        })?;
        let turn = self.passwords.acquire().await.map_err(Problem::internal)?;
        let (records, email) = (Arc::clone(&self.records), user.email.clone());
        let position = blocking(move || super::set_password(&*records, &email, &new)).await??;
        drop(turn);
        self.records.durable(position).await?;
        self.open_session(organisation, user, now).await
    }

    /// Begins a session of a person who has shown who they are.
    pub(super) async fn open_session(
        &self,
        organisation: OrganisationId,
        user: User,
        now: Timestamp,
    ) -> Result<SignedIn, Problem> {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let secret = random::secret()?;
        let session = Session::new(id.clone(), user.id.clone(), &secret, now);
        let changed = self.records.put(&organisation, &key(&id), Expected::Absent, kept::encode(&session)?)?;
        self.records.durable(changed.position).await?;
        self.signed_in(organisation, user, &id, &secret, now)
    }

    fn signed_in(
        &self,
        organisation: OrganisationId,
        user: User,
        session: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<SignedIn, Problem> {
        let access_token = self.tokens.make(&organisation, &user.id, session, now)?;
        let refresh_token = format!("{KIND}_{organisation}.{session}.{secret}");
        Ok(SignedIn { organisation, user, access_token, expires_in: access_token::LIFETIME, refresh_token })
    }

    /// Changes a refresh token for new tokens.
    pub(crate) async fn refresh(&self, token: &str, now: Timestamp) -> Result<SignedIn, Problem> {
        let (organisation, id, shown) = parse(token).ok_or_else(refused)?;
        loop {
            let mut session = kept::read::<Session>(&*self.records, &organisation, &key(&id))?.ok_or_else(refused)?;
            if session.value.expires_at <= now {
                return Err(refused());
            }
            if !session.value.takes(&shown, now) {
                tracing::warn!(organisation = %organisation, user = session.value.user, "a refresh token was used twice; its session is ended");
                let changed = self.records.delete(&organisation, &key(&id), Expected::Any)?;
                self.records.durable(changed.position).await?;
                return Err(Problem::unauthorized("this refresh token was used before, so its session was ended")
                    .remedy("sign in again; if you did not use it, somebody else has had it"));
            }
            let user = self.user(&organisation, &session.value.user)?.ok_or_else(refused)?.value;
            let secret = random::secret()?;
            session.value.renew(&shown, &secret, now);
            let value = kept::encode(&session.value)?;
            match self.records.put(&organisation, &key(&id), Expected::Version(session.version), value) {
                Ok(changed) => {
                    self.records.durable(changed.position).await?;
                    return self.signed_in(organisation, user, &id, &secret, now);
                }
                // Somebody else used it at the same moment, and was first: it was replaced a moment ago.
                Err(RecordsError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the session of a refresh token. Whoever shows none that is valid ends none, and is not told.
    pub(crate) async fn sign_out(&self, token: &str, now: Timestamp) -> Result<(), Problem> {
        let Some((organisation, id, secret)) = parse(token) else { return Ok(()) };
        let session = kept::read::<Session>(&*self.records, &organisation, &key(&id))?;
        if session.is_some_and(|session| session.value.takes(&secret, now)) {
            let changed = self.records.delete(&organisation, &key(&id), Expected::Any)?;
            self.records.durable(changed.position).await?;
        }
        Ok(())
    }

    /// The sessions of a person, the oldest first.
    pub(crate) fn sessions(
        &self,
        organisation: &OrganisationId,
        user: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionOf>, StoreError> {
        let all = kept::all::<Session>(&*self.records, organisation, "sessions/")?;
        let mine = all.into_iter().map(|kept| kept.value).filter(|it| it.user == user && it.expires_at > now);
        let told = |session: Session| SessionOf {
            used_at: Timestamp(session.expires_at.0.saturating_sub(LIFETIME)),
            expires_at: session.expires_at,
            id: session.id,
        };
        Ok(mine.map(told).collect())
    }

    /// Ends a session of a person. False: they have no such session.
    pub(crate) async fn end_session(
        &self,
        organisation: &OrganisationId,
        user: &str,
        id: &str,
    ) -> Result<bool, Problem> {
        let well_formed = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if !well_formed || self.session(organisation, id)?.is_none_or(|session| session.user != user) {
            return Ok(false);
        }
        let changed = self.records.delete(organisation, &key(id), Expected::Any)?;
        self.records.durable(changed.position).await?;
        Ok(true)
    }

    pub(super) fn session(&self, organisation: &OrganisationId, id: &str) -> Result<Option<Session>, StoreError> {
        Ok(kept::read::<Session>(&*self.records, organisation, &key(id))?.map(|kept| kept.value))
    }
}

fn parse(token: &str) -> Option<(OrganisationId, String, String)> {
    let (organisation, id, secret) = random::split(token, KIND)?;
    let fits = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then_some((organisation.parse().ok()?, id, secret))
}

/// Ends every session of a person.
pub(super) fn end_all(records: &dyn Records, organisation: &OrganisationId, user: &str) -> Result<(), StoreError> {
    end(records, organisation, |session| session.user == user)
}

/// Takes away expired sessions.
pub(super) fn prune(records: &dyn Records, organisation: &OrganisationId, now: Timestamp) -> Result<(), StoreError> {
    end(records, organisation, |session| session.expires_at <= now)
}

fn end(
    records: &dyn Records,
    organisation: &OrganisationId,
    which: impl Fn(&Session) -> bool,
) -> Result<(), StoreError> {
    for session in kept::all::<Session>(records, organisation, "sessions/")? {
        if which(&session.value) {
            match records.delete(organisation, &key(&session.value.id), Expected::Any) {
                Ok(_) => {}
                Err(RecordsError::Store(error)) => return Err(error),
                Err(other) => tracing::warn!(error = %other, "a session could not be ended"),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use windflow_store::MemoryStore;

    use super::super::NewUser;
    use super::*;
    use crate::access::Role;

    const BEGUN: Timestamp = Timestamp(1_000_000);

    async fn somebody() -> (People, SignedIn) {
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let people = People::open(records).await.unwrap();
        let owner = NewUser {
            organisation: OrganisationId::local(),
            email: "ada@example.org".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Admin,
            password: "correct horse battery".to_owned(),
        };
        let token = people.setup_token().unwrap();
        let signed_in = people.set_up(&token, owner, BEGUN).await.unwrap();
        (people, signed_in)
    }

    fn after(milliseconds: u64) -> Timestamp {
        Timestamp(BEGUN.0 + milliseconds)
    }

    #[tokio::test]
    async fn an_answer_that_never_came_ends_no_session() {
        let (people, first) = somebody().await;
        // As often as somebody loads a page who is told nothing.
        let mut told = Vec::new();
        for time in 0..40 {
            told.push(people.refresh(&first.refresh_token, after(time)).await.unwrap());
        }
        let last = told.pop().unwrap();
        let next = people.refresh(&last.refresh_token, after(GRACE * 2)).await.unwrap();
        assert!(people.refresh(&next.refresh_token, after(LIFETIME)).await.is_ok());
    }

    #[tokio::test]
    async fn one_that_is_shown_later_was_stolen() {
        let (people, first) = somebody().await;
        let second = people.refresh(&first.refresh_token, after(0)).await.unwrap();
        // The moment counts from when it was replaced, not from when it was shown again.
        people.refresh(&first.refresh_token, after(GRACE - 1)).await.unwrap();
        let third = people.refresh(&second.refresh_token, after(GRACE - 1)).await.unwrap();
        assert_eq!(people.refresh(&first.refresh_token, after(GRACE)).await.unwrap_err().status(), 401);
        // The session is ended.
        assert_eq!(people.refresh(&third.refresh_token, after(GRACE)).await.unwrap_err().status(), 401);
    }

    #[tokio::test]
    async fn whoever_signs_out_right_after_signs_out() {
        let (people, first) = somebody().await;
        let second = people.refresh(&first.refresh_token, after(0)).await.unwrap();
        people.sign_out(&first.refresh_token, after(1)).await.unwrap();
        assert_eq!(people.refresh(&second.refresh_token, after(2)).await.unwrap_err().status(), 401);
    }
}
