//! The files of runs, in a folder of the machine and in memory. What a run may have is decided in one place, for both.

pub use self::folder::{FileOptions, FolderFiles};
pub use self::memory::MemoryFiles;

mod folder;
mod format;
mod index;
mod memory;
