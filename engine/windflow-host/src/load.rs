//! Reading a component when it is installed, without running or compiling anything of it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;
use windflow_core::id::Digest;
use windflow_package::PackageError;

use crate::imports::Imports;
use crate::plugin::Plugin;

/// Why a component was not installed. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It is no package that this host can take: no component, no valid manifest, imports beyond the manifest, another
    /// version of the contract, …
    #[error(transparent)]
    Package(#[from] PackageError),
    /// It is larger than this host takes.
    #[error("the component has {bytes} bytes; this host takes {limit} at most")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// Its code cannot be run here.
    #[error("{0}")]
    Code(String),
    /// Another installed plugin offers a node type of the same name and major version.
    #[error("the node type {uses} of the plugin {plugin} is already offered by the plugin {by}: remove one of them")]
    Taken {
        /// The node type.
        uses: String,
        /// The refused plugin.
        plugin: String,
        /// The one that has it.
        by: String,
    },
}

/// Reads and checks a component, whose digest may be known.
pub(crate) fn read(bytes: Bytes, known: Option<Digest>, limit: usize) -> Result<Plugin, LoadError> {
    if bytes.len() > limit {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit });
    }
    let package = match known {
        Some(digest) => windflow_package::read_known(&bytes, digest)?,
        None => windflow_package::read(&bytes)?,
    };
    Ok(Plugin {
        imports: Imports::of(&package.imports),
        pure: package.pure,
        manifest: Arc::new(package.manifest),
        digest: package.digest,
        bytes,
        code: OnceCell::new(),
    })
}
