//! How many events in a row have led to a run. Workflows may start each other by events, but not for ever.

use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::store::{Store, StoreError};

/// The longest chain: what the last event of it starts publishes nothing.
pub(super) const LONGEST: u32 = 8;

/// The most parents that are looked at: more than child runs can be nested.
const PARENTS: usize = 64;

/// Who started a run, as it is kept: by the trigger's name, and by how many events in a row where that is more than one.
pub(super) fn started_by(trigger: &str, depth: u32) -> String {
    if depth > 1 { format!("event:{trigger}#{depth}") } else { format!("event:{trigger}") }
}

/// How many events in a row have led to the beginning of a run. A child run has what its parent has.
pub(super) fn depth(
    store: &dyn Store,
    organisation: &OrganisationId,
    run: windflow_core::id::RunId,
) -> Result<u32, StoreError> {
    let mut key = RunKey { organisation: organisation.clone(), run };
    for _ in 0..PARENTS {
        let started_by = store.run(&key)?.started_by;
        match started_by.strip_prefix("run ").and_then(|parent| parent.parse().ok()) {
            Some(parent) => key.run = parent,
            None => return Ok(of(&started_by)),
        }
    }
    Ok(LONGEST)
}

fn of(started_by: &str) -> u32 {
    let Some(trigger) = started_by.strip_prefix("event:") else { return 0 };
    trigger.split_once('#').and_then(|(_, depth)| depth.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_tells_the_depth() {
        for depth in [1, 2, 7] {
            assert_eq!(of(&started_by("heard", depth)), depth);
        }
        assert_eq!((of("cli"), of("cron:nightly"), of("user:ada#7")), (0, 0, 0));
    }
}
