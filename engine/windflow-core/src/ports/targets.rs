//! What a node asks of a target: to deploy, and to look after what is deployed.

use std::sync::Arc;

use super::files::RunFolder;
use super::host::CancelSignal;
use super::store::BoxFuture;
use crate::failure::Failure;
use crate::id::{OrganisationId, RunId};
use crate::json::Json;

/// Something that is asked of a target. Whether it may be asked was checked before.
pub struct TargetCall {
    /// Whose target it is.
    pub organisation: OrganisationId,
    /// Its name.
    pub target: String,
    /// What is asked, as JSON.
    pub request: Json,
    /// The folder of the run that goes with it: what it names under `folder`.
    pub folder: Option<RunFolder>,
    /// The run that asks.
    pub run: RunId,
    /// The same when it is asked again: what was begun goes on, what was done is not done again.
    pub key: Arc<str>,
    /// Hears what goes on.
    pub events: Arc<dyn Fn(&str) + Send + Sync>,
    /// Tells that it should be given up, and undone.
    pub cancel: Arc<dyn CancelSignal>,
}

/// Does what is asked of targets.
pub trait Targets: Send + Sync {
    /// Does it. Once the future is dropped what was begun is undone.
    fn perform(&self, call: TargetCall) -> BoxFuture<'_, Result<Json, Failure>>;
}
