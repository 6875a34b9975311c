//! The first person: made by whoever can read what the server printed at its first start.

use std::sync::{Mutex, PoisonError};

use subtle::ConstantTimeEq as _;
use windflow_core::run::Timestamp;

use super::{NewUser, People, SignedIn, organisations, random};
use crate::problem::Problem;

/// A token that is valid once, and only while there is nobody. It is kept in memory alone: each start makes a new one.
pub(super) struct Setup(Mutex<Option<String>>);

impl Setup {
    pub(super) fn new(nobody: bool) -> Self {
        Self(Mutex::new(if nobody { random::secret().ok() } else { None }))
    }

    pub(super) fn token(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the token, where that is the one that was given.
    fn take(&self, given: &str) -> Option<String> {
        let mut token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if token.as_ref().is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into()) {
            token.take()
        } else {
            None
        }
    }

    fn give_back(&self, token: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

impl People {
    /// Makes the owner and signs them in.
    pub(crate) async fn set_up(&self, token: &str, owner: NewUser, now: Timestamp) -> Result<SignedIn, Problem> {
        let refused = || {
            Problem::unauthorized("this is not the setup token, or there is an owner already")
                .remedy("the server prints the token when it starts without anybody; each start prints a new one")
        };
        let token = self.setup.take(token).ok_or_else(refused)?;
        if !organisations(&*self.records)?.is_empty() {
            return Err(refused());
        }
        let organisation = owner.organisation.clone();
        match self.add(owner, now).await {
            Ok(user) => self.open_session(organisation, user, now).await,
            Err(problem) => {
                self.setup.give_back(token);
                Err(problem)
            }
        }
    }
}
