//! sled's failures as ours. It panics on some kinds of damage, which must not take the engine with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use windflow_core::ports::store::StoreError;

/// Does something with the database; a panic in it counts as damage.
///
/// Nothing of ours is left half done by the unwinding: the work only reads, or is a batch after whose failure the store
/// takes no more.
pub(super) fn guarded<T>(dir: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("the database stopped abnormally");
        Err(damaged(dir, why))
    })
}

/// An error that says how to get out of it.
pub(super) fn damaged(dir: &Path, what: impl std::fmt::Display) -> StoreError {
    let dir = dir.display();
    StoreError::Corrupted(format!(
        "{what}. Keep a copy of {dir}, then restore it from a backup, or move it away to begin with an empty store"
    ))
}

/// What a read or write of the database ended with.
pub(super) fn failed(dir: &Path, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { at: Some(at), .. } => {
            damaged(dir, format_args!("its content at {at} does not fit its checksum"))
        }
        sled::Error::Corruption { .. } => damaged(dir, "its content does not fit its checksum"),
        sled::Error::Io(error) => damaged(dir, format_args!("its files cannot be read: {error}")),
        other => damaged(dir, other),
    }
}
