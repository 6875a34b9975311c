//! Two stores do the same things and must say the same.

use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::store::{Position, RunQuery, RunStatus, Store};
use windflow_core::run::{EndStatus, Timestamp};

use super::sample::{Random, cancel, finished, run_id, started, step, succeeded};
use super::wait;

/// Does one random thing with both stores and compares what they say.
///
/// # Panics
/// Where they differ.
pub fn step_both(random: &mut Random, at: u64, one: &dyn Store, two: &dyn Store) {
    let run = any_run(random);
    match random.below(10) {
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
            let content = vec![random.below(4) as u8; random.below(20_000) as usize];
            let digest = one.put_blob(&run.organisation, &content).unwrap();
            assert_eq!(two.put_blob(&run.organisation, &content), Ok(digest));
            assert_eq!(two.blob(&run.organisation, &digest).unwrap(), content);
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
        records.push(started(at, ["a", "b", "c"][random.below(3) as usize]));
    }
    for number in 0..random.below(4) {
        records.push(match random.below(12) {
            0 => cancel(at),
            1 => {
                finished(at, [EndStatus::Succeeded, EndStatus::Failed, EndStatus::Cancelled][random.below(3) as usize])
            }
            2 => succeeded(at, serde_json::Value::from("x".repeat(random.below(30_000) as usize)).into()),
            _ => step(at, number),
        });
    }
    let (first, second) = (one.append(run, expected, &records), two.append(run, expected, &records));
    let positionless = |done: &Result<Position, _>| done.as_ref().map(|_| ()).map_err(Clone::clone);
    assert_eq!(positionless(&first), positionless(&second), "append to {run:?}");
    if let (Ok(first), Ok(second), 0) = (first, second, random.below(3)) {
        assert_eq!(wait(one.durable(first)), wait(two.durable(second)));
    }
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
