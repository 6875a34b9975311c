//! Where the host gets credentials from.

use std::sync::Arc;

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
