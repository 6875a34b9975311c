//! Who asks.

use std::collections::BTreeSet;

use windflow_core::id::OrganisationId;
use windflow_core::run::Timestamp;

use super::{ApiKey, People, User, key};
use crate::access::Permission;
use crate::problem::Problem;

/// Somebody who has shown who they are.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) organisation: OrganisationId,
    pub(crate) who: Who,
    /// The person behind it.
    pub(crate) user: User,
    pub(crate) permissions: BTreeSet<Permission>,
    /// The session that it belongs to; none where it is a key.
    pub(crate) session: Option<String>,
    /// When this ends by itself.
    pub(crate) until: Option<Timestamp>,
}

/// A person, or a program of theirs.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Person,
    Key(ApiKey),
}

impl Caller {
    /// The words for it in runs and versions: `user:ada@example.org`.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Person => format!("user:{}", self.user.email),
            Who::Key(key) => format!("key:{} of {}", key.name, self.user.email),
        }
    }
}

impl People {
    /// Who a bearer token belongs to. Every request asks the store, so that whoever is taken away is away at once.
    pub(crate) fn caller(&self, token: &str, now: Timestamp) -> Result<Caller, Problem> {
        let refused = || {
            Problem::unauthorized("this token is not valid, or not any more")
                .remedy("sign in at /api/v1/auth/login, or refresh the token at /api/v1/auth/refresh")
        };
        if token.starts_with(key::KIND) {
            let (organisation, key) = self.key_of(token, now)?.ok_or_else(refused)?;
            let user = self.user(&organisation, &key.user)?.ok_or_else(refused)?.value;
            // A key never does more than its person may do today.
            let permissions = key.scopes.iter().copied().filter(|scope| user.role.may(*scope)).collect();
            let until = key.expires_at;
            return Ok(Caller { organisation, who: Who::Key(key), user, permissions, session: None, until });
        }
        let claims = self.tokens.read(token, now).ok_or_else(refused)?;
        let session = self.session(&claims.org, &claims.sid)?.filter(|session| session.user == claims.sub);
        session.ok_or_else(refused)?;
        let user = self.user(&claims.org, &claims.sub)?.ok_or_else(refused)?.value;
        let permissions = user.role.permissions();
        let until = Some(Timestamp(claims.exp.saturating_mul(1000)));
        Ok(Caller { organisation: claims.org, who: Who::Person, user, permissions, session: Some(claims.sid), until })
    }
}
