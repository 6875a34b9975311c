//! What is said of a target: its address, its login, what it is for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_stacks::driver::RegistryLogin;
use windflow_stacks::target::{Credentials, Environment, New};

/// What a target is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnvironmentWord {
    #[default]
    Development,
    Staging,
    Production,
}

impl From<EnvironmentWord> for Environment {
    fn from(word: EnvironmentWord) -> Self {
        match word {
            EnvironmentWord::Development => Self::Development,
            EnvironmentWord::Staging => Self::Staging,
            EnvironmentWord::Production => Self::Production,
        }
    }
}

/// The login of a registry of images.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryAccess {
    username: String,
    #[schema(format = "password")]
    password: String,
}

/// How a target is reached, and what it reaches. Never given back.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCredentials {
    /// Who signed the engine's certificate, in PEM form.
    ca: Option<String>,
    /// Our certificate, in PEM form.
    certificate: Option<String>,
    /// Its key, in PEM form.
    key: Option<String>,
    /// A private key for SSH without a passphrase, as OpenSSH writes it.
    ssh_private_key: Option<String>,
    /// The keys that the SSH server may have, a line each, as `ssh-keyscan` prints them; none: those that the server's account knows.
    ssh_host_keys: Option<String>,
    /// Logins of registries by host.
    #[serde(default)]
    registries: BTreeMap<String, RegistryAccess>,
}

impl From<SetCredentials> for Credentials {
    fn from(set: SetCredentials) -> Self {
        let login = |RegistryAccess { username, password }| RegistryLogin { username, password };
        let registries = set.registries.into_iter().map(|(host, given)| (host, login(given))).collect();
        Self {
            ca: set.ca,
            certificate: set.certificate,
            key: set.key,
            // Files of the server are the operator's, not a caller's.
            ssh_key: None,
            ssh_private_key: set.ssh_private_key,
            ssh_host_keys: set.ssh_host_keys,
            registries,
        }
    }
}

/// A target to describe.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddTarget {
    /// a-z, 0-9, -, _ and .
    #[schema(min_length = 1, max_length = 64)]
    pub(super) name: String,
    /// `unix:///…`, `tcp://host:port` or `ssh://user@host`.
    pub(super) address: String,
    #[serde(default)]
    pub(super) environment: EnvironmentWord,
    #[serde(default)]
    pub(super) groups: BTreeSet<String>,
    #[serde(default)]
    pub(super) tags: BTreeSet<String>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) credentials: Option<SetCredentials>,
}

/// What a target is to be like.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeTarget {
    /// `unix:///…`, `tcp://host:port` or `ssh://user@host`.
    pub(super) address: String,
    #[serde(default)]
    pub(super) environment: EnvironmentWord,
    #[serde(default)]
    pub(super) groups: BTreeSet<String>,
    #[serde(default)]
    pub(super) tags: BTreeSet<String>,
    #[serde(default)]
    pub(super) description: String,
    /// Each that is not given stays; an empty text takes one away.
    pub(super) credentials: Option<SetCredentials>,
}

impl ChangeTarget {
    pub(super) fn split(self, name: String) -> (New, Option<Credentials>) {
        let Self { address, environment, groups, tags, description, credentials } = self;
        let environment = environment.into();
        (New { name, address, environment, groups, tags, description }, credentials.map(Into::into))
    }
}
