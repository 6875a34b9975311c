//! Targets: places to deploy to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use windflow_core::run::Timestamp;

use crate::driver::RegistryLogin;

/// What a target is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Trying things out.
    #[default]
    Development,
    /// The last test.
    Staging,
    /// For everybody.
    Production,
}

impl Environment {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl std::str::FromStr for Environment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "dev" | "development" => Ok(Self::Development),
            "staging" => Ok(Self::Staging),
            "prod" | "production" => Ok(Self::Production),
            _ => Err(format!("{text:?} is no environment: it is development, staging or production")),
        }
    }
}

/// A target, as kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Where it is: `unix:///…`, `tcp://…`, `ssh://…`.
    pub address: String,
    /// What it is for.
    #[serde(default)]
    pub environment: Environment,
    /// Groups that it belongs to.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// What it is, in words.
    #[serde(default)]
    pub description: String,
    /// Its [`Credentials`], encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// When it was described.
    pub created_at: Timestamp,
    /// When that changed.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
}

/// How a target is reached, and what it reaches. Never given back to anybody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Credentials {
    /// Who signed the engine's certificate, in PEM form.
    pub ca: Option<String>,
    /// Our certificate.
    pub certificate: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// The path of a key for SSH, on the machine of whoever described the target: of one that was described before keys were kept.
    pub ssh_key: Option<String>,
    /// A key for SSH, as OpenSSH writes it.
    pub ssh_private_key: Option<String>,
    /// The keys that the SSH server may have, a line each; none: those that the account knows which reaches it.
    pub ssh_host_keys: Option<String>,
    /// Logins of registries by host.
    pub registries: BTreeMap<String, RegistryLogin>,
}

impl Credentials {
    /// These, and what is not among them from others. An empty text stands for none, and so does a login without a name.
    #[must_use]
    pub fn over(self, others: &Self) -> Self {
        let either = |given: Option<String>, other: &Option<String>| {
            given.or_else(|| other.clone()).filter(|text| !text.trim().is_empty())
        };
        Self {
            ca: either(self.ca, &others.ca),
            certificate: either(self.certificate, &others.certificate),
            key: either(self.key, &others.key),
            ssh_key: either(self.ssh_key, &others.ssh_key),
            ssh_private_key: either(self.ssh_private_key, &others.ssh_private_key),
            ssh_host_keys: either(self.ssh_host_keys, &others.ssh_host_keys),
            registries: {
                let mut registries = others.registries.clone();
                registries.extend(self.registries);
                registries.retain(|_, login| !login.username.is_empty());
                registries
            },
        }
    }
}

/// Whether a text is the name of a target.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

/// A line of a file that is imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from 1; the first one names the columns.
    pub line: u64,
    /// What it says, or why it says nothing.
    pub target: Result<New, String>,
}

/// What a new target is made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct New {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// What it is for.
    pub environment: Environment,
    /// Groups.
    pub groups: BTreeSet<String>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// What it is.
    pub description: String,
}

impl New {
    /// Why it cannot be.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            let shown: String = self.name.chars().take(60).collect();
            return Err(format!(
                "{shown:?} is no name of a target: it begins with a-z or a digit and holds only a-z, 0-9, -, _ and ., 64 at most"
            ));
        }
        let (scheme, rest) = self.address.split_once("://").unwrap_or(("", ""));
        if !["unix", "tcp", "ssh"].contains(&scheme) || rest.is_empty() || self.address.len() > 500 {
            let shown: String = self.address.chars().take(60).collect();
            return Err(format!(
                "{shown:?} is no address: write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host"
            ));
        }
        let words = self.groups.iter().chain(&self.tags);
        if words.clone().count() > 50 || words.clone().any(|word| word.is_empty() || word.len() > 64) {
            return Err("a target has 50 groups and tags at most, each of 1 to 64 characters".to_owned());
        }
        if self.description.len() > 1000 { Err("a description has 1000 bytes at most".to_owned()) } else { Ok(()) }
    }
}

/// Lines of one file at most.
pub const MAX_LINES: usize = 10_000;

/// Reads targets from comma-separated lines. The first line names the columns: `name`, `address`, and where wanted `environment`,
/// `groups`, `tags` (several separated by `;`), `description`. Each line is judged for itself.
///
/// # Errors
/// Where the first line names no such columns.
pub fn read_csv(text: &str) -> Result<Vec<Line>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| error.to_string())?.clone();
    let known = ["name", "address", "environment", "groups", "tags", "description"];
    if let Some(unknown) = columns.iter().find(|column| !known.contains(column)) {
        return Err(format!("the first line names the column {unknown:?}; there are {}", known.join(", ")));
    }
    let at = |wanted: &str| columns.iter().position(|column| column == wanted);
    let (Some(name), Some(address)) = (at("name"), at("address")) else {
        return Err("the first line has to name the columns, `name` and `address` at least".to_owned());
    };
    let mut lines = Vec::new();
    for (number, record) in reader.records().take(MAX_LINES).enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(number as u64 + 2, csv::Position::line);
                lines.push(Line { line, target: Err(error.to_string()) });
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let words =
            |at| field(at).split(';').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let target = field(at("environment")).parse().and_then(|environment| {
            let new = New {
                name: field(Some(name)).to_owned(),
                address: field(Some(address)).to_owned(),
                environment,
                groups: words(at("groups")),
                tags: words(at("tags")),
                description: field(at("description")).to_owned(),
            };
            new.check().map(|()| new)
        });
        lines.push(Line { line, target });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_that_are_not_given_stay() {
        let some = |text: &str| Some(text.to_owned());
        let kept =
            Credentials { ca: some("ca"), key: some("key"), ssh_host_keys: some("host"), ..Credentials::default() };
        let given = Credentials { ca: some("new"), ssh_host_keys: some(""), ..Credentials::default() };
        let now = given.over(&kept);
        assert_eq!((now.ca, now.key, now.ssh_host_keys), (some("new"), some("key"), None));
        assert!(Credentials::default().over(&kept) == kept);
        let logins = |all: &[(&str, &str)]| Credentials {
            registries: all
                .iter()
                .map(|(host, name)| {
                    ((*host).to_owned(), RegistryLogin { username: (*name).to_owned(), password: "p".to_owned() })
                })
                .collect(),
            ..Credentials::default()
        };
        let kept = logins(&[("a", "me"), ("b", "me")]);
        assert!(logins(&[("b", "you"), ("c", "me")]).over(&kept) == logins(&[("a", "me"), ("b", "you"), ("c", "me")]));
        assert!(logins(&[("a", "")]).over(&kept) == logins(&[("b", "me")]));
    }

    #[test]
    fn each_line_is_judged_for_itself() {
        let text = "name,address,environment,tags\nedge-1,tcp://10.0.0.1:2376,production,a; b\nBad Name,tcp://x,,\nx,ftp://y,,\ny,ssh://me@y,moon,\nz,unix:///run/d.sock\n";
        let lines = read_csv(text).unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.line, line.target.is_ok())).collect();
        assert_eq!(told, [(2, true), (3, false), (4, false), (5, false), (6, true)]);
        let first = lines[0].target.as_ref().unwrap();
        assert_eq!((first.environment, first.tags.len()), (Environment::Production, 2));
        assert!(read_csv("nom,address\n").is_err() && read_csv("name\nx\n").is_err() && read_csv("").is_err());
    }
}
