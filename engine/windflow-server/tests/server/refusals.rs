//! What is refused is refused with what mends it.

use serde_json::json;
use windflow_server::Role;

use crate::support::{PURE, scripted, serve};

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_there_are_not_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let viewer = served.person("local", Role::Viewer).await;
    let problem = viewer.get("/api/v1/runs?stauts=failed").await.problem(400, "invalid_query");
    assert_eq!(problem["detail"], "there is no parameter `stauts`; did you mean `status`?");
    assert!(problem["remedy"].as_str().unwrap().contains("`cursor`"), "{problem}");
    viewer.get("/api/v1/runs?limit=2&after=x").await.problem(400, "invalid_query");
    let problem = viewer.get("/api/v1/labels?x=1").await.problem(400, "invalid_query");
    assert_eq!(problem["remedy"], "this address takes none");
    // Two lists of parameters count together.
    viewer.get("/api/v1/workflows?q=a&limit=2").await.expect(200);
    viewer.get("/api/v1/workflows?folders=a").await.problem(400, "invalid_query");
    // Whoever shows nothing hears nothing but that.
    served.anonymous().get("/api/v1/runs?stauts=failed").await.problem(401, "unauthorized");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_do_not_fit_are_told_what_fits() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(PURE).await;
    for (query, detail, remedy) in [
        ("since=2026-11-22T00:00:00Z", "`since` is a whole number", "milliseconds since 1970"),
        ("limit=100000", "`limit` is a whole number, 1 to 500", "50 where nothing is said"),
        ("status=odd", "`status` is one of `running`, `cancelling`, `succeeded`, `failed`, `cancelled`", "status"),
    ] {
        let problem = operator.get(&format!("/api/v1/runs?{query}")).await.problem(400, "invalid_query");
        assert_eq!(problem["detail"], detail);
        assert!(problem["remedy"].as_str().unwrap().contains(remedy), "{problem}");
    }
    let path = "/api/v1/workflows/pure/runs";
    let problem = operator.post(path, &json!({ "inputs": 3 })).await.problem(422, "invalid_body");
    assert!(problem["detail"].as_str().unwrap().starts_with("inputs: invalid type"), "{problem}");
    let broken = operator.request("POST", path).header("content-type", "application/json").body("{");
    let problem = operator.send(broken).await.problem(400, "invalid_json");
    assert!(problem["detail"].as_str().unwrap().starts_with("the body is no JSON: EOF"), "{problem}");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_under_a_name_that_is_not_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let credential = json!({ "bind": "bearer", "hosts": ["api.example.org"], "value": "s3cret" });
    for (path, body) in [("secrets/My-Token", json!({ "value": "x" })), ("credentials/My-Token", credential)] {
        let set = admin.request("PUT", &format!("/api/v1/{path}")).json(&body);
        let problem = admin.send(set).await.problem(422, "invalid_name");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("\"My-Token\"") && detail.contains("a-z, 0-9 and _"), "{problem}");
    }
    admin.yaml("PUT", "/api/v1/drafts/My.Flow", PURE, None).await.problem(422, "invalid_name");
    // What is only looked for is not there.
    admin.delete("/api/v1/secrets/My-Token").await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_described_before_anything_is_deployed_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let stack = json!({ "text": "name: shop\nservices:\n  web: { image: nginx:1.29.3 }\n" });
    admin.post("/api/v1/stacks", &stack).await.expect(201);
    for (path, word) in
        [("deploy/local", "command line"), ("deploy/prod", "/api/v1/targets"), ("plan/local", "command line")]
    {
        let problem = admin.post(&format!("/api/v1/stacks/shop/{path}"), &json!({})).await.problem(404, "not_found");
        assert!(problem["remedy"].as_str().unwrap().contains(word), "{problem}");
    }
    served.stop().await;
}
