//! Ids that follow from their cause.

use sha2::{Digest as _, Sha256};
use windflow_core::id::{OrganisationId, RunId, WorkflowName};
use windflow_core::run::Timestamp;

/// The id of the run that a trigger starts at an instant. The same cause gives the same id, in every process and for ever,
/// and a journal begins only once: that is what keeps a tick from firing twice. Begins with the time, as all ids of runs.
#[must_use]
pub fn run_id(organisation: &OrganisationId, workflow: &WorkflowName, trigger: &str, at: Timestamp) -> RunId {
    let hash = digest(&[organisation.as_str(), workflow.as_str(), trigger], at.0);
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    RunId(uuid::Builder::from_unix_timestamp_millis(at.0, &random).into_uuid())
}

/// The id of the run that a trigger starts because of an event, which happened at an instant and has a cause of its own: the
/// same event starts one run, however often it is told.
#[must_use]
pub fn event_run_id(
    organisation: &OrganisationId,
    workflow: &WorkflowName,
    trigger: &str,
    event: &str,
    cause: &str,
    at: Timestamp,
) -> RunId {
    let hash = digest(&["event", organisation.as_str(), workflow.as_str(), trigger, event, cause], at.0);
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    RunId(uuid::Builder::from_unix_timestamp_millis(at.0, &random).into_uuid())
}

/// A number below `end` that is the same for the same trigger and instant.
pub(crate) fn spread(trigger: &str, at: u64, end: u64) -> u64 {
    let hash = digest(&[trigger], at);
    let (number, _) = hash.split_first_chunk::<8>().map_or((0, &hash[..]), |(n, rest)| (u64::from_be_bytes(*n), rest));
    number.checked_rem(end).unwrap_or(0)
}

fn digest(parts: &[&str], number: u64) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        // No name contains it: the parts cannot run into each other.
        hasher.update([0]);
    }
    hasher.update(number.to_be_bytes());
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cause_gives_the_same_id_and_any_other_a_different_one() {
        let id = |organisation: &str, workflow: &str, trigger: &str, at: u64| {
            run_id(&organisation.parse().unwrap(), &workflow.parse().unwrap(), trigger, Timestamp(at))
        };
        let one = id("local", "a", "daily", 1_790_000_000_000);
        assert_eq!(one, id("local", "a", "daily", 1_790_000_000_000));
        for other in [
            id("other", "a", "daily", 1_790_000_000_000),
            id("local", "b", "daily", 1_790_000_000_000),
            id("local", "a", "hourly", 1_790_000_000_000),
            id("local", "a", "daily", 1_790_000_000_001),
            id("locala", "a", "daily", 1_790_000_000_000),
        ] {
            assert_ne!(one, other);
        }
        // Kept for ever: a release that derived another id would fire ticks of the one before it again.
        assert_eq!(one.to_string(), "01a0c450-6c00-7bfc-8f16-7031cd0ad40a");
        assert!(one < id("local", "a", "daily", 1_790_000_060_000), "ids sort by their instant");
    }
}
