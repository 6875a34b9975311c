//! What retention promises, whichever store it works on.

use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::retention::{Keep, Pruned, prune};
use windflow_core::ports::store::{RunQuery, Store};
use windflow_core::run::{EndStatus, Timestamp};

use super::Check;
use super::sample::{finished, run_id, run_key, started};

pub(super) const CHECKS: &[Check] = &[
    ("without limits everything is kept", nothing_set),
    ("what ended before a time goes", by_age),
    ("the newest runs stay", by_number),
    ("a run stays only where every limit keeps it", both),
    ("limits can be about one workflow", one_workflow),
    ("runs that have not ended stay, and count for nothing", unfinished),
    ("a large sweep is made in steps", steps),
    ("other organisations keep theirs", other_organisations),
];

/// Runs 0 to 19, a second apart: workflows a and b in turn, all ended after a tenth of a second, but 3 and 16.
fn twenty(store: &dyn Store) {
    for number in 0..20 {
        let at = 1000 * (number + 1);
        let name = if number % 2 == 0 { "a" } else { "b" };
        store.append(&run_key(at, number), 0, &[started(at, name)]).unwrap();
        if number != 3 && number != 16 {
            let status = [EndStatus::Succeeded, EndStatus::Failed, EndStatus::Cancelled][number as usize % 3];
            store.append(&run_key(at, number), 1, &[finished(at + 100, status)]).unwrap();
        }
    }
}

fn left(store: &dyn Store) -> Vec<u64> {
    let query = RunQuery { limit: 100, ..RunQuery::default() };
    let page = store.runs(&OrganisationId::local(), &query).unwrap();
    page.items.iter().map(|run| run.started_at.0 / 1000 - 1).rev().collect()
}

fn sweep(store: &dyn Store, keep: &Keep) -> Pruned {
    prune(store, &OrganisationId::local(), keep, 1000).unwrap()
}

fn nothing_set(store: &dyn Store) {
    twenty(store);
    assert_eq!(sweep(store, &Keep::default()), Pruned::default());
    assert_eq!(left(store).len(), 20);
}

fn by_age(store: &dyn Store) {
    twenty(store);
    // 7 started before this and ended after it; 6 ended right then.
    let keep = Keep { ended_since: Some(Timestamp(8050)), ..Keep::default() };
    assert_eq!(sweep(store, &keep).deleted, 6);
    assert_eq!(left(store), [3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    let keep = Keep { ended_since: Some(Timestamp(8100)), ..Keep::default() };
    assert_eq!(sweep(store, &keep).deleted, 0);
    let keep = Keep { ended_since: Some(Timestamp(u64::MAX)), ..Keep::default() };
    sweep(store, &keep);
    assert_eq!(left(store), [3, 16]);
}

fn by_number(store: &dyn Store) {
    twenty(store);
    let pruned = sweep(store, &Keep { newest: Some(5), ..Keep::default() });
    assert_eq!((pruned.deleted, pruned.more), (13, false));
    assert!(pruned.position.is_some());
    assert_eq!(left(store), [3, 14, 15, 16, 17, 18, 19]);
    assert_eq!(sweep(store, &Keep { newest: Some(5), ..Keep::default() }), Pruned::default());
    sweep(store, &Keep { newest: Some(0), ..Keep::default() });
    assert_eq!(left(store), [3, 16]);
}

fn both(store: &dyn Store) {
    twenty(store);
    sweep(store, &Keep { newest: Some(5), ended_since: Some(Timestamp(19_000)), ..Keep::default() });
    assert_eq!(left(store), [3, 16, 18, 19]);
    twenty_more(store);
}

/// The same limits again, where the number is the stricter one.
fn twenty_more(store: &dyn Store) {
    sweep(store, &Keep { newest: Some(1), ended_since: Some(Timestamp(0)), ..Keep::default() });
    assert_eq!(left(store), [3, 16, 19]);
}

fn one_workflow(store: &dyn Store) {
    twenty(store);
    sweep(store, &Keep { workflow: "a".parse().ok(), newest: Some(2), ..Keep::default() });
    assert_eq!(left(store), [1, 3, 5, 7, 9, 11, 13, 14, 15, 16, 17, 18, 19]);
    sweep(store, &Keep { workflow: "b".parse().ok(), ended_since: Some(Timestamp(16_000)), ..Keep::default() });
    assert_eq!(left(store), [3, 14, 15, 16, 17, 18, 19]);
    assert_eq!(sweep(store, &Keep { workflow: "c".parse().ok(), newest: Some(0), ..Keep::default() }).deleted, 0);
}

fn unfinished(store: &dyn Store) {
    for number in 0..5 {
        store.append(&run_key(1000 + number, number), 0, &[started(1000 + number, "a")]).unwrap();
    }
    let everything = Keep { newest: Some(0), ended_since: Some(Timestamp(u64::MAX)), ..Keep::default() };
    assert_eq!(sweep(store, &everything).deleted, 0);
    assert_eq!(store.unfinished().unwrap().len(), 5);
}

fn steps(store: &dyn Store) {
    twenty(store);
    let keep = Keep { newest: Some(2), ..Keep::default() };
    let local = OrganisationId::local();
    assert!(matches!(prune(store, &local, &keep, 0).unwrap(), Pruned { deleted: 0, more: true, .. }));
    for expect in [(6, true), (6, true), (4, false), (0, false)] {
        let pruned = prune(store, &local, &keep, 6).unwrap();
        assert_eq!((pruned.deleted, pruned.more), expect);
    }
    assert_eq!(left(store), [3, 16, 18, 19]);
}

fn other_organisations(store: &dyn Store) {
    twenty(store);
    let theirs = RunKey { organisation: "acme".parse().unwrap(), run: run_id(1000, 1) };
    store.append(&theirs, 0, &[started(1000, "a"), finished(1001, EndStatus::Succeeded)]).unwrap();
    sweep(store, &Keep { newest: Some(0), ..Keep::default() });
    assert_eq!(store.run(&theirs).unwrap().sequence, 2);
}
