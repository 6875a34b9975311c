//! What a read model promises.

use windflow_core::id::{Digest, OrganisationId, RunId, RunKey};
use windflow_core::ports::store::{RunQuery, RunStatus, Store, StoreError};
use windflow_core::run::{EndStatus, Timestamp};

use super::sample::{cancel, finished, run_id, run_key, started, step};
use super::{Check, wait};

pub(super) const CHECKS: &[Check] = &[
    ("a run's summary follows its events", summary_follows),
    ("a run that is not there is not found", unknown),
    ("lists begin with the newest", newest_first),
    ("lists are ordered by the start, whatever the ids are", ordered_by_start),
    ("pages follow each other without gap or overlap", pages),
    ("a cursor whose run is gone still says where to go on", cursor_of_unknown_run),
    ("every filter that is set must fit", filters),
    ("runs leave the list of their old status", status_moves),
    ("the workflows that have runs are known", workflows),
    ("unfinished runs are those that have not ended, of all organisations, the oldest first", unfinished),
];

fn query(limit: usize) -> RunQuery {
    RunQuery { limit, ..RunQuery::default() }
}

fn list(store: &dyn Store, query: &RunQuery) -> Vec<RunId> {
    store.runs(&OrganisationId::local(), query).unwrap().items.iter().map(|run| run.run).collect()
}

/// Ten runs a second apart: workflows a and b in turn; every third succeeded, every fifth failed.
fn ten_runs(store: &dyn Store) {
    for number in 0..10 {
        let at = 1000 * (number + 1);
        let run = run_key(at, number);
        store.append(&run, 0, &[started(at, if number % 2 == 0 { "a" } else { "b" })]).unwrap();
        let end = match number {
            0 | 3 | 6 | 9 => EndStatus::Succeeded,
            5 => EndStatus::Failed,
            _ => continue,
        };
        store.append(&run, 1, &[finished(at + 1, end)]).unwrap();
    }
}

fn numbered(numbers: &[u64]) -> Vec<RunId> {
    numbers.iter().map(|number| run_id(1000 * (number + 1), *number)).collect()
}

fn summary_follows(store: &dyn Store) {
    let run = run_key(1000, 1);
    store.append(&run, 0, &[started(1000, "site-check")]).unwrap();
    let summary = store.run(&run).unwrap();
    assert_eq!((summary.run, summary.status, summary.sequence), (run.run, RunStatus::Running, 1));
    assert_eq!((summary.workflow.as_str(), summary.document), ("site-check", Digest::of(b"site-check")));
    assert_eq!((summary.started_by.as_str(), summary.started_at), ("cli", Timestamp(1000)));
    assert_eq!((summary.finished_at, summary.failure), (None, None));
    store.append(&run, 1, &[step(1001, 1), cancel(1002)]).unwrap();
    let summary = store.run(&run).unwrap();
    assert_eq!((summary.status, summary.sequence), (RunStatus::Cancelling, 3));
    wait(store.durable(store.append(&run, 3, &[finished(1003, EndStatus::Failed)]).unwrap())).unwrap();
    let summary = store.run(&run).unwrap();
    assert_eq!((summary.status, summary.sequence), (RunStatus::Failed, 4));
    assert_eq!(summary.finished_at, Some(Timestamp(1003)));
    assert_eq!(summary.failure.as_ref().unwrap().failure.code, "timeout");
    assert_eq!(store.runs(&run.organisation, &query(1)).unwrap().items, [summary]);
}

fn unknown(store: &dyn Store) {
    assert!(matches!(store.run(&run_key(1000, 1)), Err(StoreError::NotFound(_))));
    assert_eq!(list(store, &query(10)), []);
    assert_eq!(store.unfinished().unwrap(), []);
}

fn newest_first(store: &dyn Store) {
    ten_runs(store);
    assert_eq!(list(store, &query(100)), numbered(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
    assert_eq!(store.runs(&"other".parse().unwrap(), &query(100)).unwrap().items, []);
}

fn ordered_by_start(store: &dyn Store) {
    // Ids of children and of scheduled runs are derived, not drawn.
    for (at, id) in [(1000, 9), (2000, 3), (3000, 7)] {
        store.append(&run_key(0, id), 0, &[started(at, "a")]).unwrap();
    }
    assert_eq!(list(store, &query(10)), [run_id(0, 7), run_id(0, 3), run_id(0, 9)]);
    let after = RunQuery { after: Some(run_id(0, 3)), ..query(10) };
    assert_eq!(list(store, &after), [run_id(0, 9)]);
}

fn pages(store: &dyn Store) {
    ten_runs(store);
    for size in [1, 3, 5, 9, 10, 11] {
        let mut all = Vec::new();
        let mut query = query(size);
        loop {
            let page = store.runs(&OrganisationId::local(), &query).unwrap();
            assert!(page.items.len() <= size);
            all.extend(page.items.iter().map(|run| run.run));
            if page.next.is_none() {
                break;
            }
            assert_eq!(page.items.len(), size);
            query.after = page.next;
        }
        assert_eq!(all, numbered(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), "in pages of {size}");
    }
    let nothing = store.runs(&OrganisationId::local(), &query(0)).unwrap();
    assert_eq!((nothing.items.len(), nothing.next), (0, None));
}

fn cursor_of_unknown_run(store: &dyn Store) {
    ten_runs(store);
    let after = RunQuery { after: Some(run_id(5500, 77)), ..query(3) };
    assert_eq!(list(store, &after), numbered(&[4, 3, 2]));
}

fn filters(store: &dyn Store) {
    ten_runs(store);
    let check = |query: RunQuery, expect: &[u64]| assert_eq!(list(store, &query), numbered(expect), "{query:?}");
    let of = |workflow: &str| RunQuery { workflow: workflow.parse().ok(), ..query(100) };
    let status = |status| RunQuery { status: Some(status), ..query(100) };
    check(of("a"), &[8, 6, 4, 2, 0]);
    check(of("b"), &[9, 7, 5, 3, 1]);
    check(of("c"), &[]);
    check(status(RunStatus::Succeeded), &[9, 6, 3, 0]);
    check(status(RunStatus::Failed), &[5]);
    check(status(RunStatus::Cancelled), &[]);
    check(RunQuery { status: Some(RunStatus::Succeeded), ..of("a") }, &[6, 0]);
    check(RunQuery { since: Some(Timestamp(8000)), ..query(100) }, &[9, 8, 7]);
    check(RunQuery { until: Some(Timestamp(3000)), ..query(100) }, &[1, 0]);
    check(RunQuery { since: Some(Timestamp(3001)), until: Some(Timestamp(6001)), ..query(100) }, &[5, 4, 3]);
    check(RunQuery { since: Some(Timestamp(3001)), until: Some(Timestamp(6001)), ..of("b") }, &[5, 3]);
    check(RunQuery { since: Some(Timestamp(6000)), until: Some(Timestamp(3000)), ..query(100) }, &[]);
    check(RunQuery { since: Some(Timestamp(u64::MAX)), ..query(100) }, &[]);
    let after = Some(run_id(7000, 6));
    check(RunQuery { after, ..query(2) }, &[5, 4]);
    check(RunQuery { after, ..of("a") }, &[4, 2, 0]);
    check(RunQuery { after, until: Some(Timestamp(4000)), ..of("a") }, &[2, 0]);
    check(RunQuery { after, until: Some(Timestamp(20_000)), since: Some(Timestamp(6000)), ..query(9) }, &[5]);
}

fn status_moves(store: &dyn Store) {
    let run = run_key(1000, 1);
    let lists = |expect: RunStatus| {
        use RunStatus::{Cancelled, Cancelling, Failed, Running, Succeeded};
        for status in [Running, Cancelling, Succeeded, Failed, Cancelled] {
            for workflow in [None, "a".parse().ok()] {
                let query = RunQuery { status: Some(status), workflow, ..query(10) };
                assert_eq!(list(store, &query).len(), usize::from(status == expect), "{query:?}");
            }
        }
    };
    store.append(&run, 0, &[started(1000, "a")]).unwrap();
    lists(RunStatus::Running);
    store.append(&run, 1, &[step(1000, 1)]).unwrap();
    lists(RunStatus::Running);
    store.append(&run, 2, &[cancel(1001)]).unwrap();
    lists(RunStatus::Cancelling);
    store.append(&run, 3, &[finished(1002, EndStatus::Cancelled)]).unwrap();
    lists(RunStatus::Cancelled);
}

fn unfinished(store: &dyn Store) {
    ten_runs(store);
    let theirs = RunKey { organisation: "acme".parse().unwrap(), run: run_id(4500, 1) };
    store.append(&theirs, 0, &[started(4500, "a")]).unwrap();
    store.append(&run_key(8000, 7), 1, &[cancel(9000)]).unwrap();
    let mut expect: Vec<_> = [1, 2, 4, 7, 8].map(|number| run_key(1000 * (number + 1), number)).into();
    expect.insert(2, theirs);
    assert_eq!(store.unfinished().unwrap(), expect);
    store.append(&run_key(8000, 7), 2, &[finished(9001, EndStatus::Cancelled)]).unwrap();
    expect.remove(4);
    assert_eq!(store.unfinished().unwrap(), expect);
}

fn workflows(store: &dyn Store) {
    let local = OrganisationId::local();
    assert_eq!(store.workflows(&local).unwrap(), []);
    // One that begins like another, and one that sorts behind its own keys.
    for (number, name) in ["b", "a", "a-b", "a0", "b", "a"].into_iter().enumerate() {
        store.append(&run_key(1000, number as u64), 0, &[started(1000, name)]).unwrap();
    }
    let theirs = RunKey { organisation: "acme".parse().unwrap(), run: run_id(1000, 1) };
    store.append(&theirs, 0, &[started(1000, "theirs")]).unwrap();
    let names = |names: Vec<windflow_core::id::WorkflowName>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(store.workflows(&local).unwrap()), ["a", "a-b", "a0", "b"]);
    assert_eq!(names(store.workflows(&theirs.organisation).unwrap()), ["theirs"]);
}
