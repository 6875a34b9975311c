//! OAuth 2 (RFC 6749): how a client of a token server gets access tokens.

use serde::{Deserialize, Serialize};

/// A client of a token server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Where access tokens are asked for.
    pub token_url: String,
    /// What is shown for them.
    #[serde(default)]
    pub grant: Grant,
    /// The name under which the token server knows the client. It is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the token is to allow; what the token server usually gives where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Whom the token is for, where the token server wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How the client shows its secret.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// What is shown for an access token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The client's own secret, which is the credential's value.
    #[default]
    ClientCredentials,
    /// A refresh token, which is the credential's value. The token server may give another one for it.
    RefreshToken,
}

/// How a client shows its secret to the token server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In a header, as `Authorization: Basic`.
    #[default]
    Basic,
    /// As fields of the request's body.
    Body,
}
