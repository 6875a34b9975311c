//! A crate that becomes a plugin.

use std::fs;
use std::path::{Path, PathBuf};

use std::process::Stdio;

use windflow_core::manifest::Manifest;
use windflow_package::Package;

use crate::BuildError;
use crate::toolchain::{TARGET, cargo};

/// A crate that becomes a plugin.
#[derive(Debug)]
pub struct Guest {
    /// Name of its folder, and of the packed file.
    pub name: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// How long the packed file may be.
    pub max_kib: Option<u64>,
    /// Whether it is to be packed as it is after its own initialisation.
    pub snapshot: bool,
    /// Name of its package.
    pub(crate) package: String,
    /// Name of its library, as in the file that rustc makes.
    pub(crate) library: String,
    /// Crates that it takes from elsewhere on this machine, and what they are called in messages.
    pub(crate) paths: Vec<(PathBuf, String)>,
}

impl Guest {
    /// The file that building it into a target directory makes.
    #[must_use]
    pub fn artifact(&self, target: &Path) -> PathBuf {
        target.join(TARGET).join("plugin").join(format!("{}.wasm", self.library))
    }

    /// Joins what was compiled with the manifest.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn pack(&self, artifact: &Path) -> Result<(Package, Vec<u8>), BuildError> {
        let module = fs::read(artifact).map_err(|error| format!("{}: {error}", artifact.display()))?;
        self.pack_module(&module)
    }

    /// Joins a module with the manifest.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn pack_module(&self, module: &[u8]) -> Result<(Package, Vec<u8>), BuildError> {
        let manifest = self.manifest()?;
        let packed = windflow_package::pack(module, &manifest)
            .and_then(|bytes| Ok((windflow_package::read(&bytes)?, bytes)))
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        Ok(packed)
    }

    /// What its `plugin.toml` says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn manifest(&self) -> Result<Manifest, BuildError> {
        manifest_of(&self.folder)
    }

    /// Keeps cargo from asking the network where all that the lock file names is on this machine already.
    pub(crate) fn offline(&self) -> Option<&'static str> {
        if !self.folder.join("Cargo.lock").is_file() {
            return None;
        }
        let mut probe = cargo();
        probe.args(["metadata", "--offline", "--format-version", "1", "--filter-platform", TARGET, "--manifest-path"]);
        probe.arg(self.folder.join("Cargo.toml")).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success()).then_some("--offline")
    }
}

/// The manifest of the plugin in a folder, whatever it is written in.
///
/// # Errors
/// What is wrong with its `plugin.toml`.
pub fn manifest_of(folder: &Path) -> Result<Manifest, BuildError> {
    let path = folder.join("plugin.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest = windflow_package::manifest_from_toml(&text, |schema| fs::read_to_string(folder.join(schema)))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// Together with [`crate::output::Row::impurity`]: all other built-in plugins are pure.
    #[test]
    fn what_the_built_in_plugins_ask_for() {
        let guests = Workspace::find(None).unwrap().plugins().unwrap();
        let asks = |guest: &&Guest| !guest.manifest().unwrap().capabilities.list().is_empty();
        let asking: Vec<&str> = guests.iter().filter(asks).map(|guest| &*guest.name).collect();
        assert_eq!(
            asking,
            [
                "deploy",
                "discord",
                "email",
                "file",
                "git-checkout",
                "github",
                "http",
                "llm",
                "ntfy",
                "publish-event",
                "rss",
                "slack",
                "state",
                "teams",
                "webhook"
            ]
        );
    }
}
