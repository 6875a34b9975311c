//! The plugins that are installed.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::ports::host::{InstalledNodeType, Registry};

use crate::load::LoadError;
use crate::plugin::Plugin;

/// Finds plugins by what workflows write, and by the digests that runs pinned. Whoever changes them puts another catalogue
/// into the place of the one that there was: whoever looks at one sees all of a change or nothing of it.
#[derive(Default)]
pub(crate) struct Plugins(RwLock<Arc<Catalogue>>);

/// What is installed at one moment. Never changes.
#[derive(Clone, Default)]
struct Catalogue {
    by_name: BTreeMap<NodeTypeRef, InstalledNodeType>,
    by_digest: HashMap<Digest, Arc<Plugin>>,
}

impl Plugins {
    /// Adds a plugin. A later version of the same plugin takes over its names; runs that pinned an earlier one still find it
    /// by its digest.
    pub(crate) fn add(&self, plugin: Plugin) -> Result<Arc<Plugin>, LoadError> {
        self.change(|catalogue| {
            // One that was only kept so far takes its names now.
            let plugin = catalogue.by_digest.get(&plugin.digest).map_or_else(|| Arc::new(plugin), Arc::clone);
            catalogue.refuse_taken(&plugin)?;
            for (uses, installed) in plugin.node_types() {
                let newer = |known: &InstalledNodeType| known.manifest.plugin.version > plugin.manifest.plugin.version;
                if !catalogue.by_name.get(&uses).is_some_and(newer) {
                    catalogue.by_name.insert(uses, installed);
                }
            }
            catalogue.by_digest.insert(plugin.digest, Arc::clone(&plugin));
            Ok(plugin)
        })
    }

    /// Adds a plugin in the place of whichever version of the same major number there is, a later one too: its node types are
    /// offered, and no others of that plugin.
    pub(crate) fn put(&self, plugin: &Arc<Plugin>) -> Result<(), LoadError> {
        self.change(|catalogue| {
            catalogue.refuse_taken(plugin)?;
            catalogue.withdraw(&plugin.manifest.plugin.name, plugin.manifest.plugin.version.major);
            catalogue.by_name.extend(plugin.node_types());
            catalogue.by_digest.insert(plugin.digest, Arc::clone(plugin));
            Ok(())
        })
    }

    /// Refuses a plugin that offers what another one offers.
    pub(crate) fn refuse_taken(&self, plugin: &Arc<Plugin>) -> Result<(), LoadError> {
        self.now().refuse_taken(plugin)
    }

    /// Offers the node types of a plugin no more. Runs that pinned it still find it by its digest.
    pub(crate) fn withdraw(&self, name: &str, major: u64) {
        let Ok(()) = self.change(|catalogue| {
            catalogue.withdraw(name, major);
            Ok::<_, Infallible>(())
        });
    }

    /// Adds a plugin for runs that pinned it.
    pub(crate) fn keep(&self, plugin: Plugin) {
        let Ok(()) = self.change(|catalogue| {
            catalogue.by_digest.entry(plugin.digest).or_insert_with(|| Arc::new(plugin));
            Ok::<_, Infallible>(())
        });
    }

    pub(crate) fn by_name(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_name.get(uses).cloned()
    }

    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    pub(crate) fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.now().list()
    }

    pub(crate) fn snapshot(&self) -> Arc<dyn Registry> {
        self.now()
    }

    fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T, E>(&self, change: impl FnOnce(&mut Catalogue) -> Result<T, E>) -> Result<T, E> {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Catalogue::clone(&now);
        let done = change(&mut next)?;
        *now = Arc::new(next);
        Ok(done)
    }
}

impl Catalogue {
    fn refuse_taken(&self, plugin: &Arc<Plugin>) -> Result<(), LoadError> {
        let ours = &plugin.manifest.plugin.name;
        for (uses, _) in plugin.node_types() {
            let taken = self.by_name.get(&uses).map(|taken| &taken.manifest.plugin.name);
            if let Some(by) = taken.filter(|by| *by != ours) {
                return Err(LoadError::Taken { uses: uses.to_string(), plugin: ours.clone(), by: by.clone() });
            }
        }
        Ok(())
    }

    fn withdraw(&mut self, name: &str, major: u64) {
        self.by_name.retain(|uses, installed| uses.major != major || installed.manifest.plugin.name != name);
    }
}

impl Registry for Catalogue {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.by_name.get(uses).cloned()
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.by_name.iter().map(|(uses, installed)| (uses.clone(), installed.clone())).collect()
    }
}
