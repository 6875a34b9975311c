//! Runs that ask and runs that are repeated, over the API.

use serde_json::json;
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{eventually, scripted, serve};

const ASK: &str = "windflow: 1\nname: ask\nnodes:\n  \
    ask: { uses: approval@1, with: { message: \"Deploy?\", form: { type: object, required: [size] } } }\n  \
    after: { uses: pure@1, needs: [ask.approved], with: { by: \"${{ input.by }}\" } }\noutputs: { by: \"${{ nodes.after.output.by }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_once_and_only_as_it_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    let operator = served.person("local", Role::Operator).await;
    editor.create(ASK).await;
    let run = editor.start("ask", json!({})).await;
    let path = format!("/api/v1/runs/{run}/answers");
    eventually(async || editor.get(&format!("/api/v1/runs/{run}")).await.body["nodes"]["ask"]["status"] == "waiting")
        .await;
    let yes = json!({ "node": "ask", "approved": true, "data": { "size": 3 } });
    served.person("local", Role::Viewer).await.post(&path, &yes).await.problem(403, "forbidden");
    operator.post(&path, &json!({ "node": "ask", "approved": true })).await.problem(422, "invalid_answer");
    operator.post(&path, &json!({ "node": "ask", "data": 1 })).await.problem(422, "invalid_answer");
    operator.post(&path, &json!({ "node": "none", "data": 1 })).await.problem(404, "not_found");
    operator.post(&path, &json!({ "node": "A b", "data": 1 })).await.problem(422, "invalid_answer");
    operator.post(&path, &yes).await.expect(200);
    let ended = editor.ended(&run).await;
    assert_eq!(ended["outputs"], json!({ "by": "user:operator@local.example" }), "{ended}");
    operator.post(&path, &yes).await.problem(409, "run_ended");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_repeated_from_where_it_failed() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("b", Outcome::FailForGood)])).await;
    let editor = served.person("local", Role::Editor).await;
    let document = "windflow: 1\nname: two\nnodes:\n  a: { uses: effect@1 }\n  b: { uses: effect@1, needs: [a] }\n";
    editor.create(document).await;
    let run = editor.start("two", json!({})).await;
    assert_eq!(editor.ended(&run).await["status"], "failed");
    let path = format!("/api/v1/runs/{run}/rerun");
    let verdict = editor.post(&path, &json!({ "dry_run": true })).await.expect(200);
    assert_eq!(
        verdict["nodes"],
        json!([{ "node": "a", "fate": "reused", "why": null }, { "node": "b", "fate": "again", "why": "failed" }])
    );
    editor.post(&path, &json!({ "from": ["zzz"] })).await.problem(422, "unknown_node");
    let again = editor.post(&path, &json!({})).await.expect(201);
    let ended = editor.ended(again["run"].as_str().unwrap()).await;
    // Somebody who asks for the same again gets no second one, also where the answer was lost.
    let once = async |body: serde_json::Value| {
        let request = editor.request("POST", &path).header("idempotency-key", "k1");
        editor.send(request.json(&body)).await
    };
    let first = once(json!({})).await.expect(201);
    assert_eq!(first["repeated"], false);
    editor.ended(first["run"].as_str().unwrap()).await;
    assert_eq!(once(json!({})).await.expect(201), json!({ "run": first["run"], "repeated": true }));
    once(json!({ "from": ["a"] })).await.problem(422, "idempotency_key_reused");
    assert_eq!((&ended["nodes"]["a"]["attempts"], &ended["nodes"]["b"]["attempts"]), (&json!(0), &json!(1)), "{ended}");
    served.stop().await;
}
