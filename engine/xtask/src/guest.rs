//! A crate that becomes a plugin.

use std::fs;
use std::path::{Path, PathBuf};

use windflow_core::manifest::Manifest;
use windflow_package::Package;

/// A crate that becomes a plugin.
pub(crate) struct Guest {
    /// Name of its folder, and of the packed file.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Name of its package.
    pub(crate) package: String,
    /// Name of its library, as in the file that rustc makes.
    pub(crate) library: String,
    /// How long the packed file may be.
    pub(crate) max_kib: Option<u64>,
}

impl Guest {
    /// Joins what was compiled with the manifest.
    pub(crate) fn pack(&self, artifact: &Path) -> Result<(Package, Vec<u8>), String> {
        let manifest = self.manifest()?;
        let module = fs::read(artifact).map_err(|error| format!("{}: {error}", artifact.display()))?;
        let packed = windflow_package::pack(&module, &manifest)
            .and_then(|bytes| Ok((windflow_package::read(&bytes)?, bytes)))
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        Ok(packed)
    }

    fn manifest(&self) -> Result<Manifest, String> {
        let path = self.folder.join("plugin.toml");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        windflow_package::manifest_from_toml(&text, |schema| fs::read_to_string(self.folder.join(schema)))
            .map_err(|error| format!("{}: {error}", self.folder.display()))
    }
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
                "deploy", "discord", "email", "github", "http", "llm", "ntfy", "rss", "slack", "state", "teams",
                "webhook"
            ]
        );
    }
}
