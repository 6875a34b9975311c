//! What differs between two versions of something that people write: workflows and stacks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::difference::Difference;
use windflow_marketplace::difference::unified;

use crate::problem::Answer;
use crate::state::blocking;

/// With which version.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Number of the version that is compared; the one before where nothing is said.
    since: Option<u32>,
}

/// How two versions differ. Their parts are the nodes of a workflow, or the services of a stack.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changes {
    /// Number of the older version; 0 before the first.
    since: u32,
    version: u32,
    /// Parts that only the newer one has.
    added: Vec<String>,
    /// Parts that only the older one has.
    removed: Vec<String>,
    /// Parts that say something else.
    changed: Vec<String>,
    /// Other keys at the top that say something else; the layout of a workflow is not among them.
    keys: Vec<String>,
    /// The lines that differ, in unified form; empty where the texts are the same.
    diff: String,
}

impl ChangesQuery {
    /// Compares a version with the one that was asked for.
    ///
    /// # Errors
    /// Where one of them is not there.
    pub(super) async fn compare(
        &self,
        version: u32,
        text: impl Fn(u32) -> Answer<String>,
        difference: fn(&str, &str) -> Difference,
    ) -> Answer<Changes> {
        let since = self.since.unwrap_or(version.saturating_sub(1));
        let new = text(version)?;
        let old = if since == 0 { String::new() } else { text(since)? };
        blocking(move || {
            let Difference { added, removed, changed, keys } = difference(&old, &new);
            let diff = unified((&format!("version {since}"), &old), (&format!("version {version}"), &new));
            Changes { since, version, added, removed, changed, keys, diff }
        })
        .await
    }
}
