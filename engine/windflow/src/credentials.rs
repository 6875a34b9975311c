//! Credentials of the command line: from a file, and from the environment.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use windflow_core::capability::HttpPattern;
use windflow_core::credential::{Binding, Credential};
use windflow_core::id::{NodeId, OrganisationId};
use windflow_core::ports::credentials::Credentials;

use crate::exit::invalid;

/// What every variable of a credential begins with; its name in capitals follows.
const VARIABLE: &str = "WINDFLOW_CREDENTIAL_";

const EITHER: &str =
    "write either `value`, or `env` with the name of the variable that holds it; so for `client_secret`, too";

/// Stands for a value that is not there, where none is needed. An address, since a credential may be one; it leads nowhere.
const NOT_SET: &str = "https://a-variable-that-is-not-set.invalid";

/// Credentials by name.
#[derive(Debug, Default)]
pub(crate) struct FromUser(HashMap<String, Arc<Credential>>);

/// A credential as people write it: with its value, or with the name of the variable that holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    bind: Binding,
    #[serde(default)]
    hosts: Vec<HttpPattern>,
    value: Option<String>,
    env: Option<String>,
    /// Beside a refresh token.
    client_secret: Option<String>,
    client_secret_env: Option<String>,
}

impl FromUser {
    /// Reads the file, where one is named, and the environment, which comes over it.
    ///
    /// # Errors
    /// Names the credential that is wrong, and never its value.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        Self::found(file, variable)
    }

    /// The same for whoever only wants to know where credentials go: variables that hold values need not be set.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn described(file: Option<&Path>) -> anyhow::Result<Self> {
        Self::found(file, |name| Some(variable(name).unwrap_or_else(|| NOT_SET.to_owned())))
    }

    fn found(file: Option<&Path>, variable: impl Fn(&str) -> Option<String> + Copy) -> anyhow::Result<Self> {
        let mut found = Self::default();
        if let Some(path) = file {
            let shown = path.display();
            let text = std::fs::read_to_string(path)
                .map_err(|error| invalid(format!("the credentials in {shown} cannot be read: {error}")))?;
            let holds_values =
                found.add_file(&text, variable).map_err(|problem| invalid(format!("{shown}: {problem}")))?;
            if holds_values {
                warn_if_open(path);
            }
        }
        for (name, text) in std::env::vars_os() {
            let (Some(name), Some(text)) = (name.to_str().and_then(|name| name.strip_prefix(VARIABLE)), text.to_str())
            else {
                continue;
            };
            let added = serde_json::from_str(text)
                .map_err(|error| error.to_string())
                .and_then(|written| found.add(name.to_ascii_lowercase(), written, variable));
            added.map_err(|problem| invalid(format!("{VARIABLE}{name}: {problem}")))?;
        }
        Ok(found)
    }

    /// Takes what a file has; whether any value stands in it.
    fn add_file(&mut self, text: &str, variable: impl Fn(&str) -> Option<String> + Copy) -> Result<bool, String> {
        // The parser shows the line that is wrong, which may hold a value: only its place is told.
        let all: BTreeMap<String, toml::Value> = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count()) + 1;
            format!("line {line} is no TOML: {}", error.message())
        })?;
        let holds_values =
            all.values().any(|written| written.get("value").is_some() || written.get("client_secret").is_some());
        for (name, value) in all {
            let written = value.try_into().map_err(|error| format!("[{name}]: {}", toml::de::Error::message(&error)));
            self.add(name.clone(), written?, variable).map_err(|problem| format!("[{name}]: {problem}"))?;
        }
        Ok(holds_values)
    }

    fn add(&mut self, name: String, written: Written, variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        name.parse::<NodeId>().map_err(|error| format!("the name of a credential: {error}"))?;
        let read = |value: Option<String>, env: Option<String>| {
            let value = match (value, env) {
                (None, Some(name)) => Some(variable(&name).ok_or(format!("the variable {name} is not set"))?),
                (Some(_), Some(_)) => return Err(EITHER.to_owned()),
                (value, None) => value,
            };
            // Files and shells like to end values with a line break.
            Ok(value.map(|value| value.trim_end_matches(['\n', '\r']).to_owned()))
        };
        let value = read(written.value, written.env)?.ok_or(EITHER)?;
        let client_secret = read(written.client_secret, written.client_secret_env)?;
        let credential = Credential::new(written.bind, written.hosts, value);
        let credential = credential.and_then(|credential| credential.with_client_secret(client_secret));
        self.0.insert(name, Arc::new(credential.map_err(|error| error.to_string())?));
        Ok(())
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A file that others may read is no place for values.
fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
    {
        let path = path.display();
        tracing::warn!(
            "other users may read the credentials in {path}; close it with chmod go-rwx, or name variables with `env`"
        );
    }
    #[cfg(not(unix))]
    let _ = path;
}

impl Credentials for FromUser {
    fn get(&self, _: &OrganisationId, name: &str) -> Result<Option<Arc<Credential>>, String> {
        Ok(self.0.get(name).cloned())
    }

    fn how_to_set(&self, name: &str) -> String {
        format!(
            "Write it into a file and name that with --credentials FILE:\n[{name}]\nbind = \"bearer\"\nhosts = [\"api.example.org\"]\nenv = \"THE_VARIABLE_THAT_HOLDS_IT\""
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        (name == "CHAT").then(|| "https://hooks.example.org/s3cret\n".to_owned())
    }

    fn read(text: &str) -> Result<FromUser, String> {
        let mut found = FromUser::default();
        found.add_file(text, variable).map(|_| found)
    }

    #[test]
    fn files_hold_values_or_name_variables() {
        let found = read(
            "[team_chat]\nbind = \"url\"\nenv = \"CHAT\"\n\n[api]\nbind = { header = { name = \"X-Api-Key\" } }\nhosts = [\"api.example.org\"]\nvalue = \"s3cret-value\"\n",
        )
        .unwrap();
        let get = |name| found.get(&OrganisationId::local(), name).unwrap().unwrap();
        assert_eq!(get("team_chat").value(), "https://hooks.example.org/s3cret");
        assert_eq!(get("api").binding().to_string(), "the header X-Api-Key");
        assert!(found.get(&OrganisationId::local(), "other").unwrap().is_none());

        let found = read(
            "[drive]\nbind = { oauth2 = { grant = \"refresh_token\", token_url = \"https://a.b/token\", client_id = \"flow\" } }\nhosts = [\"api.example.org\"]\nvalue = \"s3cret-refresh\"\nclient_secret_env = \"CHAT\"\n",
        )
        .unwrap();
        let drive = found.get(&OrganisationId::local(), "drive").unwrap().unwrap();
        assert_eq!(drive.client_secret(), Some("https://hooks.example.org/s3cret"));
    }

    #[test]
    fn problems_name_the_credential_and_never_the_value() {
        for (text, says) in [
            ("[a]\nbind = \"bearer\"\nhosts = [\"a.b\"]\nenv = \"NONE\"", "[a]: the variable NONE is not set"),
            ("[a]\nbind = \"bearer\"\nhosts = [\"a.b\"]", "[a]: write either `value`"),
            ("[a]\nbind = \"bearer\"\nvalue = \"s3cret-value\"", "[a]: `hosts` is missing"),
            ("[a]\nbind = \"beerer\"\nvalue = \"s3cret-value\"", "[a]: unknown variant"),
            ("[A-B]\nbind = \"bearer\"\nhosts = [\"a.b\"]\nvalue = \"s3cret-value\"", "[A-B]: the name"),
            ("[a]\nvalue = \"s3cret-value\nx = 1", "line 2 is no TOML"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
