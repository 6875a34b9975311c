//! Two stores do the same things and must say the same.

use windflow_core::id::{Digest, OrganisationId, RunId, RunKey};
use windflow_core::ports::retention::{Keep, prune};
use windflow_core::ports::store::{Position, RunQuery, RunStatus, Store, StoreError};
use windflow_core::run::{EndStatus, Timestamp};

use super::sample::{Random, cancel, finished, run_id, started_with, step, succeeded};
use super::wait;

/// Does one random thing with both stores and compares what they say.
///
/// # Panics
/// Where they differ.
pub fn step_both(random: &mut Random, at: u64, one: &dyn Store, two: &dyn Store) {
    let run = any_run(random);
    match random.below(13) {
        0..5 => append(random, at, &run, one, two),
        5 => {
            let (after, limit) = (random.below(12), random.below(20) as usize);
            assert_eq!(one.read(&run, after, limit), two.read(&run, after, limit), "read of {run:?}");
        }
        6 => assert_eq!(one.run(&run), two.run(&run), "summary of {run:?}"),
        7 => {
            let query = any_query(random);
            assert_eq!(one.runs(&run.organisation, &query), two.runs(&run.organisation, &query), "{query:?}");
        }
        8 => {
            let content = content(random);
            let digest = one.put_blob(&run.organisation, &content).unwrap();
            assert_eq!(two.put_blob(&run.organisation, &content), Ok(digest));
            assert_eq!(two.blob(&run.organisation, &digest).unwrap(), content);
        }
        9 | 10 => {
            let (first, second) = (one.delete(&run), two.delete(&run));
            assert_eq!(positionless(&first), positionless(&second), "deletion of {run:?}");
        }
        11 => {
            let mut rarely = |end: u64| (random.below(3) == 0).then(|| random.below(end));
            let workflow = rarely(4).and_then(|number| ["a", "b", "c", "d"][number as usize].parse().ok());
            let (ended_since, newest) = (rarely(at).map(Timestamp), rarely(40).map(|number| number as usize));
            let (keep, most) = (Keep { workflow, ended_since, newest }, random.below(10) as usize);
            let pruned = |store| prune(store, &run.organisation, &keep, most).map(|done| (done.deleted, done.more));
            assert_eq!(pruned(one), pruned(two), "{keep:?}");
        }
        _ => assert_eq!(one.unfinished(), two.unfinished()),
    }
}

/// Compares all that can be read.
///
/// # Panics
/// Where the stores differ.
pub fn same(one: &dyn Store, two: &dyn Store) {
    assert_eq!(one.unfinished(), two.unfinished());
    for organisation in organisations() {
        assert_eq!(one.workflows(&organisation), two.workflows(&organisation));
        for number in 0..CONTENTS {
            let digest = Digest::of(&numbered_content(number));
            let kept = |store: &dyn Store| store.blob(&organisation, &digest).map(|content| content.len());
            assert_eq!(kept(one), kept(two), "content {number}");
        }
        let query = RunQuery { limit: 1000, ..RunQuery::default() };
        let runs = one.runs(&organisation, &query).unwrap();
        assert_eq!(Ok(&runs), two.runs(&organisation, &query).as_ref());
        for summary in runs.items {
            let run = RunKey { organisation: organisation.clone(), run: summary.run };
            assert_eq!(one.read(&run, 0, usize::MAX), two.read(&run, 0, usize::MAX));
        }
    }
}

fn append(random: &mut Random, at: u64, run: &RunKey, one: &dyn Store, two: &dyn Store) {
    let end = one.run(run).map_or(0, |summary| summary.sequence);
    let expected = if random.below(8) == 0 { random.below(10) } else { end };
    let mut records = Vec::new();
    if end == 0 {
        let document = mention(random, run, one, two);
        records.push(started_with(at, ["a", "b", "c"][random.below(3) as usize], document));
    }
    for number in 0..random.below(4) {
        records.push(match random.below(12) {
            0 => cancel(at),
            1 => {
                finished(at, [EndStatus::Succeeded, EndStatus::Failed, EndStatus::Cancelled][random.below(3) as usize])
            }
            2 => {
                let digest = mention(random, run, one, two).to_string();
                succeeded(at, serde_json::json!({ "large": digest }).into())
            }
            3 => succeeded(at, serde_json::Value::from("x".repeat(random.below(30_000) as usize)).into()),
            // Large enough to be kept beside the journal, and few of them, so that runs share them.
            4 => succeeded(at, serde_json::Value::from("y".repeat(70_000 + random.below(3) as usize)).into()),
            _ => step(at, number),
        });
    }
    let (first, second) = (one.append(run, expected, &records), two.append(run, expected, &records));
    assert_eq!(positionless(&first), positionless(&second), "append to {run:?}");
    if let (Ok(first), Ok(second), 0) = (first, second, random.below(3)) {
        assert_eq!(wait(one.durable(first)), wait(two.durable(second)));
    }
}

/// Something to mention, which is kept first.
fn mention(random: &mut Random, run: &RunKey, one: &dyn Store, two: &dyn Store) -> Digest {
    let content = content(random);
    two.put_blob(&run.organisation, &content).unwrap();
    one.put_blob(&run.organisation, &content).unwrap()
}

fn positionless(done: &Result<Position, StoreError>) -> Result<(), StoreError> {
    done.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// Few contents, so that many runs mention the same.
const CONTENTS: u64 = 12;

fn content(random: &mut Random) -> Vec<u8> {
    numbered_content(random.below(CONTENTS))
}

fn numbered_content(number: u64) -> Vec<u8> {
    vec![number as u8; 1700 * number as usize]
}

fn organisations() -> [OrganisationId; 2] {
    [OrganisationId::local(), "acme".parse().unwrap()]
}

fn any_id(random: &mut Random) -> RunId {
    let number = random.below(60);
    run_id(1000 + number / 3, number)
}

fn any_run(random: &mut Random) -> RunKey {
    let organisation = organisations()[random.below(2) as usize].clone();
    RunKey { organisation, run: any_id(random) }
}

fn any_query(random: &mut Random) -> RunQuery {
    use RunStatus::{Cancelled, Cancelling, Failed, Running, Succeeded};
    let mut rarely = |end: u64| (random.below(3) == 0).then(|| random.below(end));
    let status = rarely(5).map(|number| [Running, Cancelling, Succeeded, Failed, Cancelled][number as usize]);
    let workflow = rarely(4).and_then(|number| ["a", "b", "c", "d"][number as usize].parse().ok());
    let (since, until) = (rarely(3000).map(Timestamp), rarely(3000).map(Timestamp));
    let after = rarely(2).map(|_| any_id(random));
    RunQuery { workflow, status, since, until, after, limit: random.below(30) as usize }
}
