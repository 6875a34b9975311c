//! Runs over the API: each start once, none lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{Client, PURE, SLOW, eventually, real_host, scripted, serve};

const GREET: &str = "windflow: 1\nname: greet\ninputs:\n  name: { type: string }\nnodes:\n  \
    upper: { uses: transform@1, with: { input: \"${{ inputs.name }}\", jq: \"ascii_upcase\" } }\n  \
    said: { uses: log@1, with: { message: \"Hello ${{ nodes.upper.output }}\" } }\noutputs: { greeting: \"${{ nodes.upper.output }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_the_real_sandbox_is_shown_from_beginning_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(GREET).await;
    let started = editor.post("/api/v1/workflows/greet/runs", &json!({ "inputs": { "name": "Zoé" } })).await;
    let run = started.body["run"].as_str().unwrap().to_owned();
    assert_eq!(started.header("location"), format!("/api/v1/runs/{run}"));
    let ended = editor.ended(&run).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    assert_eq!(ended["inputs"], json!({ "name": "Zoé" }));
    assert_eq!(ended["outputs"], json!({ "greeting": "ZOé" }));
    assert_eq!(ended["nodes"]["said"]["status"], "succeeded");
    assert_eq!(ended["started_by"], "user:editor@local.example");

    let mut events = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = editor.get(&format!("/api/v1/runs/{run}/events?limit=2{cursor}")).await.expect(200);
        events.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let sequences: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=ended["sequence"].as_u64().unwrap()).collect::<Vec<_>>());
    assert!(
        events[0]["event"]["run_started"].is_object() && events.last().unwrap()["event"]["run_finished"].is_object()
    );
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_that_are_not_valid_start_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let path = "/api/v1/workflows/pure/runs";
    let problem = editor.post(path, &json!({ "inputs": { "n": "x", "m": 1 } })).await.problem(422, "invalid_inputs");
    assert_eq!(problem["detail"], "the inputs do not fit: 2 errors");
    let codes: BTreeSet<_> =
        problem["problems"].as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["invalid_input", "unknown_input"]));
    editor.post(path, &json!({ "input": {} })).await.problem(422, "invalid_body");
    editor.post(path, &json!({ "inputs": [] })).await.problem(422, "invalid_body");
    editor.post(path, &json!({ "version": 7 })).await.problem(404, "not_found");
    editor.post("/api/v1/workflows/other/runs", &json!({})).await.problem(404, "not_found");
    let cut = editor.request("POST", path).header("content-type", "application/json").body("{\"inputs\":");
    editor.send(cut).await.problem(400, "invalid_json");
    let deep = editor.request("POST", path).header("content-type", "application/json");
    let deep = deep.body(format!("{{\"inputs\":{{\"n\":{}", "[".repeat(100_000)));
    editor.send(deep).await.problem(400, "invalid_json");
    let none = editor.request("POST", path).body("{}");
    editor.send(none).await.problem(415, "unsupported_media_type");
    assert_eq!(editor.get("/api/v1/runs").await.expect(200)["items"], json!([]));
    for path in ["/api/v1/runs/x", "/api/v1/runs/01a0c450-6c00-7bfc-8f16-7031cd0ad40a"] {
        editor.get(path).await.problem(404, "not_found");
    }
    editor.get("/api/v1/runs?status=odd").await.problem(400, "invalid_query");
    served.stop().await;
}

async fn start_once(client: &Client, key: &str, inputs: Value) -> crate::support::Answer {
    let request = client.request("POST", "/api/v1/workflows/pure/runs").header("idempotency-key", key);
    client.send(request.json(&json!({ "inputs": inputs }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_run_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let all = (0..8).map(|_| {
        let editor = editor.clone();
        tokio::spawn(async move { start_once(&editor, "k1", json!({ "n": 1 })).await })
    });
    let mut runs = BTreeSet::new();
    let mut made = 0;
    for answer in futures::future::join_all(all).await {
        let answer = answer.unwrap();
        assert!(answer.status == 200 || answer.status == 201, "{}", answer.body);
        made += usize::from(answer.status == 201);
        runs.insert(answer.body["run"].as_str().unwrap().to_owned());
    }
    assert_eq!((runs.len(), made), (1, 1), "one key started several runs");
    start_once(&editor, "k1", json!({ "n": 2 })).await.problem(422, "idempotency_key_reused");
    // What was not valid has used up nothing.
    start_once(&editor, "k2", json!({ "n": "x" })).await.problem(422, "invalid_inputs");
    let other = start_once(&editor, "k2", json!({ "n": 5 })).await.expect(201);
    assert!(!runs.contains(other["run"].as_str().unwrap()));
    start_once(&editor, "", json!({})).await.problem(400, "invalid_idempotency_key");
    start_once(&editor, &"k".repeat(201), json!({})).await.problem(400, "invalid_idempotency_key");
    // Somebody else's key is another key.
    let second = served.person("local", Role::Admin).await;
    assert_eq!(start_once(&second, "k1", json!({ "n": 1 })).await.status, 201);
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    let again = start_once(&editor, "k1", json!({ "n": 1 })).await.expect(200);
    assert!(runs.contains(again["run"].as_str().unwrap()) && again["repeated"] == json!(true));
    assert_eq!(editor.get("/api/v1/runs").await.expect(200)["items"].as_array().unwrap().len(), 3);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_by_workflow_status_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    editor.create(SLOW).await;
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(editor.start("pure", json!({})).await);
    }
    let hanging = editor.start("slow", json!({})).await;
    for run in &started {
        editor.ended(run).await;
    }
    let ids = async |query: &str| -> Vec<String> {
        let page = editor.get(&format!("/api/v1/runs{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("?status=running").await, [&*hanging]);
    assert_eq!(ids("?workflow=slow").await, [&*hanging]);
    assert_eq!(ids("?workflow=pure&status=succeeded").await.len(), 5);
    assert_eq!(ids("?workflow=nothing").await.len(), 0);
    assert_eq!(ids("?since=9999999999999").await.len(), 0);
    assert_eq!(ids("?until=9999999999999").await.len(), 6);
    let first = editor.get("/api/v1/runs?limit=4").await.expect(200);
    let rest = ids(&format!("?limit=4&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(rest.len(), 2);
    assert_eq!(rest.last(), started.first(), "the newest come first");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_cancelled_and_say_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(SLOW).await;
    let run = operator.start("slow", json!({})).await;
    operator.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect(202);
    assert_eq!(operator.ended(&run).await["status"], "cancelled");
    let events = operator.get(&format!("/api/v1/runs/{run}/events")).await.expect(200);
    assert!(events.to_string().contains("\"cancel_requested\":{\"by\":\"user:operator@local.example\"}"), "{events}");
    operator.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.problem(409, "run_ended");
    operator.post(&format!("/api/v1/runs/{run}/resume"), &json!({})).await.problem(409, "run_ended");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_not_ended_goes_on_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(SLOW).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(editor.start("slow", json!({})).await);
    }
    let stopping = std::time::Instant::now();
    served.stop().await;
    assert!(stopping.elapsed().as_secs() < 6, "a run that hangs held up the stop");

    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    for run in &runs {
        assert_eq!(editor.ended(run).await["status"], "succeeded");
    }
    eventually(async || editor.get("/readyz").await.status == 200).await;
    served.stop().await;
}

const ASKING: &str = "windflow: 1\nname: asking\nnodes:\n  allowed: { uses: approval@1, with: { message: \"May it go on?\" } }\n  \
    after: { uses: pure@1, needs: [allowed.approved] }\n  heard: { uses: callback@1, needs: [after] }\noutputs: { heard: \"${{ nodes.heard.output }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn runs_ask_people_and_systems_and_wait_through_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let viewer = served.person("local", Role::Viewer).await;
    operator.create(ASKING).await;
    let run = operator.start("asking", json!({})).await;
    let answers = format!("/api/v1/runs/{run}/answers");
    let standing = async |client: &Client, node: &str| {
        client.get(&format!("/api/v1/runs/{run}")).await.expect(200)["nodes"][node]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    eventually(async || standing(&operator, "allowed").await == "waiting").await;
    let yes = json!({ "node": "allowed", "approved": true, "comment": "fine" });
    let told = viewer.get(&format!("/api/v1/runs/{run}/events")).await.expect(200).to_string();
    let told = told + &viewer.get(&format!("/api/v1/runs/{run}")).await.expect(200).to_string();
    assert!(
        told.contains("May it go on?") && told.matches("\"token\":").count() == told.matches("\"token\":\"\"").count(),
        "a viewer could answer: {told}"
    );
    viewer.post(&answers, &yes).await.problem(403, "forbidden");
    operator.post(&answers, &json!({ "node": "nobody", "approved": true })).await.problem(404, "not_found");
    operator.post(&answers, &json!({ "node": "heard", "data": 1 })).await.problem(409, "not_asked");
    operator.post(&answers, &json!({ "node": "allowed", "data": 1 })).await.problem(422, "invalid_answer");
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    operator.post(&answers, &yes).await.expect(200);
    operator.post(&answers, &yes).await.problem(409, "not_asked");
    eventually(async || standing(&operator, "heard").await == "waiting").await;
    let events = operator.get(&format!("/api/v1/runs/{run}/events")).await.expect(200).to_string();
    assert!(events.contains("user:operator@local.example"), "who approved is not kept: {events}");
    let token = events.rsplit("\"token\":\"").next().unwrap().split('"').next().unwrap().to_owned();
    let anybody = served.anonymous();
    let callback = format!("/callbacks/local/{run}/heard");
    anybody.post(&format!("{callback}/guess"), &json!({ "ok": 1 })).await.problem(404, "not_found");
    anybody.post(&format!("/callbacks/other/{run}/heard/{token}"), &json!({ "ok": 1 })).await.problem(404, "not_found");
    anybody.post(&format!("{callback}/{token}"), &json!({ "ok": 1 })).await.expect(200);
    let ended = operator.ended(&run).await;
    assert_eq!((&ended["status"], &ended["outputs"]["heard"]), (&json!("succeeded"), &json!({ "ok": 1 })));
    anybody.post(&format!("{callback}/{token}"), &json!({ "ok": 1 })).await.problem(404, "not_found");
    served.stop().await;
}

const PARENT: &str = "windflow: 1\nname: parent\nnodes:\n  child: { uses: workflow@1, with: { name: pure, inputs: { n: 5 } } }\noutputs: { got: \"${{ nodes.child.output }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn workflows_run_others_of_their_organisation() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.yaml("POST", "/api/v1/workflows", PARENT, None).await.problem(422, "invalid_workflow");
    let other = served.person("other", Role::Editor).await;
    other.create(PURE).await;
    editor.yaml("POST", "/api/v1/workflows", PARENT, None).await.problem(422, "invalid_workflow");
    editor.create(PURE).await;
    editor.create(PARENT).await;
    let run = editor.start("parent", json!({})).await;
    let ended = editor.ended(&run).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    assert_eq!(ended["outputs"], json!({ "got": { "n": 5 } }));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_ended_can_be_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    let viewer = served.person("local", Role::Viewer).await;
    operator.create(PURE).await;
    operator.create(SLOW).await;
    let ended = operator.start("pure", json!({})).await;
    operator.ended(&ended).await;
    let hangs = operator.start("slow", json!({})).await;
    let path = |run: &str| format!("/api/v1/runs/{run}");
    viewer.delete(&path(&ended)).await.problem(403, "forbidden");
    operator.delete(&path(&ended)).await.expect(204);
    operator.get(&path(&ended)).await.problem(404, "not_found");
    operator.delete(&path(&ended)).await.problem(404, "not_found");
    operator.delete(&path(&hangs)).await.problem(409, "not_ended");
    operator.get(&path(&hangs)).await.expect(200);
    served.stop().await;
}
