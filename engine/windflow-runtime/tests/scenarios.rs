//! The start, skip, join, failure and retry rules: a table of folders, each a workflow and what becomes of it. Adding a rule
//! is adding a folder. Every scenario of one run is also crashed after each of its events and must end the same; those of several runs, of crashes and
//! of time that passes are lists of steps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::store::{Blobs, Journal};
use windflow_core::run::Event;
use windflow_core::yaml;
use windflow_runtime::{Answer, AnswerError, Config, Happened, Reply, RunReport, Runtime, Start};
use windflow_store::MemoryStore;
use windflow_testkit::clock::PausedClock;
use windflow_testkit::host::{Made, Outcome, ScriptedHost};

#[path = "support/page.rs"]
mod page;
#[path = "support/steps.rs"]
mod steps;

struct Scenario {
    name: String,
    document: String,
    expect: Value,
}

fn value(node: &yaml::Node) -> Value {
    node.to_json()
}

fn folders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn scenarios() -> Vec<Scenario> {
    let mut found: Vec<Scenario> = folders()
        .into_iter()
        .filter(|path| !path.join("steps.yaml").exists())
        .map(|path| {
            let read = |file: &str| std::fs::read_to_string(path.join(file)).unwrap();
            let (expect, problems) = yaml::parse(&read("expect.yaml"), yaml::Limits::default());
            assert!(problems.is_empty(), "{}: {problems:?}", path.display());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Scenario { name, document: read("workflow.yaml"), expect: value(&expect.unwrap()) }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() >= 20, "the table of scenarios is gone");
    found
}

#[test]
fn the_page_of_semantics_names_every_scenario_and_no_other() {
    page::check();
}

#[test]
fn every_scenario_of_several_steps_goes_as_its_folder_says() {
    let folders: Vec<_> = folders().into_iter().filter(|path| path.join("steps.yaml").exists()).collect();
    assert!(folders.len() >= 20, "the scenarios of several steps are gone");
    // All that go otherwise are told, each by its own panic.
    let wrong = folders.iter().filter(|folder| {
        let play = || steps::play(&folder.file_name().unwrap().to_string_lossy(), folder);
        std::panic::catch_unwind(play).is_err()
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "these go otherwise: {wrong:?}");
}

fn script(expect: &Value) -> HashMap<String, Vec<Outcome>> {
    let nodes = expect["script"].as_object().cloned().unwrap_or_default();
    let outcome = |value: &Value| steps::outcome(value.as_str().unwrap());
    nodes
        .into_iter()
        .map(|(node, outcomes)| (node, outcomes.as_array().unwrap().iter().map(outcome).collect()))
        .collect()
}

struct World {
    store: Arc<MemoryStore>,
    host: Arc<ScriptedHost>,
    runtime: Runtime,
}

fn world(scenario: &Scenario) -> World {
    let store = Arc::new(MemoryStore::default());
    let host = Arc::new(ScriptedHost::new(script(&scenario.expect)).taking(Duration::from_millis(10)));
    let clock = Arc::new(PausedClock::new(7));
    let runtime = Runtime::new(store.clone(), host.clone(), clock, Config::new(tokio::runtime::Handle::current()));
    World { store, host, runtime }
}

fn start(scenario: &Scenario) -> Start {
    Start {
        organisation: OrganisationId::local(),
        document: scenario.document.clone(),
        inputs: Map::new(),
        extra_grants: Default::default(),
        started_by: "test".into(),
        children: Default::default(),
        pinned: std::collections::BTreeMap::new(),
        trace: None,
    }
}

async fn finish(world: &World, scenario: &Scenario, key: &RunKey) -> Arc<RunReport> {
    if let Some(after) = scenario.expect["cancel_after_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(after)).await;
        // After a crash late in the scenario the run may have ended already.
        let _ = world.runtime.cancel(key, "test");
    }
    for answer in scenario.expect["answers"].as_array().into_iter().flatten() {
        match answer["event"].as_str() {
            Some(event) => happen(world, key, event, answer).await,
            None => give(world, key, answer).await,
        }
    }
    world.runtime.wait(key).await.unwrap()
}

/// Answers as soon as the node asks, unless it was answered before a crash.
async fn give(world: &World, key: &RunKey, given: &Value) {
    let reply = match given.get("approve") {
        Some(approved) => Reply::Decision {
            approved: approved.as_bool().unwrap(),
            by: "ada".into(),
            comment: None,
            data: given.get("data").cloned(),
        },
        None => Reply::Data(given["data"].clone()),
    };
    let node = given["node"].as_str().unwrap().parse().unwrap();
    let item = given["item"].as_u64().and_then(|item| u32::try_from(item).ok());
    let answer = Answer { node, item, token: None, reply };
    for _ in 0..1000 {
        match world.runtime.answer(key, answer.clone()).await {
            Err(AnswerError::NotAsked { status: "pending" | "ready" | "running" | "retrying", .. }) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(_) | Err(AnswerError::NotAsked { .. } | AnswerError::Resume(_)) => return,
            Err(AnswerError::Invalid { .. }) if given["refused"] == Value::Bool(true) => return,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("nobody asks for {given}");
}

/// An event happens once the run waits for one, unless that was answered before a crash. With `passes`, nobody takes it for an answer.
async fn happen(world: &World, key: &RunKey, name: &str, given: &Value) {
    let organisation = &key.organisation;
    for _ in 0..1000 {
        if world.runtime.report(key).unwrap().status != "running" {
            return;
        }
        if world.runtime.awaits(organisation, "order.paid") {
            let happened = Happened { organisation, name, data: &given["data"], before: None };
            let answered = world.runtime.happened(happened).await;
            let taken = answered.iter().filter(|one| one.taken.is_ok()).count();
            let expected = given["answered"].as_u64().unwrap();
            assert_eq!(taken as u64, expected, "{name}: {answered:?}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for {name}");
}

/// What must be the same with and without a crash.
fn check_end(scenario: &Scenario, report: &RunReport) {
    let Scenario { name, expect, .. } = scenario;
    assert_eq!(report.status, expect["status"].as_str().unwrap(), "{name}: status; {:?}", report.error);
    for (node, status) in expect["nodes"].as_object().unwrap() {
        assert_eq!(
            report.nodes[node.as_str()].status,
            status.as_str().unwrap(),
            "{name}: {node}; {:?}",
            report.nodes[node.as_str()]
        );
    }
    assert_eq!(
        report.nodes.len(),
        expect["nodes"].as_object().unwrap().len(),
        "{name}: every node is expected something of"
    );
    if let Some(failed) = expect["failed"].as_str() {
        assert_eq!(report.error.as_ref().unwrap().node.as_ref().unwrap().as_str(), failed, "{name}: why it failed");
    }
    if let Some(outputs) = expect["outputs"].as_object() {
        assert_eq!(report.outputs.as_ref().unwrap().value(), &Value::Object(outputs.clone()), "{name}: outputs");
    }
    if let Some(uncompensated) = expect["uncompensated"].as_array() {
        let found: Vec<_> = report.uncompensated.iter().map(|node| Value::from(node.as_str())).collect();
        assert_eq!(&found, uncompensated, "{name}: what could not be undone");
    }
    if let Some(code) = expect["code"].as_str() {
        assert_eq!(report.error.as_ref().unwrap().failure.code, code, "{name}: why it failed");
    }
    for (node, output) in expect["node_outputs"].as_object().into_iter().flatten() {
        let found = report.nodes[node.as_str()].output.as_ref().map(windflow_core::json::Json::value);
        assert_eq!(found, Some(output), "{name}: output of {node}");
    }
    for (node, attempts) in expect["attempts"].as_object().into_iter().flatten() {
        assert_eq!(
            u64::from(report.nodes[node.as_str()].attempts),
            attempts.as_u64().unwrap(),
            "{name}: attempts of {node}"
        );
    }
}

fn check_made(scenario: &Scenario, made: &[Made]) {
    let Scenario { name, expect, .. } = scenario;
    if let Some(order) = expect["order"].as_array() {
        let made: Vec<_> = made.iter().map(|made| Value::from(made.node.as_str())).collect();
        assert_eq!(&made, order, "{name}: order");
    }
    if let Some(count) = expect["made"].as_u64() {
        assert_eq!(made.len() as u64, count, "{name}: attempts that reached the host");
    }
    if expect["one_key"] == Value::Bool(true) {
        let keys: std::collections::HashSet<_> =
            made.iter().filter(|one| one.node == made[0].node).map(|one| &one.key).collect();
        assert_eq!(keys.len(), 1, "{name}: one key for all attempts");
    }
}

#[tokio::test(start_paused = true)]
async fn every_scenario_ends_as_its_folder_says() {
    for scenario in scenarios() {
        let world = world(&scenario);
        let started =
            world.runtime.start(start(&scenario)).unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        let key = RunKey { organisation: OrganisationId::local(), run: started.run };
        let report = finish(&world, &scenario, &key).await;
        check_end(&scenario, &report);
        check_made(&scenario, &world.host.made());
        let replayed = world.runtime.report(&key).unwrap();
        assert_eq!(
            serde_json::to_value(&replayed).unwrap(),
            serde_json::to_value(&*report).unwrap(),
            "{}: replay",
            scenario.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_scenario_ends_the_same_after_a_crash_at_any_event() {
    for scenario in scenarios() {
        let whole = world(&scenario);
        let started = whole.runtime.start(start(&scenario)).unwrap();
        let key = RunKey { organisation: OrganisationId::local(), run: started.run };
        finish(&whole, &scenario, &key).await;
        let journal: Vec<_> =
            whole.store.read(&key, 0, 10_000).unwrap().into_iter().map(|(_, record)| record).collect();
        let keys: HashMap<_, _> =
            whole.host.made().into_iter().map(|made| ((made.node, made.item), made.key)).collect();

        for survived in 1..journal.len() {
            let recovered = world(&scenario);
            recovered.store.put_blob(&key.organisation, scenario.document.as_bytes()).unwrap();
            recovered.store.append(&key, 0, &journal[..survived]).unwrap();
            recovered.runtime.resume(&key).unwrap();
            let report = finish(&recovered, &scenario, &key).await;
            check_end(&scenario, &report);
            for made in recovered.host.made() {
                let known = keys.get(&(made.node, made.item));
                assert!(known.is_none_or(|key| *key == made.key), "{}: the key survives", scenario.name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_is_journalled_before_it_is_made_and_pure_nodes_are_not() {
    let document = "windflow: 1\nname: mixed\nnodes:\n  a: { uses: pure@1 }\n  b: { uses: effect@1, needs: [a] }\n";
    let scenario = Scenario { name: "mixed".into(), document: document.into(), expect: Value::Null };
    let world = world(&scenario);
    let started = world.runtime.start(start(&scenario)).unwrap();
    let key = RunKey { organisation: OrganisationId::local(), run: started.run };
    world.runtime.wait(&key).await.unwrap();
    let events = world.store.read(&key, 0, 100).unwrap();
    let begun: Vec<_> = events
        .iter()
        .filter_map(|(_, record)| match &record.event {
            Event::AttemptStarted { node, .. } => Some(node.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(begun, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_repeated_where_that_is_forbidden() {
    let document =
        "windflow: 1\nname: once\nnodes:\n  pay: { uses: effect@1, on_unknown: fail, retry: { attempts: 3 } }\n";
    let scenario = Scenario { name: "once".into(), document: document.into(), expect: Value::Null };
    let first = world(&scenario);
    let started = first.runtime.start(start(&scenario)).unwrap();
    let key = RunKey { organisation: OrganisationId::local(), run: started.run };
    first.runtime.wait(&key).await.unwrap();
    let journal: Vec<_> = first.store.read(&key, 0, 100).unwrap().into_iter().map(|(_, record)| record).collect();
    let begun = journal.iter().position(|record| matches!(record.event, Event::AttemptStarted { .. })).unwrap();

    let second = world(&scenario);
    second.store.put_blob(&key.organisation, document.as_bytes()).unwrap();
    second.store.append(&key, 0, &journal[..=begun]).unwrap();
    second.runtime.resume(&key).unwrap();
    let report = second.runtime.wait(&key).await.unwrap();
    assert_eq!(report.status, "failed");
    assert_eq!(report.nodes["pay"].error.as_ref().unwrap().code, "outcome_unknown");
    assert!(second.host.made().is_empty());
}
