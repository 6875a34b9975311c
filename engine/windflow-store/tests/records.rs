//! Both stores keep the contract of values under keys; what the one on disk has taken durably is there when it opens again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records};
use windflow_store::suite::records::{CHECKS, check_all};
use windflow_store::{MemoryStore, Options, SledStore};

#[test]
fn memory_keeps_the_contract() {
    check_all(MemoryStore::new);
}

fn sled(options: &Options) {
    let mut dirs = Vec::new();
    check_all(|| {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path(), options.clone()).unwrap();
        dirs.push(dir);
        store
    });
}

#[test]
fn sled_keeps_the_contract() {
    sled(&Options::default());
}

#[test]
fn sled_keeps_the_contract_with_hardly_any_memory() {
    sled(&Options { cache_bytes: 1 << 16, max_pending_bytes: 1000, ..Options::default() });
}

#[test]
fn checks_have_names_of_their_own() {
    let mut names: Vec<_> = CHECKS.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn values_and_versions_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let local = OrganisationId::local();
    let store = SledStore::open(dir.path(), Options::default()).unwrap();
    let kept = store.put(&local, "kept", Expected::Absent, vec![7; 50_000]).unwrap();
    store.put(&local, "gone", Expected::Absent, b"x".to_vec()).unwrap();
    let gone = store.delete(&local, "gone", Expected::Any).unwrap();
    drop(store);
    let store = SledStore::open(dir.path(), Options::default()).unwrap();
    let found = store.get(&local, "kept").unwrap().unwrap();
    assert_eq!((found.version, found.value), (kept.version, vec![7; 50_000]));
    assert_eq!(store.get(&local, "gone").unwrap(), None);
    let next = store.put(&local, "gone", Expected::Absent, b"y".to_vec()).unwrap();
    assert!(next.version > gone.version, "a version came back");
}
