//! Runs that ask and runs that are repeated, over the API.

use serde_json::json;
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{Client, eventually, scripted, serve};

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

const PAID: &str = "windflow: 1\nname: paid\ninputs: { order: { type: integer } }\nnodes:\n  \
    paid: { uses: callback@1, timeout: 3d, with: { event: order.paid, where: { order: \"${{ inputs.order }}\" } } }\n  \
    sent: { uses: callback@1, needs: [paid], timeout: 3d, with: { event: order.paid } }\n\
    outputs: { total: \"${{ nodes.paid.output.total }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_answers_the_run_that_waits_for_it_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(PAID).await;
    let mut runs = Vec::new();
    for order in [17, 18] {
        runs.push(operator.start("paid", json!({ "order": order })).await);
    }
    let waits = async |operator: &Client, run: &str, node: &str| {
        let run = operator.get(&format!("/api/v1/runs/{run}")).await.body;
        run["nodes"][node]["status"] == "waiting"
    };
    for run in &runs {
        eventually(async || waits(&operator, run, "paid").await).await;
    }
    served.stop().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    for run in &runs {
        eventually(async || waits(&operator, run, "paid").await).await;
    }
    let other = served.person("other", Role::Operator).await;
    let event = json!({ "name": "order.paid", "data": { "order": 17, "total": 5 } });
    let elsewhere = other.post("/api/v1/events", &event).await.expect(202);
    assert_eq!(elsewhere["answered"], json!([]), "events stay in their organisation");
    let publish = async || {
        let request = operator.request("POST", "/api/v1/events").header("idempotency-key", "bank-1");
        operator.send(request.json(&event)).await.expect(202)
    };
    let told = std::cell::RefCell::new(json!([]));
    // The run asks again a moment after the server is up.
    eventually(async || {
        told.replace(publish().await["answered"].clone());
        *told.borrow() != json!([])
    })
    .await;
    assert_eq!(*told.borrow(), json!([{ "run": runs[0], "node": "paid", "item": null, "error": null }]));
    eventually(async || waits(&operator, &runs[0], "sent").await).await;
    assert_eq!(publish().await["answered"], json!([]), "the same event answers no question that was asked after it");
    assert!(waits(&operator, &runs[1], "paid").await && waits(&operator, &runs[0], "sent").await);

    let next = json!({ "name": "order.paid", "data": { "order": 19 } });
    eventually(async || {
        let told = operator.post("/api/v1/events", &next).await.expect(202);
        told["answered"] != json!([])
    })
    .await;
    let ended = operator.ended(&runs[0]).await;
    assert_eq!((&ended["status"], &ended["outputs"]), (&json!("succeeded"), &json!({ "total": 5 })), "{ended}");
    served.stop().await;
}

const EACH: &str = "windflow: 1\nname: each\nnodes:\n  \
    back: { uses: callback@1, for_each: [a, b], timeout: 3d }\noutputs: { all: \"${{ nodes.back.output }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn each_item_is_answered_at_its_own_address() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(EACH).await;
    let run = operator.start("each", json!({})).await;
    let asked = async || {
        let events = operator.get(&format!("/api/v1/runs/{run}/events")).await.expect(200).to_string();
        let tokens = events.split("\"token\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        tokens.collect::<Vec<_>>()
    };
    eventually(async || asked().await.len() == 2).await;
    for (token, data) in asked().await.iter().zip([1, 2]) {
        operator.post(&format!("/callbacks/local/{run}/back/{token}"), &json!(data)).await.expect(200);
    }
    assert_eq!(operator.ended(&run).await["outputs"], json!({ "all": [1, 2] }));
    served.stop().await;
}
