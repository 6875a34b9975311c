//! What forgetting a run promises.

use std::sync::atomic::{AtomicBool, Ordering};

use windflow_core::id::{Digest, OrganisationId, RunKey};
use windflow_core::ports::store::{RunQuery, RunStatus, Store, StoreError};
use windflow_core::run::EndStatus;

use super::sample::{cancel, finished, run_id, run_key, started, started_with, step};
use super::{Check, wait};

pub(super) const CHECKS: &[Check] = &[
    ("a deleted run is gone from everywhere, and others stay", gone_from_everywhere),
    ("a run that has not ended is not deleted", unfinished_stay),
    ("what is not there cannot be deleted", unknown),
    ("a deletion has a position of its own, and is durable when that is", positions),
    ("the id of a deleted run can be used again", used_again),
    ("a run of any length is deleted whole", any_length),
    ("who reads a run while it is deleted gets it whole or not at all", whole_or_not),
    ("content goes with the last run that mentions it", content_goes),
    ("content that was kept again stays for the run that will mention it", content_is_lent),
    ("content is mentioned wherever its digest stands", mentioned_anywhere),
    ("organisations do not delete each other's content", organisations),
];

/// A run that has ended, with a document of its own.
fn ended(store: &dyn Store, run: &RunKey, at: u64, workflow: &str, document: Digest) {
    store.append(run, 0, &[started_with(at, workflow, document), step(at, 1)]).unwrap();
    store.append(run, 2, &[finished(at + 1, EndStatus::Succeeded)]).unwrap();
}

fn is_gone<T: std::fmt::Debug>(what: &Result<T, StoreError>) {
    assert!(matches!(what, Err(StoreError::NotFound(_))), "{what:?}");
}

fn gone_from_everywhere(store: &dyn Store) {
    let (run, other) = (run_key(1000, 1), run_key(2000, 2));
    ended(store, &run, 1000, "a", Digest::of(b"a"));
    ended(store, &other, 2000, "b", Digest::of(b"b"));
    wait(store.durable(store.delete(&run).unwrap())).unwrap();
    is_gone(&store.run(&run));
    is_gone(&store.read(&run, 0, 10));
    is_gone(&store.delete(&run));
    for workflow in [None, "a".parse().ok(), "b".parse().ok()] {
        for status in [None, Some(RunStatus::Running), Some(RunStatus::Succeeded)] {
            let query = RunQuery { workflow: workflow.clone(), status, limit: 10, ..RunQuery::default() };
            let found = store.runs(&run.organisation, &query).unwrap().items;
            assert!(found.iter().all(|found| found.run == other.run), "{query:?}");
        }
    }
    assert_eq!(store.workflows(&run.organisation).unwrap().len(), 1);
    assert_eq!(store.unfinished().unwrap(), []);
    assert_eq!(store.read(&other, 0, 10).unwrap().len(), 3);
    assert_eq!(store.run(&other).unwrap().sequence, 3);
}

fn unfinished_stay(store: &dyn Store) {
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    for records in [vec![], vec![cancel(1001)]] {
        store.append(&run, 1, &records).unwrap();
        let error = store.delete(&run).unwrap_err();
        assert!(matches!(&error, StoreError::Invalid(why) if why.contains("cancel it first")), "{error}");
        assert_eq!(store.read(&run, 0, 10).unwrap().len(), 1 + records.len());
    }
    store.append(&run, 2, &[finished(1002, EndStatus::Cancelled)]).unwrap();
    store.delete(&run).unwrap();
    is_gone(&store.run(&run));
}

fn unknown(store: &dyn Store) {
    is_gone(&store.delete(&run_key(1000, 1)));
    ended(store, &run_key(1000, 1), 1000, "a", Digest::of(b"a"));
    is_gone(&store.delete(&run_key(1000, 2)));
    is_gone(&store.delete(&RunKey { organisation: "other".parse().unwrap(), run: run_id(1000, 1) }));
    assert_eq!(store.run(&run_key(1000, 1)).unwrap().sequence, 3);
}

fn positions(store: &dyn Store) {
    let runs = [run_key(1000, 1), run_key(1000, 2)];
    for run in &runs {
        ended(store, run, 1000, "a", Digest::of(b"a"));
    }
    let before = store.append(&run_key(1000, 3), 0, &[started(1000, "a")]).unwrap();
    let first = store.delete(&runs[0]).unwrap();
    let second = store.delete(&runs[1]).unwrap();
    let after = store.append(&run_key(1000, 4), 0, &[started(1000, "a")]).unwrap();
    assert!(before < first && first < second && second < after);
    for position in [second, first, after, before] {
        wait(store.durable(position)).unwrap();
    }
}

fn used_again(store: &dyn Store) {
    let run = run_key(1000, 1);
    for workflow in ["a", "b", "c"] {
        ended(store, &run, 1000, workflow, Digest::of(b"x"));
        assert_eq!(store.run(&run).unwrap().workflow.as_str(), workflow);
        assert_eq!(store.read(&run, 0, 10).unwrap().len(), 3);
        store.delete(&run).unwrap();
        let error = store.append(&run, 3, &[step(1000, 1)]).unwrap_err();
        assert_eq!(error, StoreError::Conflict { run: run.run, expected: 3, actual: 0 });
    }
    is_gone(&store.run(&run));
}

fn any_length(store: &dyn Store) {
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    for sequence in 1..4500 {
        store.append(&run, sequence, &[step(1000, sequence)]).unwrap();
        // Whatever is read was written, so that no two records are written together.
        store.read(&run, sequence, 1).unwrap();
    }
    store.append(&run, 4500, &[finished(2000, EndStatus::Failed)]).unwrap();
    store.delete(&run).unwrap();
    is_gone(&store.read(&run, 0, 1));
    ended(store, &run, 1000, "a", Digest::of(b"a"));
    assert_eq!(store.read(&run, 0, usize::MAX).unwrap().len(), 3);
}

fn whole_or_not(store: &dyn Store) {
    let done = AtomicBool::new(false);
    let run = run_key(1000, 1);
    let content = vec![7; 40_000];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    match store.read(&run, 0, usize::MAX) {
                        Ok(records) => assert!((1..=3).contains(&records.len())),
                        Err(error) => assert!(matches!(error, StoreError::NotFound(_)), "{error}"),
                    }
                    match store.blob(&run.organisation, &Digest::of(&content)) {
                        Ok(found) => assert_eq!(found, content),
                        Err(error) => assert!(matches!(error, StoreError::NotFound(_)), "{error}"),
                    }
                }
            });
        }
        for _ in 0..100 {
            let document = store.put_blob(&run.organisation, &content).unwrap();
            ended(store, &run, 1000, "a", document);
            store.delete(&run).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
}

fn content_goes(store: &dyn Store) {
    let local = OrganisationId::local();
    let (first, second) = (run_key(1000, 1), run_key(1000, 2));
    let (shared, own) = (vec![1; 20_000], vec![2; 20_000]);
    let shared_digest = store.put_blob(&local, &shared).unwrap();
    ended(store, &first, 1000, "a", shared_digest);
    store.put_blob(&local, &shared).unwrap();
    store.append(&second, 0, &[started_with(1000, "a", shared_digest)]).unwrap();
    let own_digest = store.put_blob(&local, &own).unwrap();
    store.append(&second, 1, &[started_with(1000, "a", own_digest)]).unwrap();
    store.append(&second, 2, &[finished(1001, EndStatus::Succeeded)]).unwrap();

    store.delete(&first).unwrap();
    assert_eq!(store.blob(&local, &shared_digest).unwrap(), shared);
    assert_eq!(store.blob(&local, &own_digest).unwrap(), own);
    store.delete(&second).unwrap();
    is_gone(&store.blob(&local, &shared_digest));
    is_gone(&store.blob(&local, &own_digest));
    // It can come again.
    assert_eq!(store.put_blob(&local, &own).unwrap(), own_digest);
    assert_eq!(store.blob(&local, &own_digest).unwrap(), own);
}

fn content_is_lent(store: &dyn Store) {
    let local = OrganisationId::local();
    let (first, second) = (run_key(1000, 1), run_key(1000, 2));
    let digest = store.put_blob(&local, b"a document").unwrap();
    ended(store, &first, 1000, "a", digest);
    assert_eq!(store.put_blob(&local, b"a document").unwrap(), digest);
    store.delete(&first).unwrap();
    assert_eq!(store.blob(&local, &digest).unwrap(), b"a document");
    ended(store, &second, 1000, "a", digest);
    assert_eq!(store.blob(&local, &digest).unwrap(), b"a document");
    store.delete(&second).unwrap();
    is_gone(&store.blob(&local, &digest));
}

fn mentioned_anywhere(store: &dyn Store) {
    let local = OrganisationId::local();
    let digest = store.put_blob(&local, b"a large value").unwrap();
    let run = run_key(1000, 1);
    let output = serde_json::json!({ "deep": [{ "within": format!("blob {digest}.") }] });
    let records = [started(1000, "a"), super::sample::succeeded(1000, output.into())];
    store.append(&run, 0, &records).unwrap();
    store.append(&run, 2, &[finished(1001, EndStatus::Succeeded)]).unwrap();
    let other = run_key(1000, 2);
    ended(store, &other, 1000, "a", Digest::of(b"x"));
    store.delete(&other).unwrap();
    assert_eq!(store.blob(&local, &digest).unwrap(), b"a large value");
    store.delete(&run).unwrap();
    is_gone(&store.blob(&local, &digest));
}

fn organisations(store: &dyn Store) {
    let ours = run_key(1000, 1);
    let theirs = RunKey { organisation: "acme".parse().unwrap(), run: ours.run };
    for run in [&ours, &theirs] {
        let digest = store.put_blob(&run.organisation, b"same").unwrap();
        ended(store, run, 1000, "a", digest);
    }
    store.delete(&ours).unwrap();
    let digest = Digest::of(b"same");
    is_gone(&store.blob(&ours.organisation, &digest));
    assert_eq!(store.blob(&theirs.organisation, &digest).unwrap(), b"same");
    assert_eq!(store.read(&theirs, 0, 10).unwrap().len(), 3);
}
