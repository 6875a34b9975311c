//! Who changed what: every request that may change something, with whoever sent it and how it ended. Bodies are not kept,
//! since they may hold secrets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records, RecordsError};
use windflow_core::ports::store::StoreError;
use windflow_core::run::Timestamp;

use crate::kept;
use crate::problem::Answer;
use crate::state::App;

const PREFIX: &str = "audit/";

/// A request that may have changed something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    /// `user:…` or `key:…`, or `cli` for whoever works with the data folder itself.
    pub(crate) by: String,
    pub(crate) method: String,
    /// With the names and ids in it.
    pub(crate) path: String,
    /// The status of the answer.
    pub(crate) status: u16,
}

/// Tells the layer around a handler what was changed, where the path of the request does not name it: a path that does.
#[derive(Debug, Clone)]
pub(crate) struct Changed(pub(crate) String);

/// Tells the layer around a handler who asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asker(Arc<OnceLock<(OrganisationId, String)>>);

impl Asker {
    pub(crate) fn is(&self, organisation: &OrganisationId, name: String) {
        // Whoever asked stays the same.
        let _ = self.0.set((organisation.clone(), name));
    }

    pub(crate) fn get(&self) -> Option<&(OrganisationId, String)> {
        self.0.get()
    }
}

/// Keys sort the newest first.
fn key(at: Timestamp, number: u32) -> String {
    format!("{PREFIX}{:016x}{:08x}", u64::MAX - at.0, u32::MAX - number)
}

/// Several in one millisecond get different numbers.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Keeps an entry; durable when it returns.
pub(crate) async fn keep(records: &dyn Records, organisation: &OrganisationId, entry: &Entry) -> Answer<()> {
    let value = kept::encode(entry)?;
    loop {
        let key = key(entry.at, NUMBER.fetch_add(1, Ordering::Relaxed));
        match records.put(organisation, &key, Expected::Absent, value.clone()) {
            Ok(changed) => return Ok(records.durable(changed.position).await?),
            // Of the same millisecond, before a restart.
            Err(RecordsError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Entries, the newest first, and where to go on.
pub(crate) fn list(
    app: &App,
    organisation: &OrganisationId,
    after: Option<&str>,
    limit: usize,
) -> Answer<(Vec<Entry>, Option<String>)> {
    let (entries, next) = kept::scan::<Entry>(&*app.records, organisation, PREFIX, after, limit)?;
    Ok((entries.into_iter().map(|entry| entry.value).collect(), next))
}

/// Forgets what was before an instant.
pub(crate) fn prune(app: &App, organisation: &OrganisationId, before: Timestamp) -> Result<(), StoreError> {
    loop {
        let page = app.records.scan(organisation, PREFIX, Some(&key(before, 0)), 500)?;
        for stored in &page.items {
            if let Err(RecordsError::Store(error)) = app.records.delete(organisation, &stored.key, Expected::Any) {
                return Err(error);
            }
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
}
