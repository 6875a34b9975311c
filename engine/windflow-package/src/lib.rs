//! Plugin packages: a WebAssembly component with its manifest in a custom section.
//!
//! [`read`] looks into a package without running anything and without trusting it; it is the only way in. [`pack`] makes
//! one out of what a compiler made, and [`manifest_from_toml`] reads the author's `plugin.toml`.

use windflow_core::id::Digest;
use windflow_core::manifest::Manifest;

pub use windflow_core::manifest::MAX_PACKAGE_BYTES;

pub use self::error::PackageError;
pub use self::pack::pack;
pub use self::source::manifest_from_toml;

mod check;
mod component;
mod error;
mod imports;
mod pack;
mod sections;
mod source;

/// The major version of the contract `windflow:node` that this WindFlow speaks.
pub const CONTRACT_MAJOR: u64 = 1;

/// What a package says about itself, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// What it offers and asks for.
    pub manifest: Manifest,
    /// SHA-256 of the whole file: what workflow versions and grants bind to.
    pub digest: Digest,
    /// Names of all interfaces that the component imports, in its order.
    pub imports: Vec<String>,
    /// Whether it imports nothing by which one attempt could differ from another: the same configuration always gives the
    /// same outcome.
    pub pure: bool,
}

/// Reads a package without running it, and checks that it is what the host can take: a component of a known contract, with
/// a sound manifest that asks for everything that the component imports.
///
/// The code inside is not validated; compiling it does that. Time and memory are bounded by the length of the bytes,
/// whatever they say.
///
/// # Errors
/// What is wrong with the package, and how to mend it.
pub fn read(bytes: &[u8]) -> Result<Package, PackageError> {
    Ok(Package { digest: Digest::of(bytes), ..read_known(bytes, Digest([0; 32]))? })
}

/// The same, of bytes whose digest is known, such as those that are part of a program: all but the code is read.
///
/// # Errors
/// As [`read`].
pub fn read_known(bytes: &[u8], digest: Digest) -> Result<Package, PackageError> {
    let parts = component::scan(bytes)?;
    let manifest: Manifest = serde_json::from_slice(parts.manifest).map_err(PackageError::ManifestSyntax)?;
    check::manifest(&manifest)?;
    let pure = imports::check(&parts.imports, &manifest.capabilities)?;
    if !parts.exports_execute {
        return Err(PackageError::NoExecute);
    }
    Ok(Package { digest, imports: parts.imports.into_iter().map(str::to_owned).collect(), pure, manifest })
}
