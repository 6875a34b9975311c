//! The check finds what contradicts something else, even where every byte is as it was written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::path::Path;

use windflow_core::ports::store::{Blobs, Journal};
use windflow_core::run::EndStatus;
use windflow_store::suite::sample::{finished, run_key, started_with, step};
use windflow_store::suite::wait;
use windflow_store::{Options, SledStore};

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, Options::default()).unwrap()
}

/// Three runs, of which one has not ended; the first two share a document.
fn build(dir: &Path) {
    let store = open(dir);
    for number in 0..3 {
        let run = run_key(1000 + number, number);
        let document = store.put_blob(&run.organisation, &[number as u8 / 2; 20_000]).unwrap();
        store.append(&run, 0, &[started_with(1000, "a", document), step(1000, 1)]).unwrap();
        // Read, so that what follows is another entry of the journal.
        store.read(&run, 0, 1).unwrap();
        let last = if number < 2 { finished(1001, EndStatus::Succeeded) } else { step(1001, 2) };
        wait(store.durable(store.append(&run, 2, &[last]).unwrap())).unwrap();
    }
}

/// Changes a tree behind the back of the store, and says what the check makes of it.
fn check(tree: &str, change: impl Fn(&sled::Tree), expect: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    assert_eq!(open(dir.path()).check().unwrap().problems, [""; 0]);
    let db = sled::Config::new().path(dir.path().join("sled")).flush_every_ms(None).open().unwrap();
    change(&db.open_tree(tree).unwrap());
    db.flush().unwrap();
    drop(db);
    let problems = open(dir.path()).check().unwrap().problems;
    for words in expect {
        assert!(problems.iter().any(|problem| problem.contains(words)), "{tree}: {problems:?} do not say {words:?}");
    }
}

fn remove_first(tree: &sled::Tree) {
    let (key, _) = tree.first().unwrap().unwrap();
    tree.remove(key).unwrap();
}

#[test]
fn what_is_missing_is_found() {
    check("journal", remove_first, &["event 1 of run", "is missing from the journal", "bytes that are counted"]);
    check(
        "runs",
        remove_first,
        &["there is a journal of", "the number of runs that are counted is 3, and there are 2"],
    );
    check("by_status", remove_first, &["is listed wrongly as", "runs that are listed by status is 2, and there are 3"]);
    check("by_workflow", remove_first, &["is listed wrongly as", "runs that are listed by workflow"]);
    check("unfinished", remove_first, &["has ended is not clear", "listed as unfinished is 0, and there are 1"]);
    check("blobs", remove_first, &["a part of a large value is missing"]);
    check("blob_uses", remove_first, &["mentions content that is not counted"]);
    check("uses", remove_first, &["is not counted", "mentions of content that are counted is 3, and there are 2"]);
}

#[test]
fn what_is_too_much_or_wrong_is_found() {
    let twice = |tree: &sled::Tree| {
        let (key, value) = tree.first().unwrap().unwrap();
        let mut other = key.to_vec();
        *other.last_mut().unwrap() ^= 1;
        tree.insert(other, value).unwrap();
    };
    check("by_status", twice, &["runs that are listed by status is 4, and there are 3"]);
    check("unfinished", twice, &["listed as unfinished is 2, and there are 1"]);
    let wrong = |tree: &sled::Tree| {
        let (key, _) = tree.first().unwrap().unwrap();
        tree.insert(key, &[0, 0, 0, 0, 0, 0, 0, 9]).unwrap();
    };
    check("blob_uses", wrong, &["mentions of content that are counted"]);
    let swap = |tree: &sled::Tree| {
        let entries: Vec<_> = tree.iter().map(|entry| entry.unwrap()).collect();
        tree.insert(&entries[0].0, &entries[1].1).unwrap();
    };
    check("runs", swap, &["does not say what its journal says"]);
    let no_json = |tree: &sled::Tree| {
        let (key, _) = tree.first().unwrap().unwrap();
        tree.insert(key, b"\0{").unwrap();
    };
    check("runs", no_json, &["cannot be read"]);
    check("journal", no_json, &["a journal entry is no record"]);
    check("blobs", no_json, &["does not fit its digest"]);
}
