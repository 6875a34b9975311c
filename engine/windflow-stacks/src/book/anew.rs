//! Encrypting anew, after the installation got another key.

use serde_json::Value;
use windflow_core::ports::records::{Expected, MAX_RECORD_PAGE};
use windflow_core::ports::store::StoreError;

use super::{Book, Result};
use crate::keys::Rotated;

/// What is kept under these holds something sealed.
const PREFIXES: [&str; 2] = ["targets/", "deployments/"];

impl Book {
    /// Encrypts everything of this book with the present key. Each value is changed by itself, so that all of them open whenever this is
    /// interrupted; done again it goes on.
    ///
    /// # Errors
    /// As the store's, and where somebody else changes a value at the same time.
    pub fn seal_anew(&self) -> Result<Rotated> {
        let mut rotated = Rotated::default();
        for prefix in PREFIXES {
            let mut after = None;
            loop {
                let page = self.records.scan(&self.organisation, prefix, after.as_deref(), MAX_RECORD_PAGE)?;
                for stored in page.items {
                    let mut record: Value = serde_json::from_slice(&stored.value).map_err(|error| {
                        StoreError::Corrupted(format!("the record {:?} cannot be read: {error}", stored.key))
                    })?;
                    let Some(Value::String(sealed)) = record.get_mut("sealed") else { continue };
                    match self.vault.anew(&self.place(&stored.key), sealed) {
                        Ok(None) => continue,
                        Ok(Some(now)) => *sealed = now,
                        Err(_) => {
                            rotated.lost.push(format!("{}/{}", self.organisation, stored.key));
                            continue;
                        }
                    }
                    self.write(vec![self.put(stored.key, Expected::Version(stored.version), &record)?])?;
                    rotated.sealed += 1;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(rotated)
    }
}
