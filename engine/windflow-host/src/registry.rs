//! The plugins that are installed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::ports::host::InstalledNodeType;

use crate::load::LoadError;
use crate::plugin::Plugin;

/// Finds plugins by what workflows write, and by the digests that runs pinned.
#[derive(Default)]
pub(crate) struct Plugins(RwLock<Tables>);

#[derive(Default)]
struct Tables {
    by_name: BTreeMap<NodeTypeRef, InstalledNodeType>,
    by_digest: HashMap<Digest, Arc<Plugin>>,
}

impl Plugins {
    /// Adds a plugin. A later version of the same plugin takes over its names; runs that pinned an earlier one still find it
    /// by its digest.
    pub(crate) fn add(&self, plugin: Plugin) -> Result<Arc<Plugin>, LoadError> {
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // One that was only kept so far takes its names now.
        let plugin = tables.by_digest.get(&plugin.digest).map_or_else(|| Arc::new(plugin), Arc::clone);
        let offered: Vec<_> = plugin.node_types().collect();
        let ours = &plugin.manifest.plugin;
        for (uses, _) in &offered {
            if let Some(by) =
                tables.by_name.get(uses).map(|taken| &taken.manifest.plugin).filter(|by| by.name != ours.name)
            {
                return Err(LoadError::Taken {
                    uses: uses.to_string(),
                    plugin: ours.name.clone(),
                    by: by.name.clone(),
                });
            }
        }
        for (uses, installed) in offered {
            let newer = tables.by_name.get(&uses).is_some_and(|known| known.manifest.plugin.version > ours.version);
            if !newer {
                tables.by_name.insert(uses, installed);
            }
        }
        tables.by_digest.insert(plugin.digest, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// Adds a plugin for runs that pinned it.
    pub(crate) fn keep(&self, plugin: Plugin) {
        let mut tables = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tables.by_digest.entry(plugin.digest).or_insert_with(|| Arc::new(plugin));
    }

    pub(crate) fn by_name(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_name.get(uses).cloned()
    }

    pub(crate) fn by_digest(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    pub(crate) fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        let tables = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tables.by_name.iter().map(|(uses, installed)| (uses.clone(), installed.clone())).collect()
    }
}
