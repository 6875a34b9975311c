//! Builds plugins: compiles crates to WebAssembly and packs each with its `plugin.toml`.
//!
//! The project's own plugins and everybody else's are built by the same code, with the same flags: a starter is as small and
//! as quick as what is built in.

pub use self::compile::{browser, members, outsider};
pub use self::guest::{Guest, manifest_of};
pub use self::workspace::Workspace;

mod compile;
mod guest;
mod schemas;
mod toolchain;
mod workspace;

/// Why a plugin could not be built, and how to mend it. What cargo says goes to the error stream as it is.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(String);

impl From<String> for BuildError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for BuildError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<BuildError> for String {
    fn from(error: BuildError) -> Self {
        error.0
    }
}
