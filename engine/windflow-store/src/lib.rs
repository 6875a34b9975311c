//! The journal and what is read from it, over sled and over memory.
//!
//! - [`SledStore`] keeps everything in one folder on one machine: the journal, blobs, and the read model that lists and
//!   searches are answered from. Appends cost no disk wait; whoever asks for [durability] shares one commit with all who
//!   ask at the same time.
//! - [`MemoryStore`] is the same contract in its simplest form. It forgets everything when it is dropped.
//! - [`FolderFiles`] and [`MemoryFiles`] keep the files of runs, which end with them.
//! - `suite` (feature `suite`) is the contract as named checks. Both stores pass it, and so must every other.
//!
//! [durability]: windflow_core::ports::store::Journal::durable
#![forbid(unsafe_code)]

pub use self::files::{FileOptions, FolderFiles, MemoryFiles};
pub use self::memory::MemoryStore;
pub use self::record::{LARGE_VALUE_BYTES, MAX_APPEND_BYTES, MAX_BLOB_BYTES, MAX_RECORD_BYTES, decode, encode};
pub use self::sled_store::{Checked, Compacted, Disk, Options, RealDisk, SledStore, Stats};

mod files;
mod lent;
mod memory;
mod mentions;
mod order;
mod record;
mod sled_store;
#[cfg(feature = "suite")]
pub mod suite;
mod summary;
