//! Events that start runs, the audit trail, and what happens to what is old.

use std::time::Duration;

use serde_json::{Value, json};
use windflow_server::{Role, Settings};
use windflow_testkit::host::Outcome;

use crate::support::{Client, PURE, SLOW, eventually, real_host, scripted, serve, serve_with, settings};

/// Started by events; what it was started with is its input `what`.
fn listener(name: &str, with: &str) -> String {
    format!(
        "windflow: 1\nname: {name}\ninputs:\n  what: {{}}\ntriggers:\n  heard:\n    uses: event\n    with: {with}\n    \
         inputs: {{ what: \"${{{{ trigger.data }}}}\" }}\nnodes:\n  a: {{ uses: pure@1 }}\n"
    )
}

async fn enable(client: &Client, text: &str, name: &str) {
    client.create(text).await;
    client.post(&format!("/api/v1/workflows/{name}/enable"), &json!({})).await.expect(200);
}

async fn runs_of(client: &Client, workflow: &str) -> Vec<Value> {
    let runs = client.get(&format!("/api/v1/runs?workflow={workflow}")).await.expect(200);
    runs["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_starts_each_listener_once() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(
        &operator,
        &listener("large", "{ name: order.placed, filter: \"${{ trigger.data.total > 10 }}\" }"),
        "large",
    )
    .await;
    enable(&operator, &listener("every", "{ name: \"order.*\" }"), "every").await;
    operator.create(&listener("off", "{ name: order.placed }")).await;

    let publish = async |data: Value, key: &str| {
        let request = operator.request("POST", "/api/v1/events").header("idempotency-key", key);
        operator.send(request.json(&json!({ "name": "order.placed", "data": data }))).await
    };
    let first = publish(json!({ "total": 11 }), "one").await.expect(202);
    assert_eq!(publish(json!({ "total": 11 }), "one").await.expect(202), first, "the same event");
    assert_eq!(first["started"].as_array().unwrap().len(), 2);
    let small = publish(json!({ "total": 3 }), "two").await.expect(202);
    assert_eq!(small["started"][0]["workflow"], "every");
    publish(json!({ "total": 4 }), "two").await.problem(422, "idempotency_key_reused");

    assert_eq!((runs_of(&operator, "large").await.len(), runs_of(&operator, "every").await.len()), (1, 2));
    assert!(runs_of(&operator, "off").await.is_empty());
    let run = runs_of(&operator, "large").await[0]["run"].as_str().unwrap().to_owned();
    let run = operator.ended(&run).await;
    assert_eq!((&run["inputs"]["what"]["total"], &run["started_by"]), (&json!(11), &json!("event:heard")));

    for wrong in ["run.failed", "a b", ""] {
        operator.post("/api/v1/events", &json!({ "name": wrong })).await.problem(422, "invalid_event");
    }
    served
        .person("local", Role::Viewer)
        .await
        .post("/api/v1/events", &json!({ "name": "a" }))
        .await
        .problem(403, "forbidden");
    let other = served.person("other", Role::Operator).await;
    let nobody = other.post("/api/v1/events", &json!({ "name": "order.placed" })).await.expect(202);
    assert_eq!(nobody["started"], json!([]), "events stay in their organisation");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_told_to_the_handler_of_failures_and_never_in_a_circle() {
    let dir = tempfile::tempdir().unwrap();
    // The handler fails as well.
    let served = serve(dir.path(), scripted(&[("slow", Outcome::FailForGood), ("a", Outcome::FailForGood)])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, &listener("on_failure", "{ name: run.failed }"), "on_failure").await;
    operator.create(SLOW).await;
    let failed = operator.start("slow", json!({})).await;
    operator.ended(&failed).await;
    eventually(async || runs_of(&operator, "on_failure").await.len() == 1).await;
    let handler = runs_of(&operator, "on_failure").await[0]["run"].as_str().unwrap().to_owned();
    let handler = operator.ended(&handler).await;
    assert_eq!(
        (&handler["inputs"]["what"]["run"], &handler["inputs"]["what"]["workflow"]),
        (&json!(failed), &json!("slow"))
    );
    assert_eq!(handler["status"], "failed");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(runs_of(&operator, "on_failure").await.len(), 1);

    // The same end is looked at again after a start, and starts nothing again.
    served.stop().await;
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(runs_of(&operator, "on_failure").await.len(), 1);
    served.stop().await;
}

/// Publishes `event` with what it was started with, and listens to `hears`.
fn publisher(name: &str, hears: &str, event: &str) -> String {
    format!(
        "windflow: 1\nname: {name}\ninputs:\n  what: {{}}\npermissions: {{ events: [\"circle.*\", order.placed] }}\n\
         triggers:\n  heard:\n    uses: event\n    with: {{ name: {hears} }}\n    inputs: {{ what: \"${{{{ trigger.data }}}}\" }}\n\
         nodes:\n  tell:\n    uses: publish-event@1\n    with: {{ name: {event}, data: \"${{{{ inputs.what }}}}\" }}\n\
         outputs: {{ told: \"${{{{ nodes.tell.output }}}}\" }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_publishes_what_starts_the_workflows_that_listen() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let operator = served.person("local", Role::Operator).await;
    let other = served.person("other", Role::Operator).await;
    let listener = "windflow: 1\nname: listener\ninputs:\n  what: {}\ntriggers:\n  heard:\n    uses: event\n    with: { name: order.placed }\n    \
        inputs: { what: \"${{ trigger.data }}\" }\nnodes:\n  a: { uses: log@1, with: { message: heard } }\n";
    enable(&operator, listener, "listener").await;
    enable(&other, listener, "listener").await;
    operator.create(&publisher("publisher", "order.wanted", "order.placed")).await;
    let run = operator.start("publisher", json!({ "what": { "id": 7 } })).await;
    let run = operator.ended(&run).await;
    assert_eq!(run["status"], "succeeded", "{run:#}");
    let started = &run["outputs"]["told"]["started"];
    assert_eq!(
        (&started[0]["workflow"], &started[0]["trigger"], &started[0]["error"]),
        (&json!("listener"), &json!("heard"), &json!(null))
    );
    let heard = operator.ended(started[0]["run"].as_str().unwrap()).await;
    assert_eq!((&heard["inputs"]["what"], &heard["started_by"]), (&json!({ "id": 7 }), &json!("event:heard")));
    assert_eq!(runs_of(&operator, "listener").await.len(), 1);
    assert!(runs_of(&other, "listener").await.is_empty(), "events stay in their organisation");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_that_start_each_other_in_a_circle_end() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, &publisher("ping", "circle.ping", "circle.pong"), "ping").await;
    enable(&operator, &publisher("pong", "circle.pong", "circle.ping"), "pong").await;
    operator.start("ping", json!({ "what": 1 })).await;
    // The first run, and eight that events started: the last one of them may publish nothing.
    eventually(async || {
        let runs = [runs_of(&operator, "ping").await, runs_of(&operator, "pong").await].concat();
        runs.len() == 9 && runs.iter().all(|run| run["finished_at"].is_number())
    })
    .await;
    let runs = [runs_of(&operator, "ping").await, runs_of(&operator, "pong").await].concat();
    let failed: Vec<&Value> = runs.iter().filter(|run| run["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{runs:#?}");
    assert_eq!(failed[0]["started_by"], "event:heard#8");
    let failed = operator.ended(failed[0]["run"].as_str().unwrap()).await;
    assert!(failed.to_string().contains("event_chain"), "{failed:#}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(runs_of(&operator, "ping").await.len() + runs_of(&operator, "pong").await.len(), 9);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_kept_without_the_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let editor = served.person("local", Role::Editor).await;
    let put = admin.request("PUT", "/api/v1/secrets/token").json(&json!({ "value": "hunter2hunter2" }));
    admin.send(put).await.expect(200);
    let put = editor.request("PUT", "/api/v1/secrets/token").json(&json!({ "value": "x" }));
    editor.send(put).await.problem(403, "forbidden");
    editor.create(PURE).await;
    editor.start("pure", json!({})).await;
    editor.get("/api/v1/workflows").await.expect(200);

    let trail = admin.get("/api/v1/audit").await.expect(200);
    let told: Vec<_> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap().to_owned();
            format!("{} {} {} {}", text("by"), text("method"), text("path"), entry["status"])
        })
        .collect();
    assert_eq!(
        told,
        [
            "user:editor@local.example POST /api/v1/workflows 201",
            "user:editor@local.example PUT /api/v1/secrets/token 403",
            "user:admin@local.example PUT /api/v1/secrets/token 200",
            "user:editor@local.example POST /api/v1/auth/login 200",
            "user:admin@local.example POST /api/v1/auth/login 200",
        ],
        "the newest first, and neither what was read nor the run, which says itself who started it"
    );
    assert!(!trail.to_string().contains("hunter2"));

    let page = admin.get("/api/v1/audit?limit=2").await.expect(200);
    let next = format!("/api/v1/audit?limit=50&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(admin.get(&next).await.expect(200)["items"].as_array().unwrap().len(), 3);
    let secrets = admin.get("/api/v1/audit?q=SECRETS").await.expect(200);
    assert_eq!(secrets["items"].as_array().unwrap().len(), 2);
    editor.get("/api/v1/audit").await.problem(403, "forbidden");
    let other = served.person("other", Role::Admin).await;
    assert_eq!(other.get("/api/v1/audit").await.expect(200)["items"].as_array().unwrap().len(), 1, "their own sign-in");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_runs_go_and_young_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let old = editor.start("pure", json!({})).await;
    editor.ended(&old).await;
    served.stop().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    editor.get(&format!("/api/v1/runs/{old}")).await.expect(200);
    served.stop().await;

    tokio::time::sleep(Duration::from_millis(50)).await;
    let brief = Settings { keep_runs: Duration::from_millis(50), ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), brief).await;
    let editor = served.signed_in("editor@local.example").await;
    eventually(async || editor.get(&format!("/api/v1/runs/{old}")).await.status == 404).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_more_than_the_workflow_allows_waits_or_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(&SLOW.replace("nodes:", "concurrency: 1\nnodes:")).await;
    let first = operator.start("slow", json!({})).await;
    let second = operator.start("slow", json!({})).await;
    let queued = async |run: &str| operator.get(&format!("/api/v1/runs/{run}")).await.expect(200)["queued"].clone();
    assert_eq!((queued(&first).await, queued(&second).await), (json!(false), json!(true)));
    operator.post(&format!("/api/v1/runs/{first}/cancel"), &json!({})).await;
    eventually(async || queued(&second).await == json!(false)).await;

    operator.create(&SLOW.replace("name: slow", "name: once\nconcurrency: { limit: 1, on_limit: skip }")).await;
    operator.start("once", json!({})).await;
    operator.post("/api/v1/workflows/once/runs", &json!({})).await.problem(409, "concurrency_limit");
    served.stop().await;
}
