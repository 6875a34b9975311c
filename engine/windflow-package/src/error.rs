use windflow_core::manifest::{MANIFEST_SECTION, MAX_MANIFEST_BYTES};

use crate::{CONTRACT_MAJOR, MAX_PACKAGE_BYTES};

/// Why something is no plugin package, or cannot become one. Every text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Longer than [`MAX_PACKAGE_BYTES`].
    #[error(
        "the package has {0} bytes, more than the {MAX_PACKAGE_BYTES} allowed: leave out what the node does not need"
    )]
    TooLarge(usize),
    /// Does not begin as WebAssembly does.
    #[error("this is no WebAssembly file: give the .wasm file that packing the plugin made")]
    NotWasm,
    /// A core module where a component is needed.
    #[error("this is a WebAssembly core module, not a component: pack it with its plugin.toml first")]
    CoreModule,
    /// Neither the core module nor the component format that is known.
    #[error("this WebAssembly file is in format version {0}, which is not known: build it for WASI 0.2 components")]
    UnknownFormat(u32),
    /// The file ends too early or its structure is broken.
    #[error("the component is damaged: {0}; build or download it again")]
    Damaged(String),
    /// No manifest section.
    #[error("the component has no manifest (custom section {MANIFEST_SECTION:?}): pack it with its plugin.toml")]
    NoManifest,
    /// More than one manifest section: it would be open which one counts.
    #[error("the component has more than one manifest (custom section {MANIFEST_SECTION:?}): pack it again")]
    ManyManifests,
    /// Longer than [`MAX_MANIFEST_BYTES`].
    #[error("the manifest has {0} bytes, more than the {MAX_MANIFEST_BYTES} allowed: shorten its schemas and texts")]
    ManifestTooLarge(usize),
    /// The packed manifest is not the JSON that it should be.
    #[error("the manifest in the component cannot be read: {0}; pack the plugin again with this version of WindFlow")]
    ManifestSyntax(serde_json::Error),
    /// Something that the manifest says is not allowed.
    #[error("manifest: `{key}` {problem}")]
    Manifest {
        /// The key in `plugin.toml`.
        key: String,
        /// What is wrong with it and how to mend it.
        problem: String,
    },
    /// `plugin.toml` is not the TOML that it should be.
    #[error("plugin.toml cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A schema that `plugin.toml` names cannot be loaded.
    #[error(
        "plugin.toml: `{key}` names {path:?}, which cannot be read: {source}; generate the schema or correct the path"
    )]
    SchemaFile {
        /// The key in `plugin.toml`.
        key: String,
        /// What it names.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// A schema that `plugin.toml` names is not JSON.
    #[error("plugin.toml: `{key}` names {path:?}, which is not JSON: {source}; generate the schema again")]
    SchemaSyntax {
        /// The key in `plugin.toml`.
        key: String,
        /// What it names.
        path: String,
        /// Where it stops being JSON.
        source: serde_json::Error,
    },
    /// An import that the manifest does not ask for.
    #[error("the component imports {import}, which its manifest does not ask for: {remedy}")]
    NotAskedFor {
        /// The interface.
        import: String,
        /// What to add to `plugin.toml`.
        remedy: &'static str,
    },
    /// An import that no WindFlow of this version offers.
    #[error("the component imports {import}, which WindFlow does not offer: {remedy}")]
    UnknownImport {
        /// The interface.
        import: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// Built against another major version of the contract.
    #[error(
        "the component is built for another version of the plugin contract ({import}); this WindFlow speaks \
         windflow:node@{CONTRACT_MAJOR}: use a release of the plugin that is made for it"
    )]
    ContractVersion {
        /// The interface, with the version.
        import: String,
    },
    /// More imports than any honest component has.
    #[error("the component imports more than {0} things, more than any plugin needs: build it with fewer interfaces")]
    TooManyImports(usize),
    /// It does not implement the contract.
    #[error("the component exports no function `execute`: implement the world `windflow:node/node`, which the SDKs do")]
    NoExecute,
    /// A core module that says nothing about its component types.
    #[error(
        "the core module does not say which WIT world it implements (no `component-type` section): build it with an SDK or \
         with wit-bindgen, and do not strip custom sections"
    )]
    NoComponentType,
    /// It could not be turned into a component.
    #[error(
        "the core module cannot be made into a component: {0}; build it for wasm32-unknown-unknown, or hand in a finished \
         component"
    )]
    Componentize(String),
}
