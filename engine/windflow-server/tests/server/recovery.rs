//! Starts after processes that ended by themselves.

use serde_json::json;
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Expected;
use windflow_server::Role;

use crate::support::{real_host, scripted, serve};

const WAITS: &str = "windflow: 1\nname: waits\nnodes:\n  ask: { uses: approval@1, with: { message: Go on? } }\n  then: { uses: effect@1, needs: [ask.approved] }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_at_which_a_process_ended_is_left_alone_until_somebody_resumes_it() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.person("local", Role::Admin).await;
    ada.create(WAITS).await;
    let (bad, good) = (ada.start("waits", json!({})).await, ada.start("waits", json!({})).await);
    // What a process leaves that ended while it took up this very run alone.
    let course = json!({ "unsteady": 4, "alone": { "organisation": "local", "run": bad } });
    let records = served.records.clone().unwrap();
    let installation = OrganisationId::installation();
    let changed = records.put(&installation, "recovery", Expected::Any, serde_json::to_vec(&course).unwrap()).unwrap();
    records.durable(changed.position).await.unwrap();
    drop(records);
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.signed_in("admin@local.example").await;
    let run = ada.get(&format!("/api/v1/runs/{bad}")).await.expect(200).clone();
    assert_eq!(run["status"], "running");
    assert!(run["stalled"]["reason"].as_str().unwrap().contains("resume it"), "{run}");
    assert_eq!(ada.get(&format!("/api/v1/runs/{good}")).await.expect(200)["stalled"], json!(null));
    let metrics = ada.get("/metrics").await.expect(200).as_str().unwrap().to_owned();
    assert!(metrics.contains("windflow_runs_stalled 1"), "{metrics}");
    served.abandon().await;

    // It stays so over further starts, until somebody wants it otherwise.
    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.signed_in("admin@local.example").await;
    assert_ne!(ada.get(&format!("/api/v1/runs/{bad}")).await.expect(200)["stalled"], json!(null));
    ada.post(&format!("/api/v1/runs/{bad}/resume"), &json!({})).await.expect(202);
    assert_eq!(ada.get(&format!("/api/v1/runs/{bad}")).await.expect(200)["stalled"], json!(null));
    served.stop().await;
    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.signed_in("admin@local.example").await;
    assert_eq!(ada.get(&format!("/api/v1/runs/{bad}")).await.expect(200)["stalled"], json!(null));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_taken_up_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.person("local", Role::Admin).await;
    ada.create(WAITS).await;
    let run = ada.start("waits", json!({})).await;
    served.abandon().await;

    // The same data folder, and a plugin less.
    let served = serve(dir.path(), real_host()).await;
    let ada = served.signed_in("admin@local.example").await;
    let shown = ada.get(&format!("/api/v1/runs/{run}")).await.expect(200).clone();
    assert!(shown["stalled"]["reason"].as_str().unwrap().contains("effect"), "{shown}");
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let ada = served.signed_in("admin@local.example").await;
    assert_eq!(ada.get(&format!("/api/v1/runs/{run}")).await.expect(200)["stalled"], json!(null));
    served.stop().await;
}
