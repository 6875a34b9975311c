//! Where an organisation keeps its own templates, and what it has installed: records of its own, which the server and the command line
//! share.

use std::sync::Arc;

use semver::Version;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected, RecordVersion, Records, RecordsError};
use windflow_core::ports::store::{Position, StoreError};
use windflow_core::run::Timestamp;

use crate::index::{Entry, Made, Packed};
use crate::manifest::{Kind, is_name};

/// Versions of a template at most.
const MAX_VERSIONS: usize = 50;
/// Templates of an organisation at most.
const MAX_TEMPLATES: usize = 2000;
/// Names that stand for something else in addresses.
const RESERVED: [&str; 2] = ["installed", "convert"];

const OWN: &str = "templates/";
const INSTALLED: &str = "installed/";

/// Why something cannot be kept or found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The name stands for something else.
    #[error("no template can be called {0}")]
    Reserved(String),
    /// It is there already, in this version or a later one.
    #[error("template {name} is at version {found}, and this is {wanted}: give it a higher version")]
    NotNewer {
        /// Which.
        name: String,
        /// What is kept.
        found: Version,
        /// What was to be kept.
        wanted: Version,
    },
    /// There are too many.
    #[error("an organisation has {MAX_TEMPLATES} templates at most: remove one")]
    TooMany,
    /// Somebody else changed it at the same time.
    #[error("it has changed meanwhile")]
    Conflict,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecordsError> for LedgerError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Conflict { .. } => Self::Conflict,
            RecordsError::Refused(why) => Self::Store(StoreError::Unavailable(why)),
            RecordsError::Store(error) => Self::Store(error),
        }
    }
}

/// What a ledger gives.
pub type Result<T> = std::result::Result<T, LedgerError>;

/// A stack or workflow that came from a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Installed {
    /// What it is.
    pub kind: Kind,
    /// Name of the stack or workflow.
    #[serde(rename = "as")]
    pub name: String,
    /// Where the template came from.
    pub registry: String,
    /// The template's name.
    pub template: String,
    /// The template's version.
    pub version: Version,
    /// Its text as it was installed, by which a change by hand is told.
    pub text: String,
    /// When it was installed or last updated.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A template of the organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Own {
    entry: Entry,
    at: Timestamp,
    by: String,
}

/// The records of an organisation. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    records: Arc<dyn Records>,
    organisation: OrganisationId,
}

fn own_key(name: &str) -> String {
    format!("{OWN}{name}")
}

fn package_key(name: &str, version: &Version) -> String {
    format!("template-packages/{name}/{version}")
}

fn installed_key(kind: Kind, name: &str) -> String {
    format!("{INSTALLED}{}/{name}", kind.word())
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    let encoded = serde_json::to_vec(value);
    Ok(encoded.map_err(|error| StoreError::Unavailable(format!("a record cannot be written: {error}")))?)
}

fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T> {
    let decoded = serde_json::from_slice(value);
    Ok(decoded.map_err(|error| StoreError::Corrupted(format!("the record {key:?} cannot be read: {error}")))?)
}

impl Ledger {
    /// The ledger of an organisation.
    #[must_use]
    pub fn new(records: Arc<dyn Records>, organisation: OrganisationId) -> Self {
        Self { records, organisation }
    }

    /// Waits until everything that was kept survives the loss of power.
    ///
    /// # Errors
    /// As the store's.
    pub async fn durable(&self) -> Result<()> {
        Ok(self.records.durable(Position::LATEST).await?)
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, RecordVersion)>> {
        let Some(stored) = self.records.get(&self.organisation, key)? else { return Ok(None) };
        Ok(Some((decode(key, &stored.value)?, stored.version)))
    }

    fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.records.scan(&self.organisation, prefix, after.as_deref(), 1000)?;
            for stored in page.items {
                all.push(decode(&stored.key, &stored.value)?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Everything that was installed, what was removed since among it.
    ///
    /// # Errors
    /// As the store's.
    pub fn installed(&self) -> Result<Vec<Installed>> {
        self.all(INSTALLED)
    }

    /// What is known of a stack or workflow that was installed.
    ///
    /// # Errors
    /// As the store's.
    pub fn installed_as(&self, kind: Kind, name: &str) -> Result<Option<Installed>> {
        Ok(self.read(&installed_key(kind, name))?.map(|(installed, _)| installed))
    }

    /// Remembers an installation, in the place of one of the same name before.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn remembered(&self, installed: &Installed) -> Result<Change> {
        let key = installed_key(installed.kind, &installed.name);
        Ok(Change::put(&self.organisation, key, Expected::Any, encode(installed)?))
    }

    /// Forgets an installation.
    #[must_use]
    pub fn forgotten(&self, kind: Kind, name: &str) -> Change {
        Change::delete(&self.organisation, installed_key(kind, name), Expected::Any)
    }

    /// Makes changes, all or none.
    ///
    /// # Errors
    /// As the store's.
    pub fn write(&self, changes: Vec<Change>) -> Result<()> {
        self.records.batch(changes)?;
        Ok(())
    }

    /// The organisation's own templates.
    ///
    /// # Errors
    /// As the store's.
    pub fn own(&self) -> Result<Vec<Arc<Entry>>> {
        Ok(self.all::<Own>(OWN)?.into_iter().map(|own| Arc::new(own.entry)).collect())
    }

    /// An own template, and its latest version.
    ///
    /// # Errors
    /// As the store's.
    pub fn own_latest(&self, name: &str) -> Result<Option<(Entry, Packed)>> {
        // The name comes from outside, and becomes part of a key.
        let found = if is_name(name) { self.read::<Own>(&own_key(name))? } else { None };
        Ok(found.and_then(|(own, _)| {
            let packed = own.entry.packed(None)?.clone();
            Some((own.entry, packed))
        }))
    }

    /// The package of a version of an own template.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn package(&self, entry: &Entry, packed: &Packed) -> Result<Vec<u8>> {
        let found = self.records.get(&self.organisation, &package_key(entry.name(), &packed.version))?;
        found.map(|stored| stored.value).ok_or_else(|| LedgerError::NotFound(format!("template {}", entry.name())))
    }

    /// Keeps a template of the organisation. A later version takes the place of the one before, whose package stays.
    ///
    /// # Errors
    /// Where it is not newer than what is kept.
    pub fn publish(&self, made: Made, by: &str, now: Timestamp) -> Result<Entry> {
        let Made { mut entry, package, .. } = made;
        let name = entry.name().to_owned();
        if RESERVED.contains(&name.as_str()) {
            return Err(LedgerError::Reserved(name));
        }
        let before = self.read::<Own>(&own_key(&name))?;
        let expected = before.as_ref().map_or(Expected::Absent, |(_, version)| Expected::Version(*version));
        let mut changes = Vec::new();
        if let Some((old, _)) = before {
            let (found, wanted) = (&old.entry.manifest.version, &entry.manifest.version);
            if wanted <= found {
                return Err(LedgerError::NotNewer { name, found: found.clone(), wanted: wanted.clone() });
            }
            entry.versions.extend(old.entry.versions);
            for gone in entry.versions.split_off(entry.versions.len().min(MAX_VERSIONS)) {
                let key = package_key(&name, &gone.version);
                changes.push(Change::delete(&self.organisation, key, Expected::Any));
            }
        } else if self.own()?.len() >= MAX_TEMPLATES {
            return Err(LedgerError::TooMany);
        }
        entry.updated_at = now.0;
        let own = Own { entry, at: now, by: by.to_owned() };
        let key = package_key(&name, &own.entry.manifest.version);
        changes.push(Change::put(&self.organisation, key, Expected::Any, package));
        changes.push(Change::put(&self.organisation, own_key(&name), expected, encode(&own)?));
        self.write(changes)?;
        Ok(own.entry)
    }

    /// Takes an own template away with its packages. What was installed of it stays.
    ///
    /// # Errors
    /// Where there is none.
    pub fn remove(&self, name: &str) -> Result<()> {
        let Some((own, version)) = self.read::<Own>(&own_key(name))? else {
            return Err(LedgerError::NotFound(format!("template {name} of this organisation")));
        };
        let mut changes = vec![Change::delete(&self.organisation, own_key(name), Expected::Version(version))];
        let keys = own.entry.versions.iter().map(|packed| package_key(name, &packed.version));
        changes.extend(keys.map(|key| Change::delete(&self.organisation, key, Expected::Any)));
        self.write(changes)
    }
}
