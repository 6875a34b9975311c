//! What a keeper of blobs promises.

use windflow_core::id::{Digest, OrganisationId};
use windflow_core::ports::store::{Store, StoreError};

use super::sample::{run_key, started};
use super::{Check, wait};
use crate::MAX_BLOB_BYTES;

pub(super) const CHECKS: &[Check] = &[
    ("content of every size is read back under its digest", round_trip),
    ("keeping the same content twice is keeping it once", twice),
    ("content that nobody kept is not found", unknown),
    ("organisations do not see each other's blobs", organisations),
    ("what was kept before a durable append is read back after it", before_append),
    ("content above the limit is refused", too_large),
];

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (place % 251) as u8).collect()
}

fn round_trip(store: &dyn Store) {
    let organisation = OrganisationId::local();
    for size in [0, 1, 7167, 7168, 7169, 14336, 20_000, 200_000, 3 << 20] {
        let content = content(size);
        let digest = store.put_blob(&organisation, &content).unwrap();
        assert_eq!(digest, Digest::of(&content));
        assert!(store.blob(&organisation, &digest).unwrap() == content, "{size} bytes");
    }
}

fn twice(store: &dyn Store) {
    let organisation = OrganisationId::local();
    let first = store.put_blob(&organisation, b"same").unwrap();
    assert_eq!(store.put_blob(&organisation, b"same").unwrap(), first);
    assert_eq!(store.blob(&organisation, &first).unwrap(), b"same");
    assert_eq!(store.put_blob(&organisation, b"same").unwrap(), first);
}

fn unknown(store: &dyn Store) {
    let error = store.blob(&OrganisationId::local(), &Digest::of(b"never")).unwrap_err();
    assert!(matches!(error, StoreError::NotFound(_)), "{error}");
}

fn organisations(store: &dyn Store) {
    let digest = store.put_blob(&OrganisationId::local(), b"ours").unwrap();
    let error = store.blob(&"other".parse().unwrap(), &digest).unwrap_err();
    assert!(matches!(error, StoreError::NotFound(_)), "{error}");
}

fn before_append(store: &dyn Store) {
    let organisation = OrganisationId::local();
    let digest = store.put_blob(&organisation, b"document").unwrap();
    let position = store.append(&run_key(1000, 1), 0, &[started(1000, "a")]).unwrap();
    wait(store.durable(position)).unwrap();
    assert_eq!(store.blob(&organisation, &digest).unwrap(), b"document");
}

fn too_large(store: &dyn Store) {
    let error = store.put_blob(&OrganisationId::local(), &vec![0; MAX_BLOB_BYTES + 1]).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge(_)), "{error}");
}
