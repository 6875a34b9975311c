//! A package held against what is installed: what somebody reads before they agree.

use std::sync::Arc;

use windflow_core::capability::HttpPattern;
use windflow_core::id::NodeTypeRef;
use windflow_core::manifest::{Difference, Manifest, RequestedCapabilities, difference, powers, reach};
use windflow_core::ports::host::InstalledNodeType;
use windflow_core::ports::plugins::{OfferedNodeType, PluginBefore, PluginError, PluginPreview};
use windflow_package::{Package, PackageError};

use super::{Entry, Installed, squatting};

/// Reads a package without trusting it.
///
/// # Errors
/// Why it is no plugin that this engine can take.
pub(crate) fn read(bytes: &[u8]) -> Result<Package, PluginError> {
    windflow_package::read(bytes).map_err(|error| match error {
        PackageError::ContractVersion { .. } => PluginError::Contract(error.to_string()),
        other => PluginError::Unfit(other.to_string()),
    })
}

/// The node types of a package, as an engine has them once it is installed.
pub(crate) fn offers(package: Package) -> Vec<(NodeTypeRef, InstalledNodeType)> {
    let Package { manifest, digest: component, pure, .. } = package;
    let manifest = Arc::new(manifest);
    let offered = manifest.nodes.keys().map(|name| {
        let installed =
            InstalledNodeType { manifest: Arc::clone(&manifest), name: name.as_str().into(), component, pure };
        (uses(name, &manifest), installed)
    });
    offered.collect()
}

impl Installed {
    /// What somebody has to know of a package before they agree to it.
    ///
    /// # Errors
    /// [`PluginError::Taken`], and where a built-in plugin is broken.
    pub(crate) fn preview(&self, package: &Package, size: usize) -> Result<PluginPreview, PluginError> {
        let own = squatting::own().map_err(|error| PluginError::Unavailable(format!("{error:#}")))?;
        squatting::refuse(&package.manifest, &own, &self.manifests())?;
        let Package { manifest, digest, pure, .. } = package;
        let (plugin, asked) = (&manifest.plugin, &manifest.capabilities);
        let node_types = manifest.nodes.iter().map(|(name, node)| OfferedNodeType {
            uses: uses(name, manifest),
            title: node.title.clone(),
            description: node.description.clone(),
        });
        Ok(PluginPreview {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            description: plugin.description.clone(),
            license: plugin.license.clone(),
            digest: *digest,
            size: size as u64,
            node_types: node_types.collect(),
            pure: *pure,
            capabilities: asked.clone(),
            reach: reach(asked, *pure),
            may: powers(if *pure { &NOTHING } else { asked }),
            any_host: !pure && asked.http.iter().any(HttpPattern::is_anything),
            alike: squatting::alike(manifest, &own),
            before: self.before(manifest).map(|before| self.compared(before, package)),
            // One that was damaged meanwhile is put into its place again.
            installed: self.entries().iter().any(|entry| entry.component == *digest) && self.read(digest).is_ok(),
        })
    }

    fn compared(&self, before: &Entry, package: &Package) -> PluginBefore {
        let manifest = &package.manifest;
        let now = (&manifest.capabilities, package.pure);
        let Difference { more, less } = difference((&before.capabilities, before.pure), now);
        let stays = before.version.major != manifest.plugin.version.major;
        let offered = || {
            let offered = self.manifest(before)?;
            let gone = offered.nodes.keys().filter(|name| !manifest.nodes.contains_key(*name));
            Some(gone.map(|name| uses(name, &offered)).collect())
        };
        PluginBefore {
            version: before.version.clone(),
            digest: before.component,
            stays,
            more,
            less,
            gone: if stays { Vec::new() } else { offered().unwrap_or_default() },
            // Whoever knows the workflows tells it.
            unfit: Vec::new(),
            unfit_more: 0,
        }
    }

    /// What each offers. One that is damaged offers nothing.
    fn manifests(&self) -> Vec<(Entry, Manifest)> {
        self.entries().iter().filter_map(|entry| Some((entry.clone(), self.manifest(entry)?))).collect()
    }

    fn manifest(&self, entry: &Entry) -> Option<Manifest> {
        let bytes = self.read(&entry.component).ok()?;
        windflow_package::read_known(&bytes, entry.component).ok().map(|package| package.manifest)
    }
}

fn uses(name: &str, manifest: &Manifest) -> NodeTypeRef {
    NodeTypeRef { name: name.into(), major: manifest.plugin.version.major }
}

/// A pure component can touch nothing, whatever it asks for.
static NOTHING: RequestedCapabilities = RequestedCapabilities {
    http: Vec::new(),
    docker: false,
    email: false,
    credentials: false,
    state: false,
    files: false,
    hands_files: Vec::new(),
    events: false,
    clock: false,
    random: false,
    run_context: false,
    cancellation: false,
};
