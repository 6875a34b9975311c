//! A store is copied while runs go on, and the copy is a store.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Expected, Records};
use windflow_core::ports::store::{Blobs, Journal, Position, ReadModel, StoreError};
use windflow_store::suite::sample::{run_key, started, succeeded};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

fn durable(store: &SledStore, position: Position) {
    wait(Journal::durable(store, position)).unwrap();
}

#[test]
fn a_copy_holds_all_that_was_durable_and_what_began_meanwhile_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::open(dir.path().join("store"), Options::default()).unwrap();
    let local = OrganisationId::local();
    let large = vec![7; 300_000];
    let digest = store.put_blob(&local, &large).unwrap();
    let mention = serde_json::json!({ "document": digest.to_string() });
    let write = |number: u64| {
        let run = run_key(number, number);
        store.append(&run, 0, &[started(number, "a")]).unwrap();
        store.append(&run, 1, &[succeeded(number, mention.clone().into())]).unwrap()
    };
    for number in 0..499 {
        write(number);
    }
    durable(&store, write(499));
    store.put(&local, "workflows/a", Expected::Absent, b"text".to_vec()).unwrap();
    durable(&store, store.put(&local, "other", Expected::Any, b"x".to_vec()).unwrap().position);

    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(500));
    let copy = dir.path().join("copy");
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                durable(&store, write(written.load(Ordering::Relaxed)));
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
        let made = store.backup(&copy);
        stop.store(true, Ordering::Relaxed);
        made.unwrap();
    });
    // The store is as it was, and goes on.
    assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    durable(&store, write(1_000_000));
    assert!(matches!(store.backup(&copy), Err(StoreError::Unavailable(_))), "what is there is not overwritten");

    let copy = SledStore::open(&copy, Options::default()).unwrap();
    let checked = copy.check().unwrap();
    assert_eq!(checked.problems, Vec::<String>::new());
    assert!((500..=written.load(Ordering::Relaxed)).contains(&(checked.runs as u64)), "{} runs", checked.runs);
    for number in [0, 499] {
        assert_eq!(copy.read(&run_key(number, number), 0, 9).unwrap().len(), 2);
    }
    assert_eq!(copy.blob(&local, &digest).unwrap(), large);
    assert_eq!(copy.get(&local, "workflows/a").unwrap().unwrap().value, b"text");
    assert!(copy.run(&run_key(1_000_000, 1_000_000)).is_err());
    // It is a store of its own.
    durable(&copy, copy.append(&run_key(7, 2_000_000), 0, &[started(7, "a")]).unwrap());
}
