//! How many runs of a workflow go on at the same time, and what becomes of one more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::store::{Blobs, Journal, ReadModel};
use windflow_core::run::Event;
use windflow_runtime::{Config, Runtime, Start, StartError};
use windflow_store::MemoryStore;
use windflow_testkit::clock::PausedClock;
use windflow_testkit::host::ScriptedHost;

struct World {
    store: Arc<MemoryStore>,
    runtime: Runtime,
}

fn world(max_runs: usize) -> World {
    let store = Arc::new(MemoryStore::default());
    let config = Config { max_runs, ..Config::new(tokio::runtime::Handle::current()) };
    let host = Arc::new(ScriptedHost::default());
    let runtime = Runtime::new(store.clone(), host, Arc::new(PausedClock::new(3)), config);
    World { store, runtime }
}

/// Each run takes ten minutes.
fn document(concurrency: &str) -> String {
    format!(
        "windflow: 1\nname: slow\ninputs: {{ shop: {{ type: string, default: north }} }}\nconcurrency: {concurrency}\n\
         nodes:\n  rest: {{ uses: wait@1, with: {{ for: 10m }} }}\n"
    )
}

impl World {
    fn start(&self, concurrency: &str, shop: &str) -> Result<RunKey, StartError> {
        let start = Start {
            organisation: OrganisationId::local(),
            document: document(concurrency),
            inputs: json!({ "shop": shop }).as_object().unwrap().clone(),
            extra_grants: Default::default(),
            started_by: "test".into(),
            children: Default::default(),
            pinned: std::collections::BTreeMap::new(),
            trace: None,
        };
        self.runtime.start(start).map(|started| key(started.run))
    }

    async fn status(&self, run: &RunKey) -> String {
        self.runtime.wait(run).await.unwrap().status.to_string()
    }
}

fn key(run: RunId) -> RunKey {
    RunKey { organisation: OrganisationId::local(), run }
}

async fn minutes(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn one_more_waits_for_its_turn_and_other_keys_do_not_count() {
    let world = world(100);
    let concurrency = "{ limit: 1, key: \"${{ inputs.shop }}\" }";
    let first = world.start(concurrency, "north").unwrap();
    let second = world.start(concurrency, "north").unwrap();
    let other = world.start(concurrency, "south").unwrap();
    minutes(9).await;
    assert!(world.runtime.is_queued(&second) && !world.runtime.is_queued(&other));
    assert_eq!(world.store.read(&second, 0, 10).unwrap().len(), 1, "nothing of it but its beginning");
    assert_eq!([world.status(&first).await, world.status(&other).await], ["succeeded", "succeeded"]);
    minutes(1).await;
    assert!(!world.runtime.is_queued(&second));
    assert_eq!(world.status(&second).await, "succeeded");
}

#[tokio::test(start_paused = true)]
async fn one_more_is_not_started_where_it_is_to_be_skipped() {
    let world = world(100);
    let first = world.start("{ limit: 1, on_limit: skip }", "").unwrap();
    let refused = world.start("{ limit: 1, on_limit: skip }", "").unwrap_err();
    assert!(matches!(refused, StartError::AtLimit { limit: 1, .. }), "{refused}");
    assert_eq!(world.store.unfinished().unwrap(), std::slice::from_ref(&first), "nothing was begun");
    world.status(&first).await;
    tokio::task::yield_now().await;
    assert!(world.start("{ limit: 1, on_limit: skip }", "").is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_newest_takes_the_place_of_the_oldest() {
    let world = world(100);
    let concurrency = "{ limit: 1, on_limit: cancel_oldest }";
    let runs: Vec<_> = (0..3).map(|_| world.start(concurrency, "").unwrap()).collect();
    let ends = [world.status(&runs[0]).await, world.status(&runs[1]).await, world.status(&runs[2]).await];
    assert_eq!(ends, ["cancelled", "cancelled", "succeeded"]);
    let attempts = |run: &RunKey| {
        let records = world.store.read(run, 0, 100).unwrap();
        records.iter().filter(|(_, record)| matches!(record.event, Event::AttemptStarted { .. })).count()
    };
    assert_eq!(attempts(&runs[1]), 0, "it was in the way before it began");
}

#[tokio::test(start_paused = true)]
async fn a_run_in_line_can_be_cancelled() {
    let world = world(100);
    let first = world.start("1", "").unwrap();
    let second = world.start("1", "").unwrap();
    tokio::task::yield_now().await;
    world.runtime.cancel(&second, "test").unwrap();
    assert_eq!(world.status(&second).await, "cancelled");
    assert_eq!(world.status(&first).await, "succeeded");
}

#[tokio::test(start_paused = true)]
async fn the_line_is_the_same_after_a_crash() {
    let before = world(100);
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(before.start("1", "").unwrap());
        minutes(1).await;
    }

    let after = world(100);
    after.store.put_blob(&OrganisationId::local(), document("1").as_bytes()).unwrap();
    for run in &runs {
        let records: Vec<_> = before.store.read(run, 0, 100).unwrap().into_iter().map(|(_, record)| record).collect();
        after.store.append(run, 0, &records).unwrap();
    }
    for run in after.store.unfinished().unwrap() {
        after.runtime.resume(&run).unwrap();
    }
    assert_eq!(runs.iter().map(|run| after.runtime.is_queued(run)).collect::<Vec<_>>(), [false, true, true]);
    for run in &runs {
        assert_eq!(after.status(run).await, "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_takes_up_so_many_runs_and_no_more() {
    let world = world(2);
    let first = world.start("5", "").unwrap();
    world.start("5", "").unwrap();
    assert!(matches!(world.start("5", "").unwrap_err(), StartError::Overloaded(2)));
    world.status(&first).await;
    assert!(world.start("5", "").is_ok());
}
