//! What is written on everything that a deployment makes.

use std::collections::HashMap;

pub(super) const STACK: &str = "dev.windflow.stack";
pub(super) const SERVICE: &str = "dev.windflow.service";
pub(super) const NUMBER: &str = "dev.windflow.number";
pub(super) const HASH: &str = "dev.windflow.config-hash";
pub(super) const DEPLOYMENT: &str = "dev.windflow.deployment";

/// On a container that runs once: the run that asked for it.
pub(super) const ONCE: &str = "dev.windflow.once";
/// On the same: the second since 1970 at which its time is over.
pub(super) const UNTIL: &str = "dev.windflow.until";
/// On an image that was built: the run that asked for it.
pub(super) const BUILT: &str = "dev.windflow.built";

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

/// What lists of a stack are filtered by.
pub(super) fn filter(stack: &str) -> HashMap<String, Vec<String>> {
    has(&format!("{STACK}={stack}"))
}

/// What lists are filtered by: all that has a label, or a label of a value.
pub(super) fn has(label: &str) -> HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![label.to_owned()])].into()
}
