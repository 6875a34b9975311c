//! What is written on everything that a deployment makes.

use std::collections::HashMap;

pub(super) const STACK: &str = "dev.windflow.stack";
pub(super) const SERVICE: &str = "dev.windflow.service";
pub(super) const NUMBER: &str = "dev.windflow.number";
pub(super) const HASH: &str = "dev.windflow.config-hash";
pub(super) const DEPLOYMENT: &str = "dev.windflow.deployment";

/// What the name of a container ends with that was set aside while it ran.
pub(super) const RETIRED: &str = ".previous";
/// The same, of one that did not run.
pub(super) const RETIRED_STOPPED: &str = ".previous-stopped";

/// For everything.
pub(super) fn common(stack: &str, deployment: &str, hash: &str) -> HashMap<String, String> {
    [(STACK, stack), (DEPLOYMENT, deployment), (HASH, hash)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// What lists are filtered by.
pub(super) fn filter(stack: &str) -> HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![format!("{STACK}={stack}")])].into()
}
