//! Events that nodes publish: what listens to them starts.

use super::store::BoxFuture;
use crate::failure::Failure;
use crate::id::{OrganisationId, RunId};
use crate::json::Json;

/// Largest value that goes with an event, in bytes of JSON.
pub const MAX_EVENT_DATA_BYTES: usize = 256 << 10;

/// An event that a node publishes. Whether it may was checked before.
#[derive(Debug, Clone)]
pub struct Publication {
    /// In which organisation; no other hears of it.
    pub organisation: OrganisationId,
    /// What has happened.
    pub name: String,
    /// What goes with it.
    pub data: Json,
    /// The run that publishes it.
    pub run: RunId,
    /// The same when an attempt is made again: the same event starts what listens once.
    pub key: String,
}

/// Tells events to what listens.
pub trait Events: Send + Sync {
    /// Starts what listens, durably, and tells what that is.
    fn publish(&self, publication: Publication) -> BoxFuture<'_, Result<Json, Failure>>;
}
