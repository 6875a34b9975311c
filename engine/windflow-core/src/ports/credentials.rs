//! Where the host gets credentials from.

use std::sync::Arc;

use super::store::BoxFuture;
use crate::credential::Credential;
use crate::id::OrganisationId;

/// Keeps credentials. Only the host asks, once an attempt's workflow was seen to grant the name.
pub trait Credentials: Send + Sync {
    /// The credential of this name, where the organisation has one.
    ///
    /// # Errors
    /// Where it cannot be read: in words for people, without its value.
    fn get(&self, organisation: &OrganisationId, name: &str) -> Result<Option<Arc<Credential>>, String>;

    /// How to set a credential of this name here; told where one is missing.
    fn how_to_set(&self, name: &str) -> String;

    /// Keeps the credential with another value, because the token server gave a new refresh token: the one before may be worth
    /// nothing any more. Durable when it returns [`Replaced::Kept`]. Nothing is kept where the credential is another than
    /// `from` by now: somebody has set it meanwhile.
    ///
    /// # Errors
    /// Where it cannot be written: in words for people, without values.
    fn replace<'a>(
        &'a self,
        _: &'a OrganisationId,
        _: &'a str,
        _: &'a Credential,
        _: &'a Credential,
    ) -> BoxFuture<'a, Result<Replaced, String>> {
        Box::pin(std::future::ready(Ok(Replaced::Nowhere)))
    }
}

/// What became of a credential that was to get another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It is kept, durably.
    Kept,
    /// Another credential of the name is there by now, and stays.
    Changed,
    /// These credentials are read only.
    Nowhere,
}

/// No credentials at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCredentials;

impl Credentials for NoCredentials {
    fn get(&self, _: &OrganisationId, _: &str) -> Result<Option<Arc<Credential>>, String> {
        Ok(None)
    }

    fn how_to_set(&self, _: &str) -> String {
        "This engine keeps no credentials".to_owned()
    }
}
