//! An installed plugin.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;
use windflow_core::capability::Capability;
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::manifest::Manifest;
use windflow_core::ports::host::InstalledNodeType;

use crate::code::{Code, Unloadable};
use crate::imports::Imports;

/// A component and what is known of it without running or compiling it.
pub(crate) struct Plugin {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
    pub(crate) imports: Imports,
    /// It imports nothing by which one attempt could differ from another.
    pub(crate) pure: bool,
    /// Its machine code, once somebody needed it. A component that cannot be loaded is not tried again.
    pub(crate) code: OnceCell<Result<Arc<Code>, Unloadable>>,
}

impl Plugin {
    /// The node types that it offers.
    pub(crate) fn node_types(self: &Arc<Self>) -> impl Iterator<Item = (NodeTypeRef, InstalledNodeType)> + '_ {
        self.manifest.nodes.keys().map(|name| {
            let name: Arc<str> = name.as_str().into();
            let uses = NodeTypeRef { name: Arc::clone(&name), major: self.manifest.plugin.version.major };
            let installed = InstalledNodeType {
                manifest: Arc::clone(&self.manifest),
                name,
                component: self.digest,
                pure: self.pure,
            };
            (uses, installed)
        })
    }

    /// Whether it offers this node type.
    pub(crate) fn offers(&self, uses: &NodeTypeRef) -> bool {
        self.manifest.plugin.version.major == uses.major && self.manifest.nodes.contains_key(&*uses.name)
    }

    /// Whether it asks for a capability and imports what gives it. Language runtimes import clocks and random sources that
    /// nobody asked for.
    pub(crate) fn uses(&self, capability: Capability) -> bool {
        self.imports.capabilities.contains(&capability) && self.manifest.capabilities.list().contains(&capability)
    }

    /// Whether it can hear that its attempt should end, and so is given time to end by itself.
    pub(crate) fn told_of_cancellation(&self) -> bool {
        self.imports.capabilities.contains(&Capability::Cancellation)
    }
}
