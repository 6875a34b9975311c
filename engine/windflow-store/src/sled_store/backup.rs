//! Copying the store elsewhere while runs go on: the copy of a [compaction](super::compact), which then takes nobody's place.

use std::fs;
use std::path::Path;
use std::sync::PoisonError;

use windflow_core::ports::store::StoreError;

use super::compact::Whole;
use super::folder::{Folder, unwritable};
use super::inner::Inner;

impl Inner {
    /// Makes the folder `to`, which must not be there, a store that holds what this one holds at one moment.
    pub(super) fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let _running = self.compaction.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &self.state().failed {
            return Err(StoreError::ReadOnly(why.clone()));
        }
        fs::create_dir(to).map_err(|error| unwritable(to, &error))?;
        let done = self.copy_to(to);
        self.turn().copy = None;
        if done.is_err() {
            // What is there is no store; nobody must take it for one.
            let _ = fs::remove_dir_all(to);
        }
        done
    }

    fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        let folder = Folder::open(to)?;
        let Whole { copy, mut files, .. } = self.copy_whole(&folder.database())?;
        let mut turn = self.turn();
        self.complete(&turn, &copy)?;
        // What is appended from now on is not in it any more.
        turn.copy = None;
        drop(turn);
        self.sync_copy(&copy, &mut files)
    }
}
