//! Plugins that are installed and removed while the engine runs.
//!
//! What is installed is for everybody whom this engine serves: plugins belong to no organisation.

use serde::{Deserialize, Serialize};

use crate::id::{Digest, NodeTypeRef};
use crate::manifest::{RequestedCapabilities, Text};
use crate::ports::host::InstalledNodeType;
use crate::run::Timestamp;

/// Everything that somebody has to know before they agree to a plugin. It was read from the package: nothing of it was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginPreview {
    /// What it calls itself.
    pub name: String,
    /// Which version.
    pub version: semver::Version,
    /// One sentence.
    pub description: Text,
    /// SPDX expression.
    pub license: Option<String>,
    /// SHA-256 of the package. What is agreed to holds for these very bytes.
    pub digest: Digest,
    /// Bytes of the package.
    pub size: u64,
    /// What it offers.
    pub node_types: Vec<OfferedNodeType>,
    /// It only computes: it cannot read a clock, a file or a socket.
    pub pure: bool,
    /// What it asks for.
    pub capabilities: RequestedCapabilities,
    /// What it may touch, in one sentence.
    pub reach: Text,
    /// The same one by one, each as what follows "it may".
    pub may: Vec<Text>,
    /// It names no hosts of its own: it reaches those that a workflow allows.
    pub any_host: bool,
    /// Names that are easily taken for those of built-in node types.
    pub alike: Vec<Alike>,
    /// What it is compared with, where the plugin is installed already.
    pub before: Option<PluginBefore>,
    /// This very package is installed already.
    pub installed: bool,
}

/// A node type that a plugin offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedNodeType {
    /// What workflows write.
    pub uses: NodeTypeRef,
    /// Two or three words.
    pub title: Text,
    /// One sentence.
    pub description: Text,
}

/// A name that is spelt almost as one of a built-in node type, and has nothing to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// The plugin's.
    pub name: String,
    /// The one of the engine.
    pub own: String,
}

/// The version of a plugin that is installed, held against another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginBefore {
    /// Which version.
    pub version: semver::Version,
    /// SHA-256 of its package.
    pub digest: Digest,
    /// It is of another major version, and stays beside the new one.
    pub stays: bool,
    /// What the new one may do beyond it, each as what follows "it may".
    pub more: Vec<Text>,
    /// What it may do that the new one may not.
    pub less: Vec<Text>,
    /// Node types that are offered no more once the new one has its place.
    pub gone: Vec<NodeTypeRef>,
    /// Workflows that are on, fit now, and would not fit the new one.
    #[serde(default)]
    pub unfit: Vec<UnfitWorkflow>,
    /// How many more there are, beyond those that are told and of other organisations.
    #[serde(default)]
    pub unfit_more: usize,
}

impl PluginBefore {
    /// Whether workflows that are on would stop.
    #[must_use]
    pub fn stops_workflows(&self) -> bool {
        !self.unfit.is_empty() || self.unfit_more > 0
    }
}

/// A workflow that would not fit a plugin any more, and so could not be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfitWorkflow {
    /// Its name.
    pub workflow: String,
    /// Why, the first of them.
    pub problems: Vec<ProblemThen>,
}

/// What would be wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemThen {
    /// Stable, in snake case.
    pub code: String,
    /// What would be wrong.
    pub message: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// A plugin that is installed beside those of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPlugin {
    /// What it calls itself.
    pub name: String,
    /// Which version.
    pub version: semver::Version,
    /// SHA-256 of its package.
    pub digest: Digest,
    /// When it was.
    pub installed_at: Timestamp,
    /// Where it came from.
    pub origin: PluginOrigin,
}

/// Where a plugin came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginOrigin {
    /// It is part of the engine.
    BuiltIn,
    /// It was sent to the server.
    Upload,
    /// A file or a folder of the server's machine.
    File,
    /// An address.
    Address,
}

/// What somebody agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The package that they saw.
    pub digest: Digest,
    /// It may do more than the version before, which they saw, too.
    pub may_do_more: bool,
    /// The workflows that would not fit it any more may stop.
    pub may_stop_workflows: bool,
}

/// Why a plugin is not installed or removed. Each text says what is wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// It is no plugin that this engine can take: damaged, too large, without a manifest, …
    #[error("{0}")]
    Unfit(String),
    /// It is made for another version of the contract.
    #[error("{0}")]
    Contract(String),
    /// It would pass for another plugin.
    #[error("{0}")]
    Taken(String),
    /// It is another package than the one that was agreed to.
    #[error("the package has the digest {found}, and {agreed} is what was agreed to")]
    Other {
        /// What was sent.
        found: Digest,
        /// What was agreed to.
        agreed: Digest,
    },
    /// It may do more than the version before, and nobody agreed to that: what is new is told.
    #[error("{0}")]
    Grown(String),
    /// No such plugin was installed.
    #[error("no plugin {0} was installed")]
    NotInstalled(String),
    /// It is part of the engine.
    #[error("{0} is part of windflow: it is neither updated by itself nor removed")]
    BuiltIn(String),
    /// Several major versions have the name.
    #[error("several versions of {0} are installed: say which, as in {0}@1")]
    Several(String),
    /// It could not be kept, or it cannot be read what is.
    #[error("{0}")]
    Unavailable(String),
}

/// Installs and removes plugins of a running engine. All of it may wait for the disk, and installing compiles: call it on a
/// thread that may block.
pub trait Plugins: Send + Sync {
    /// What was installed, by name.
    ///
    /// # Errors
    /// Where the record of it cannot be read.
    fn installed(&self) -> Result<Vec<InstalledPlugin>, PluginError>;

    /// Reads a package. Nothing is changed, and nothing of it is run.
    ///
    /// # Errors
    /// Why it cannot be installed.
    fn preview(&self, package: &[u8]) -> Result<PluginPreview, PluginError>;

    /// The node types that a package offers, as the engine would have them. Nothing is changed, and nothing of it is run.
    ///
    /// # Errors
    /// As [`Plugins::preview`].
    fn offers(&self, package: &[u8]) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, PluginError>;

    /// Installs a package: durable when this returns, and offered to whatever begins from then on. What has begun goes on with
    /// what it began with. Tells whether anything has changed.
    ///
    /// # Errors
    /// Why it was not; then nothing has changed.
    fn install(&self, package: Vec<u8>, agreed: Agreed) -> Result<bool, PluginError>;

    /// The plugin of a name (`greet`, or `greet@1`).
    ///
    /// # Errors
    /// Where there is none, or several of that name.
    fn find(&self, name: &str) -> Result<InstalledPlugin, PluginError>;

    /// Removes the plugin that has this digest: it is offered no more. What has begun goes on with it as long as this process
    /// does.
    ///
    /// # Errors
    /// Where it is gone, or the record cannot be written; then nothing has changed.
    fn remove(&self, digest: &Digest) -> Result<(), PluginError>;
}

/// An engine that has the plugins it began with, and takes no others.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlugins;

impl NoPlugins {
    fn refused() -> PluginError {
        PluginError::Unavailable("this server takes no plugins".to_owned())
    }
}

impl Plugins for NoPlugins {
    fn installed(&self) -> Result<Vec<InstalledPlugin>, PluginError> {
        Ok(Vec::new())
    }

    fn preview(&self, _: &[u8]) -> Result<PluginPreview, PluginError> {
        Err(Self::refused())
    }

    fn offers(&self, _: &[u8]) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, PluginError> {
        Err(Self::refused())
    }

    fn install(&self, _: Vec<u8>, _: Agreed) -> Result<bool, PluginError> {
        Err(Self::refused())
    }

    fn find(&self, name: &str) -> Result<InstalledPlugin, PluginError> {
        Err(PluginError::NotInstalled(name.to_owned()))
    }

    fn remove(&self, _: &Digest) -> Result<(), PluginError> {
        Err(Self::refused())
    }
}
