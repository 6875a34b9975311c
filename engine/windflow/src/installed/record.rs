//! What is recorded of installed plugins, in `installed.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use windflow_core::id::Digest;
use windflow_core::manifest::RequestedCapabilities;
use windflow_core::ports::plugins::PluginOrigin;
use windflow_core::run::Timestamp;

use crate::exit::invalid;

pub(super) const FILE: &str = "installed.json";

/// The format that is written. A later one is refused.
const VERSION: u32 = 1;

/// Thousands of plugins fit.
const MAX_BYTES: u64 = 4 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    version: u32,
    pub(super) plugins: Vec<Entry>,
}

/// An installed plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: semver::Version,
    /// What was agreed to.
    pub(crate) component: Digest,
    pub(crate) source: Source,
    pub(crate) installed_at: Timestamp,
    /// What it asked for when it was agreed to.
    pub(crate) capabilities: RequestedCapabilities,
    /// Whether it could touch anything at all.
    pub(crate) pure: bool,
    /// Earlier versions, the latest first: runs that began with them go on with them.
    #[serde(default)]
    pub(crate) former: Vec<Former>,
}

/// An earlier version of a plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Former {
    pub(crate) version: semver::Version,
    pub(crate) component: Digest,
}

/// Where a plugin came from, for its update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// A packed file.
    File(PathBuf),
    /// A folder that it is built from.
    Folder(PathBuf),
    /// An address.
    Url(String),
    /// It was sent to the server that has this folder.
    Upload,
}

impl Source {
    /// The kind of it, for those who need not know the paths of this machine.
    pub(super) fn origin(&self) -> PluginOrigin {
        match self {
            Self::File(_) | Self::Folder(_) => PluginOrigin::File,
            Self::Url(_) => PluginOrigin::Address,
            Self::Upload => PluginOrigin::Upload,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) | Self::Folder(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(url),
            Self::Upload => f.write_str("sent to the server"),
        }
    }
}

impl Record {
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let shown = path.display();
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { version: VERSION, plugins: Vec::new() });
            }
            Ok(about) if about.len() > MAX_BYTES => {
                return Err(invalid(format!(
                    "{shown} is larger than any record of plugins: it was not written by windflow"
                )));
            }
            _ => {}
        }
        let text = std::fs::read_to_string(&path).map_err(|error| invalid(format!("{shown}: {error}")))?;
        let record: Self = serde_json::from_str(&text).map_err(|error| {
            invalid(format!(
                "{shown}, the record of installed plugins, cannot be read: {error}. A newer windflow may have written it; or \
                 move it away and install them again"
            ))
        })?;
        if record.version > VERSION {
            return Err(invalid(format!("{shown} was written by a newer windflow: use that one")));
        }
        Ok(record)
    }

    pub(super) fn text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
