//! Where everything is kept. **Frozen**: what one release wrote, every later one must find.
//!
//! The folder:
//!
//! | File | Content |
//! |---|---|
//! | `format` | `{"format":3,"release":"0.1.0","database":"sled"}`: the version of this layout, who made it, and which folder is the database; replaced as a whole, see [`super::folder`] |
//! | `lock` | held while a process uses the folder; its content is that process's id |
//! | `watermark` | how many batches are durable at least, written after each commit; see [`super::watermark`] |
//! | `sled/`, `sled-1/`, … | the database. Any other than the one that `format` names was left behind by a crash |
//! | `sled/write-ahead` | what became durable since the database was synced; see [`super::write_ahead`] |
//!
//! The trees in the database. Every key begins with the organisation and a zero byte, which no name contains. Numbers
//! are big-endian, so that they sort. `run` is the 16 bytes of its UUID, `at` the start of the run in milliseconds (8).
//!
//! | Tree | Key | Value |
//! |---|---|---|
//! | `journal` | org 0 run sequence (8) part (4) | packed: records as JSON, one after the other, the first of them with that sequence |
//! | `runs` | org 0 run | packed: the summary of the run as JSON; until the run has ended its sequence may be behind, and the end of the journal counts |
//! | `by_status` | org 0 status (1) at run | nothing |
//! | `by_workflow` | org 0 workflow 0 status (1) at run | nothing |
//! | `unfinished` | org 0 run | at |
//! | `blobs` | org 0 digest (32) part (4) | packed: content |
//! | `blob_uses` | org 0 digest | how many keys of `uses` there are for it (8) |
//! | `unused` | org 0 digest | nothing; there where that number is 0 |
//! | `uses` | org 0 `r` run digest | nothing: the run's journal mentions that content |
//! | `records` | org 0 key 0 part (4) | packed: version (8), then the value |
//! | `records` | 0 `record_version` | packed: the version of the last change of a value (8); it belongs to the installation |
//! | `deleted` | org 0 run | nothing: the run is gone from all lists, and its journal is being removed |
//! | `meta` | `totals` | batches ever applied (8), bytes of all keys but the journal's and of all unpacked values (8), runs (8); it belongs to the installation, to no organisation |
//!
//! Values above [`PART_BYTES`] are cut into parts 0, 1, …. sled writes a page of up to 16 values as a whole, and pages
//! above 128 KiB into files of their own, which would cost one more disk wait each. [`super::pack`] says what packed is.
//!
//! Lists of one status are one range. Other lists are the merge of the ranges of all five.
//!
//! Format 2 had no write-ahead log. Format 1 had no `records`, `blob_uses`, `unused`, `uses` and `deleted`, packed nothing, called its folder `sled` without saying so,
//! and kept the number of batches alone, under `batches`.

use windflow_core::id::{Digest, OrganisationId, RunId, RunKey, WorkflowName};
use windflow_core::ports::store::RunStatus;
use windflow_core::run::{Sequence, Timestamp};

use crate::order::Place;

/// The version of this layout.
pub(super) const FORMAT: u32 = 3;

/// Largest value, before it is packed.
pub(super) const PART_BYTES: usize = 7 << 10;

/// The key in [`Section::Meta`].
pub(super) const TOTALS: &[u8] = b"totals";

/// The key in [`Section::Records`] that is none of an organisation: names of those are not empty.
pub(super) const RECORD_VERSION: &[u8] = b"\0record_version";

/// The same in format 1.
pub(super) const BATCHES: &[u8] = b"batches";

/// The trees. Their order is that of [`Section::ALL`], and **frozen**: the write-ahead log has their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Section {
    Journal,
    Runs,
    ByStatus,
    ByWorkflow,
    Unfinished,
    Blobs,
    BlobUses,
    Unused,
    Uses,
    Deleted,
    Records,
    Meta,
}

impl Section {
    pub(super) const ALL: [Self; 12] = [
        Self::Journal,
        Self::Runs,
        Self::ByStatus,
        Self::ByWorkflow,
        Self::Unfinished,
        Self::Blobs,
        Self::BlobUses,
        Self::Unused,
        Self::Uses,
        Self::Deleted,
        Self::Records,
        Self::Meta,
    ];

    /// The name of the tree.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Runs => "runs",
            Self::ByStatus => "by_status",
            Self::ByWorkflow => "by_workflow",
            Self::Unfinished => "unfinished",
            Self::Blobs => "blobs",
            Self::BlobUses => "blob_uses",
            Self::Unused => "unused",
            Self::Uses => "uses",
            Self::Deleted => "deleted",
            Self::Records => "records",
            Self::Meta => "meta",
        }
    }

    /// Whether its values are packed.
    pub(super) fn is_packed(self) -> bool {
        matches!(self, Self::Journal | Self::Runs | Self::Blobs | Self::Records)
    }
}

/// Every status, as lists merge them.
pub(super) const STATUSES: [RunStatus; 5] =
    [RunStatus::Running, RunStatus::Cancelling, RunStatus::Succeeded, RunStatus::Failed, RunStatus::Cancelled];

fn status_byte(status: RunStatus) -> u8 {
    match status {
        RunStatus::Running => 1,
        RunStatus::Cancelling => 2,
        RunStatus::Succeeded => 3,
        RunStatus::Failed => 4,
        RunStatus::Cancelled => 5,
    }
}

/// Beginning of all keys of an organisation.
pub(super) fn organisation(organisation: &OrganisationId, more: usize) -> Vec<u8> {
    let name = organisation.as_str().as_bytes();
    let mut key = Vec::with_capacity(name.len() + 1 + more);
    key.extend_from_slice(name);
    key.push(0);
    key
}

/// Key in `runs`, `unfinished` and `deleted`; beginning of keys in `journal`.
pub(super) fn run(run: &RunKey) -> Vec<u8> {
    let mut key = organisation(&run.organisation, 28);
    key.extend_from_slice(run.run.0.as_bytes());
    key
}

/// Key in `journal`.
pub(super) fn journal(key: &RunKey, first: Sequence, part: u32) -> Vec<u8> {
    let mut key = run(key);
    key.extend_from_slice(&first.to_be_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// The sequence and part in a key of `journal`, where it is one of that run.
pub(super) fn journal_entry(run: &[u8], key: &[u8]) -> Option<(Sequence, u32)> {
    let (first, part) = key.strip_prefix(run)?.split_first_chunk::<8>()?;
    Some((Sequence::from_be_bytes(*first), u32::from_be_bytes(part.try_into().ok()?)))
}

/// Key in `blob_uses` and `unused`; beginning of keys in `blobs`.
pub(super) fn blob(org: &OrganisationId, digest: &Digest) -> Vec<u8> {
    let mut key = organisation(org, 36);
    key.extend_from_slice(&digest.0);
    key
}

/// Beginning of the keys of a value.
pub(super) fn record(org: &OrganisationId, key: &str) -> Vec<u8> {
    let mut place = records(org, key);
    place.push(0);
    place
}

/// Beginning of the keys of all values whose own keys begin with a prefix.
pub(super) fn records(org: &OrganisationId, prefix: &str) -> Vec<u8> {
    let mut place = organisation(org, prefix.len() + 5);
    place.extend_from_slice(prefix.as_bytes());
    place
}

/// The value's own key and the part in a key of `records`.
pub(super) fn record_key<'a>(org: &OrganisationId, key: &'a [u8]) -> Option<(&'a str, u32)> {
    let (rest, part) = key.split_last_chunk::<4>()?;
    let own = rest.strip_prefix(&*organisation(org, 0))?.strip_suffix(&[0])?;
    Some((std::str::from_utf8(own).ok()?, u32::from_be_bytes(*part)))
}

/// The key of a part of what begins with `prefix`.
pub(super) fn part(prefix: &[u8], part: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + 4);
    key.extend_from_slice(prefix);
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// Beginning of the keys in `uses` that say what a run mentions.
pub(super) fn uses_of(key: &RunKey) -> Vec<u8> {
    let mut prefix = organisation(&key.organisation, 1 + 16 + 32);
    prefix.push(b'r');
    prefix.extend_from_slice(key.run.0.as_bytes());
    prefix
}

/// The key of a use, of which [`uses_of`] is the beginning.
pub(super) fn one_use(prefix: &[u8], digest: &Digest) -> Vec<u8> {
    [prefix, &digest.0].concat()
}

/// The digest that a key of `uses` ends with.
pub(super) fn used(key: &[u8]) -> Option<Digest> {
    key.split_last_chunk::<32>().map(|(_, digest)| Digest(*digest))
}

/// Beginning of the keys in `by_status`, or in `by_workflow` where there is one.
pub(super) fn index(org: &OrganisationId, workflow: Option<&WorkflowName>, status: RunStatus) -> Vec<u8> {
    let mut key = organisation(org, 64 + 26);
    if let Some(workflow) = workflow {
        key.extend_from_slice(workflow.as_str().as_bytes());
        key.push(0);
    }
    key.push(status_byte(status));
    key
}

/// Appends the place to the beginning of a key of an index.
pub(super) fn at_place(mut prefix: Vec<u8>, (at, run): Place) -> Vec<u8> {
    prefix.extend_from_slice(&at.0.to_be_bytes());
    prefix.extend_from_slice(run.0.as_bytes());
    prefix
}

/// The place that a key of an index ends with.
pub(super) fn place(key: &[u8]) -> Option<Place> {
    let (rest, run) = key.split_last_chunk::<16>()?;
    let (_, at) = rest.split_last_chunk::<8>()?;
    Some((Timestamp(u64::from_be_bytes(*at)), RunId(uuid::Uuid::from_bytes(*run))))
}

/// The run of a key of `runs`, `unfinished` or `deleted`.
pub(super) fn run_key(key: &[u8]) -> Option<RunKey> {
    let (organisation, run) = key.split_last_chunk::<16>()?;
    let organisation = std::str::from_utf8(organisation.strip_suffix(&[0])?).ok()?.parse().ok()?;
    Some(RunKey { organisation, run: RunId(uuid::Uuid::from_bytes(*run)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_first_release_wrote() {
        let key = RunKey { organisation: OrganisationId::local(), run: RunId(uuid::Uuid::from_u128(7)) };
        let id = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        assert_eq!(run(&key), [&b"local\0"[..], &id].concat());
        assert_eq!(journal(&key, 3, 1), [&b"local\0"[..], &id, &[0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]].concat());
        let index_key = at_place(
            index(&key.organisation, "site-check".parse().ok().as_ref(), RunStatus::Failed),
            (Timestamp(258), key.run),
        );
        assert_eq!(index_key, [&b"local\0site-check\0\x04\0\0\0\0\0\0\x01\x02"[..], &id].concat());
        let digest = Digest::of(b"");
        assert_eq!(part(&blob(&key.organisation, &digest), 2), [&b"local\0"[..], &digest.0, &[0, 0, 0, 2]].concat());
    }

    #[test]
    fn keys_read_back() {
        let key = RunKey { organisation: OrganisationId::local(), run: RunId(uuid::Uuid::from_u128(7)) };
        assert_eq!(run_key(&run(&key)), Some(key.clone()));
        assert_eq!(journal_entry(&run(&key), &journal(&key, 3, 1)), Some((3, 1)));
        let found = (Timestamp(5), key.run);
        assert_eq!(place(&at_place(index(&key.organisation, None, RunStatus::Running), found)), Some(found));
        for bad in [&b""[..], b"local", b"local\0", &[0; 16], &[0; 17]] {
            assert_eq!(run_key(bad), None);
            assert_eq!(journal_entry(&run(&key), bad), None);
        }
    }
}
