//! Schedules of the real server, by its real clock. What they decide is tested with `windflow-triggers`.

use std::time::Duration;

use serde_json::{Value, json};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Expected;
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{Client, Served, eventually, scripted, serve};

fn scheduled(with: &str) -> String {
    format!(
        "windflow: 1\nname: tick\ninputs:\n  at: {{ type: string }}\ntriggers:\n  clock:\n    uses: cron\n    with: {{ {with} }}\n    \
         inputs: {{ at: \"${{{{ trigger.scheduled_at }}}}\" }}\nnodes:\n  slow: {{ uses: effect@1 }}\n"
    )
}

async fn enable(client: &Client, with: &str) {
    client.create(&scheduled(with)).await;
    client.post("/api/v1/workflows/tick/enable", &json!({})).await.expect(200);
}

/// The instants of all runs, the first one first.
async fn instants(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for run in client.get("/api/v1/runs?limit=500").await.expect(200)["items"].as_array().unwrap() {
        let run = client.get(&format!("/api/v1/runs/{}", run["run"].as_str().unwrap())).await.expect(200);
        assert_eq!(run["started_by"], "cron:clock");
        all.push(run["inputs"]["at"].as_str().unwrap().to_owned());
    }
    all.sort();
    all
}

async fn trigger(client: &Client) -> Value {
    client.get("/api/v1/workflows/tick/triggers").await.expect(200)[0].clone()
}

/// Sets back what the schedule remembers, as if nobody had watched for a while.
async fn sleep_through(served: &Served, seconds: u64) {
    let records = served.records.as_ref().unwrap();
    let stored = records.get(&OrganisationId::local(), "cron/tick/clock").unwrap().unwrap();
    let mut state: Value = serde_json::from_slice(&stored.value).unwrap();
    state["last"] = json!(state["last"].as_u64().unwrap() - seconds * 1000);
    let value = serde_json::to_vec(&state).unwrap();
    records.put(&OrganisationId::local(), "cron/tick/clock", Expected::Any, value).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instant_starts_one_run_while_it_is_enabled() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, "schedule: \"* * * * * *\", timezone: Europe/Paris, overlap: allow").await;
    eventually(async || instants(&operator).await.len() >= 3).await;
    let told = trigger(&operator).await;
    assert_eq!((&told["timezone"], told["next"].as_array().unwrap().len()), (&json!("Europe/Paris"), 5));
    operator.post("/api/v1/workflows/tick/disable", &json!({})).await.expect(200);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let fired = instants(&operator).await;
    let mut once = fired.clone();
    once.dedup();
    assert_eq!(fired, once, "an instant fired twice");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(instants(&operator).await, fired, "a schedule fired while it was disabled");
    assert_eq!(trigger(&operator).await["next"], Value::Null);
    // Enabled again it does not make up for the time in between.
    operator.post("/api/v1/workflows/tick/enable", &json!({})).await.expect(200);
    eventually(async || instants(&operator).await.len() > fired.len()).await;
    assert_eq!(trigger(&operator).await["missed"], 0);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_run_and_what_is_remembered_fires_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, "schedule: \"* * * * * *\", overlap: allow, catch_up: all").await;
    eventually(async || instants(&operator).await.len() >= 3).await;
    operator.get("/readyz").await;
    // What it remembers is as old as if the process had been killed before it could write.
    sleep_through(&served, 3).await;
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    let before = instants(&operator).await.len();
    eventually(async || instants(&operator).await.len() >= before + 2).await;
    let fired = instants(&operator).await;
    let mut once = fired.clone();
    once.dedup();
    assert_eq!(fired, once, "an instant fired twice");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_slept_through_is_told_or_caught_up() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, "schedule: \"0 * * * *\", catch_up: latest").await;
    eventually(async || trigger(&operator).await["last"].is_u64()).await;
    sleep_through(&served, 3 * 3600).await;
    served.abandon().await;
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    eventually(async || instants(&operator).await.len() == 1).await;
    assert_eq!(trigger(&operator).await["missed"], 2);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_that_overlaps_is_left_out_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, "schedule: \"* * * * * *\"").await;
    eventually(async || trigger(&operator).await["skipped"].as_u64().unwrap() >= 2).await;
    assert_eq!(instants(&operator).await.len(), 1);
    // Once the run has ended, the next instant starts one.
    let run = trigger(&operator).await["last_run"].as_str().unwrap().to_owned();
    operator.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect(202);
    eventually(async || instants(&operator).await.len() == 2).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_cannot_start_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let text = scheduled("schedule: \"* * * * * *\"").replace("type: string", "type: integer");
    operator.create(&text).await;
    operator.post("/api/v1/workflows/tick/enable", &json!({})).await.expect(200);
    eventually(async || trigger(&operator).await["error"].as_str().is_some_and(|why| why.contains("`at`"))).await;
    // By its code the editor has words for it in the language of the page.
    assert_eq!(trigger(&operator).await["error_code"], "invalid_input");
    assert_eq!(operator.get("/api/v1/runs").await.expect(200)["items"], json!([]));
    served.stop().await;
}
