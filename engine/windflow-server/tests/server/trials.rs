//! Trying things: a node alone, a workflow on pinned data, an expression.

use serde_json::json;
use windflow_server::Role;

use crate::support::{real_host, scripted, serve};

/// What the first node puts out is nothing that the others can use, until it is pinned.
const CHAIN: &str = "windflow: 1\nname: chain\ninputs: { factor: { type: integer, default: 2 } }\n\
    triggers: { failed: { uses: event, with: { name: run.failed } } }\nnodes:\n  \
    fetch: { uses: log@1, with: { message: \"${{ inputs.factor }}\" } }\n  \
    check: { uses: condition@1, needs: fetch, with: { if: \"${{ nodes.fetch.output.status == 200 }}\" } }\n  \
    good: { uses: transform@1, needs: [check.true], with: { jq: \".status * 2\", input: \"${{ nodes.fetch.output }}\" } }\n  \
    sum: { uses: transform@1, needs: good, with: { jq: \".a * .b\", input: { a: \"${{ input }}\", b: \"${{ inputs.factor }}\" } } }\n\
    outputs: { sum: \"${{ nodes.sum.output }}\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_node_runs_alone_on_data_that_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(CHAIN).await;
    let path = |node: &str| format!("/api/v1/workflows/chain/nodes/{node}/runs");
    let tried = async |node: &str, body: serde_json::Value| {
        let started = editor.post(&path(node), &body).await.expect(201);
        editor.ended(started["run"].as_str().unwrap()).await
    };
    let ended = tried("good", json!({ "outputs": { "fetch": { "status": 21 } } })).await;
    assert_eq!(ended["nodes"]["good"]["output"], 42, "{ended}");
    assert_eq!(ended["started_by"], "test:editor@local.example");
    // Only that node has run.
    assert_eq!(ended["nodes"].get("sum"), None);
    assert_eq!(ended["nodes"]["fetch"]["attempts"], 0);
    let ended = tried("sum", json!({ "input": 5, "inputs": { "factor": 3 } })).await;
    assert_eq!(ended["nodes"]["sum"]["output"], 15, "{ended}");
    let ended = tried("fetch", json!({})).await;
    assert_eq!((&ended["status"], &ended["nodes"]["fetch"]["attempts"]), (&json!("succeeded"), &json!(1)), "{ended}");
    // A text that is not kept yet.
    let text = CHAIN.replace(".a * .b", ".a + .b");
    let ended = tried("sum", json!({ "input": 5, "document": text })).await;
    assert_eq!(ended["nodes"]["sum"]["output"], 7, "{ended}");

    let problem = editor.post(&path("god"), &json!({})).await.problem(404, "not_found");
    assert!(problem["remedy"].as_str().unwrap().contains("good"), "{problem}");
    editor.post(&path("good"), &json!({ "document": "name: [" })).await.problem(422, "invalid_workflow");
    editor.post(&path("sum"), &json!({ "inputs": { "factor": "x" } })).await.problem(422, "invalid_inputs");
    let viewer = served.person("local", Role::Viewer).await;
    viewer.post(&path("good"), &json!({})).await.problem(403, "forbidden");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_runs_on_pinned_data() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(CHAIN).await;
    let start =
        async |pins: serde_json::Value| editor.post("/api/v1/workflows/chain/runs", &json!({ "pins": pins })).await;
    let started = start(json!({ "fetch": { "output": { "status": 200 } } })).await.expect(201);
    let ended = editor.ended(started["run"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["outputs"]["sum"]), (&json!("succeeded"), &json!(800)), "{ended}");
    assert_eq!(ended["nodes"]["fetch"]["output"], json!({ "status": 200 }));
    let started =
        start(json!({ "fetch": { "output": { "status": 200 } }, "check": { "port": "false", "output": null } }));
    let ended = editor.ended(started.await.expect(201)["run"].as_str().unwrap()).await;
    assert_eq!(ended["nodes"]["good"]["status"], "skipped", "{ended}");

    let problem = start(json!({ "fetsh": { "output": 1 } })).await.problem(422, "invalid_workflow");
    assert_eq!(problem["problems"][0]["code"], "unknown_node");
    let problem = start(json!({ "check": { "port": "maybe", "output": 1 } })).await.problem(422, "invalid_workflow");
    assert!(problem["problems"][0]["remedy"].as_str().unwrap().contains("false"), "{problem}");
    start(json!({ "Not an id": { "output": 1 } })).await.problem(422, "invalid_pin");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_previewed() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let viewer = served.person("local", Role::Viewer).await;
    let preview = async |template: serde_json::Value| {
        let scope = json!({ "inputs": { "n": 2 }, "nodes": { "a": { "output": [1, 2] } }, "input": "x" });
        viewer.post("/api/v1/preview", &json!({ "template": template, "scope": scope })).await.expect(200)
    };
    let value = preview(json!({ "sum": "${{ nodes.a.output[1] + inputs.n }}", "text": "<${{ input }}>" })).await;
    assert_eq!(value, json!({ "value": { "sum": 4, "text": "<x>" }, "problem": null }));
    let problem = preview(json!("${{ inputs.m }}")).await;
    assert_eq!((&problem["value"], &problem["problem"]["line"]), (&json!(null), &json!(1)), "{problem}");
    served.stop().await;
}
