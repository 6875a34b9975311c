//! Runs that have not ended and that nobody is at work on, and why.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windflow_core::id::RunKey;
use windflow_core::run::Timestamp;

/// Why a run does not go on until somebody resumes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stalled {
    /// In words for people.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Those that this process knows of. Bounded: of more than that, which only a store that is gone can cause, some have no reason.
#[derive(Default)]
pub(crate) struct StalledRuns(Mutex<HashMap<RunKey, Stalled>>);

const KEPT: usize = 10_000;

impl StalledRuns {
    fn lock(&self) -> MutexGuard<'_, HashMap<RunKey, Stalled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, key: &RunKey, reason: String, at: Timestamp) {
        let mut runs = self.lock();
        if runs.len() < KEPT || runs.contains_key(key) {
            runs.insert(key.clone(), Stalled { reason, at });
        }
    }

    pub(crate) fn remove(&self, key: &RunKey) {
        self.lock().remove(key);
    }

    pub(crate) fn get(&self, key: &RunKey) -> Option<Stalled> {
        self.lock().get(key).cloned()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason was given".to_owned())
}
