//! Credentials: a secret value, the one way in which the host puts it into a request, and the hosts that it may go to.
//!
//! Guests never hold one. A node names it (`with: { credential: team_chat }`), the workflow's `permissions:` allow it, and
//! the host adds it to requests that go to its hosts.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capability::{HttpPattern, Origin, Scheme};

mod check;
mod oauth;

pub use oauth::{ClientAuth, Grant, OAuth};

/// The address that stands for the whole URL that a credential holds: a node sends its request here, and the host puts the
/// credential's URL in its place. Names below `.invalid` never resolve (RFC 6761).
pub const URL_PLACEHOLDER_HOST: &str = "credential.invalid";

/// The shortest value, in bytes. Shorter ones would also be found, and blotted out, where they are ordinary text.
pub const MIN_VALUE_BYTES: usize = 6;

/// The longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 16 << 10;

/// The most hosts of one credential.
pub const MAX_HOSTS: usize = 32;

/// A credential that was checked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Credential {
    binding: Binding,
    hosts: Vec<HttpPattern>,
    value: String,
    client_secret: Option<String>,
}

/// How the host puts the value into a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Binding {
    /// `Authorization: Bearer VALUE`.
    Bearer,
    /// `Authorization: Basic …` of a user name and the value as password. Also logs in to a mail server.
    Basic {
        /// The user name, which is no secret.
        username: String,
    },
    /// A header of this name.
    Header {
        /// Its name, such as `X-Api-Key`.
        name: String,
    },
    /// A field of the query of this name.
    Query {
        /// Its name, such as `key`.
        name: String,
    },
    /// The value is the whole address, as with the webhooks of chats: whoever knows it may post.
    Url,
    /// The value is a key; the body is signed with it.
    Hmac(Signature),
    /// The host asks a token server for an access token, with the value as the client's secret or as refresh token, and sends
    /// that as `Authorization: Bearer`. The value itself goes to the token server alone.
    #[serde(rename = "oauth2")]
    OAuth(OAuth),
}

/// How a body is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The header that carries the signature, such as `X-Hub-Signature-256`.
    pub header: String,
    /// What is hashed with.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// Stands before it, such as `sha256=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// A header for the time in seconds since 1970. Where there is one, `TIME.BODY` is signed instead of the body alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
}

/// What a body is hashed with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC with SHA-256.
    #[default]
    Sha256,
    /// HMAC with SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits in lower case.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

/// What is wrong with a credential, and how to mend it. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCredential(String);

/// A credential as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    bind: Binding,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<HttpPattern>,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl Credential {
    /// Checks what was written.
    ///
    /// # Errors
    /// [`InvalidCredential`], which names the field.
    pub fn new(binding: Binding, hosts: Vec<HttpPattern>, value: String) -> Result<Self, InvalidCredential> {
        check::value(&binding, &value)?;
        check::binding(&binding)?;
        let hosts = check::hosts(&binding, hosts, &value)?;
        Ok(Self { binding, hosts, value, client_secret: None })
    }

    /// Adds what a client shows beside its refresh token.
    ///
    /// # Errors
    /// [`InvalidCredential`] where the credential is none that has a secret beside its value.
    pub fn with_client_secret(self, secret: Option<String>) -> Result<Self, InvalidCredential> {
        if let Some(secret) = &secret {
            check::client_secret(&self.binding, secret)?;
        }
        Ok(Self { client_secret: secret, ..self })
    }

    /// The same with another value: a token server may give a new refresh token for the one that it was shown.
    ///
    /// # Errors
    /// [`InvalidCredential`] where the new value cannot be one.
    pub fn with_value(&self, value: String) -> Result<Self, InvalidCredential> {
        check::value(&self.binding, &value)?;
        Ok(Self { value, ..self.clone() })
    }

    /// How it is put into a request.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Where it may go.
    #[must_use]
    pub fn hosts(&self) -> &[HttpPattern] {
        &self.hosts
    }

    /// The secret itself: for the host alone.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The client's secret, where the value is a refresh token: for the host alone.
    #[must_use]
    pub fn client_secret(&self) -> Option<&str> {
        self.client_secret.as_deref()
    }

    /// Whether it may go there: to its hosts only, and in plain text only where `http://` is written.
    #[must_use]
    pub fn may_go_to(&self, origin: &Origin) -> bool {
        self.hosts
            .iter()
            .any(|host| host.covers(origin) && (origin.scheme == Scheme::Https || host.scheme() == Some(Scheme::Http)))
    }
}

impl TryFrom<Document> for Credential {
    type Error = InvalidCredential;

    fn try_from(document: Document) -> Result<Self, InvalidCredential> {
        Self::new(document.bind, document.hosts, document.value)?.with_client_secret(document.client_secret)
    }
}

impl From<Credential> for Document {
    fn from(credential: Credential) -> Self {
        let Credential { binding, hosts, value, client_secret } = credential;
        Self { bind: binding, hosts, value, client_secret }
    }
}

/// Without the value, so that no log can hold it.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("binding", &self.binding).field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("a bearer token"),
            Self::Basic { username } => write!(f, "the password of {username}"),
            Self::Header { name } => write!(f, "the header {name}"),
            Self::Query { name } => write!(f, "the query field {name}"),
            Self::Url => f.write_str("the whole address"),
            Self::Hmac(signature) => write!(f, "a signature in the header {}", signature.header),
            Self::OAuth(client) => write!(f, "access tokens from {}", client.token_url),
        }
    }
}

#[cfg(test)]
mod tests;
