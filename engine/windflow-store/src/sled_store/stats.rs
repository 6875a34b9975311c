//! Looking at a store from outside.

use std::path::PathBuf;

use serde::Serialize;
use windflow_core::ports::store::StoreError;

use super::disk::bytes_in;
use super::folder::unwritable;
use super::guard::guarded;
use super::inner::Inner;
use super::layout::Section;

/// What is in a store, and what room that takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Where it lives.
    pub folder: PathBuf,
    /// The version of its layout.
    pub format: u32,
    /// Runs.
    pub runs: u64,
    /// Runs that have not ended.
    pub unfinished: u64,
    /// Bytes of all that it holds: journals, lists, contents.
    pub live_bytes: u64,
    /// Bytes of its files. Values are packed, so that they can be fewer.
    pub disk_bytes: u64,
}

impl Inner {
    /// Costs what there are unfinished runs, not what there are runs.
    pub(super) fn stats(&self) -> Result<Stats, StoreError> {
        self.apply_unless_failed()?;
        let database = self.database();
        let unfinished = guarded(&self.dir, || Ok(database.tree(Section::Unfinished)?.len()))?;
        let totals = database.totals();
        Ok(Stats {
            folder: self.dir.clone(),
            format: self.folder.format(),
            runs: totals.runs,
            unfinished: u64::try_from(unfinished).unwrap_or(u64::MAX),
            live_bytes: totals.live,
            disk_bytes: bytes_in(database.folder()).map_err(|error| unwritable(&self.dir, &error))?,
        })
    }
}
