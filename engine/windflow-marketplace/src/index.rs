//! The index of a registry.

use serde::{Deserialize, Serialize};

use crate::files::{Fault, Files};
use crate::manifest::{self, Kind, Manifest};
use crate::package;
use crate::shelf::words;
use crate::template::{self, Template};

/// Longest index.
pub const MAX_BYTES: usize = 8 << 20;
/// Templates of an index at most.
const MAX_TEMPLATES: usize = 10_000;
/// Version of the format.
const FORMAT: u32 = 1;

/// What a registry offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Version of the format: 1.
    pub registry: u32,
    /// Its name for itself.
    pub name: String,
    /// Grows with each change: one that is lower than what was seen is an old one, played again.
    pub sequence: u64,
    /// When it last changed, RFC 3339.
    pub generated: String,
    /// By name.
    pub templates: Vec<Entry>,
}

/// A template of an index: enough to list and search it without its package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it says of itself.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Digest of its package.
    pub digest: String,
    /// Length of its package.
    pub size: u64,
    /// When it last changed, in milliseconds since 1970; 0 where nobody knows.
    #[serde(default)]
    pub updated_at: u64,
    /// Names of its services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Its images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Its ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// How many variables it has.
    #[serde(default)]
    pub variables: u32,
    /// Names of its risks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<String>,
    /// Node types of a workflow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<String>,
    /// The words of its READMEs, each once, as search wants them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// All versions that can be had, the latest first.
    pub versions: Vec<Packed>,
}

/// A version that can be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    /// Which.
    pub version: semver::Version,
    /// Digest of its package.
    pub digest: String,
    /// Length of its package.
    pub size: u64,
}

impl Entry {
    /// The entry of a template and its package.
    #[must_use]
    pub fn new(template: &Template, package: &[u8]) -> Self {
        let contents = &template.contents;
        let (digest, size) = (Template::digest(package), package.len() as u64);
        let version = template.manifest.version.clone();
        Self {
            manifest: template.manifest.clone(),
            digest: digest.clone(),
            size,
            updated_at: 0,
            services: contents.services.iter().map(|service| service.name.clone()).collect(),
            images: contents.images.clone(),
            ports: contents.ports.clone(),
            variables: u32::try_from(contents.variables.len().max(contents.inputs.len())).unwrap_or(u32::MAX),
            risks: contents.risks.iter().map(windflow_stacks::risk::Risk::name).collect(),
            uses: contents.uses.clone(),
            words: words::gathered([template.readme.get("en"), template.readme.get("fr")]),
            versions: vec![Packed { version, digest, size }],
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// What it is of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.manifest.kind
    }

    /// A version of it; the latest where nothing is said.
    #[must_use]
    pub fn packed(&self, version: Option<&semver::Version>) -> Option<&Packed> {
        match version {
            Some(version) => self.versions.iter().find(|packed| packed.version == *version),
            None => self.versions.iter().find(|packed| packed.version == self.manifest.version),
        }
    }

    /// Where a version of it lies in its registry.
    #[must_use]
    pub fn path(&self, version: &semver::Version) -> String {
        format!("packages/{}-{version}.tar.gz", self.manifest.name)
    }
}

/// A template that was packed for an index.
#[derive(Debug, Clone)]
pub struct Made {
    /// What the index says of it.
    pub entry: Entry,
    /// Its package.
    pub package: Vec<u8>,
    /// What is not wrong, and could be better.
    pub warnings: Vec<Fault>,
}

/// Reads and packs a template.
///
/// # Errors
/// Everything that is wrong with it.
pub fn make(files: &Files) -> Result<Made, Vec<Fault>> {
    let (template, faults) = template::read(files);
    let Some(template) = template else { return Err(faults) };
    let package = package::pack(files, package::TEMPLATE).map_err(|error| {
        vec![Fault::of("", windflow_core::problem::Problem::document("bad_package", error.to_string()))]
    })?;
    Ok(Made { entry: Entry::new(&template, &package), package, warnings: faults })
}

impl Index {
    /// An index of templates.
    #[must_use]
    pub fn new(name: &str, sequence: u64, generated: &str, mut templates: Vec<Entry>) -> Self {
        templates.sort_by(|one, other| one.name().cmp(other.name()));
        Self { registry: FORMAT, name: name.to_owned(), sequence, generated: generated.to_owned(), templates }
    }

    /// As bytes, for signing.
    ///
    /// # Errors
    /// Where it is too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        if bytes.len() > MAX_BYTES {
            return Err(format!("the index is longer than {} MiB", MAX_BYTES >> 20));
        }
        Ok(bytes)
    }

    /// Reads an index whose signature was checked. Its names become parts of addresses and keys: each is held to the rules all the same.
    ///
    /// # Errors
    /// Where it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let index: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if index.registry != FORMAT {
            return Err(format!("it is of format {}, and this program knows {FORMAT}", index.registry));
        }
        if index.templates.len() > MAX_TEMPLATES {
            return Err(format!("it has more than {MAX_TEMPLATES} templates"));
        }
        let mut names = std::collections::HashSet::new();
        for entry in &index.templates {
            let value = serde_json::to_value(&entry.manifest).map_err(|error| error.to_string())?;
            manifest::check_json(&value).map_err(|why| format!("{}: {why}", entry.name()))?;
            if !names.insert(entry.name()) {
                return Err(format!("{} is there twice", entry.name()));
            }
            if entry.packed(None).is_none() || entry.versions.iter().any(|it| it.size > package::MAX_BYTES as u64) {
                return Err(format!("{}: its packages are not told", entry.name()));
            }
        }
        Ok(index)
    }
}
