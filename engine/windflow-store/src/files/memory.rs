//! Files that are gone with the process, for tests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windflow_core::id::RunKey;
use windflow_core::ports::files::{FileEntry, FilePath, FileStore, FilesError};

use super::index::Index;

/// Files of runs that are forgotten when this is dropped.
#[derive(Debug, Default)]
pub struct MemoryFiles(Mutex<HashMap<RunKey, Run>>);

#[derive(Debug, Default)]
struct Run {
    index: Index,
    contents: HashMap<FilePath, Vec<u8>>,
}

impl MemoryFiles {
    /// Without any files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunKey, Run>> {
        // Nothing that holds the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileStore for MemoryFiles {
    fn read(&self, run: &RunKey, path: &FilePath, offset: u64, length: u32) -> Result<Vec<u8>, FilesError> {
        let runs = self.lock();
        let content = runs.get(run).and_then(|run| run.contents.get(path)).ok_or(FilesError::NotFound)?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let to = from.saturating_add(length as usize).min(content.len());
        Ok(content[from..to].to_vec())
    }

    fn write(&self, run: &RunKey, path: &FilePath, offset: u64, bytes: &[u8]) -> Result<(), FilesError> {
        let mut runs = self.lock();
        let run = runs.entry(run.clone()).or_default();
        let after = run.index.admit(path, offset, bytes.len())?;
        let content = run.contents.entry(path.clone()).or_default();
        content.truncate(usize::try_from(offset).unwrap_or(usize::MAX));
        content.extend_from_slice(bytes);
        run.index.set(path.clone(), after);
        Ok(())
    }

    fn list(&self, run: &RunKey, below: Option<&FilePath>) -> Result<Vec<FileEntry>, FilesError> {
        Ok(self.lock().get(run).map(|run| run.index.list(below)).unwrap_or_default())
    }

    fn remove(&self, run: &RunKey, below: Option<&FilePath>) -> Result<u32, FilesError> {
        let mut runs = self.lock();
        let Some(run) = runs.get_mut(run) else { return Ok(0) };
        let mut removed = 0;
        for FileEntry { path, .. } in run.index.list(below) {
            run.contents.remove(&path);
            run.index.take(&path);
            removed += 1;
        }
        Ok(removed)
    }

    fn settle(&self, _: &RunKey) -> Result<(), FilesError> {
        Ok(())
    }

    fn forget(&self, run: &RunKey) -> Result<(), FilesError> {
        self.lock().remove(run);
        Ok(())
    }

    fn runs(&self) -> Result<Vec<RunKey>, FilesError> {
        let runs = self.lock();
        Ok(runs.iter().filter(|(_, run)| !run.index.is_empty()).map(|(key, _)| key.clone()).collect())
    }
}
