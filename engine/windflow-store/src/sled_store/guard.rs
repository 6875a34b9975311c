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
        // After a write that failed, sled reads only what it has in memory, and answers anything else with that failure.
        sled::Error::Io(error) if remedy(error).is_some() => StoreError::ReadOnly(unwritten_text(dir, error)),
        sled::Error::Io(error) => damaged(dir, format_args!("its files cannot be read: {error}")),
        other => damaged(dir, other),
    }
}

/// What a write ended with. The store is not damaged by it: what was durable still is.
pub(super) fn unwritten(dir: &Path, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) => StoreError::ReadOnly(unwritten_text(dir, error)),
        other => failed(dir, other),
    }
}

/// Says that files cannot be written, and what to do about it.
pub(super) fn unwritten_text(dir: &Path, error: &std::io::Error) -> String {
    let remedy = remedy(error).unwrap_or("Look after the disk");
    format!(
        "its files in {} cannot be written: {}. {remedy} and start windflow again; runs go on from what was durable",
        dir.display(),
        text(error)
    )
}

/// What helps against an error of a disk, where something of the folder's own does not.
pub(super) fn remedy(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => Some("Make room on the disk"),
        FileTooLarge => Some("Let this user write larger files"),
        ReadOnlyFilesystem => Some("Make the file system writable"),
        _ => None,
    }
}

/// sled hands errors on as text that is meant for programmers, with the kind that they had.
pub(super) fn text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        None if remedy(error).is_some() => error.kind().to_string(),
        _ => error.to_string(),
    }
}
