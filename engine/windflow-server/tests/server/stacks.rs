//! Stacks: what is said of variables that they have not.

use serde_json::json;
use windflow_server::Role;

use crate::support::{scripted, serve};

const SHOP: &str = "name: shop\nx-windflow: { variables: { WEB_PORT: { type: port, default: 8080 } } }\nservices:\n  \
                    web: { image: \"web:${TAG:-1}\", ports: [\"${WEB_PORT}:80\"] }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_a_stack_has_not_is_refused_wherever_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    admin.post("/api/v1/targets", &json!({ "name": "edge", "address": "tcp://127.0.0.1:1" })).await.expect(201);
    admin.post("/api/v1/stacks", &json!({ "text": SHOP })).await.expect(201);
    for (path, mut body) in [
        ("/api/v1/stacks/shop/deploy/edge", json!({})),
        ("/api/v1/stacks/shop/plan/edge", json!({})),
        ("/api/v1/stacks/other/plan/edge", json!({ "text": SHOP })),
        ("/api/v1/stacks/preview", json!({ "text": SHOP })),
    ] {
        body["variables"] = json!({ "WEB_PRT": "80" });
        let problem = admin.post(path, &body).await.problem(422, "unknown_variable");
        assert_eq!(problem["detail"], "there is no variable WEB_PRT", "{path}");
        assert_eq!(problem["remedy"], "did you mean `WEB_PORT`?", "{path}");
        // What is used without being declared is known, and so the next thing is looked at.
        body["variables"] = json!({ "WEB_PORT": "80", "TAG": "2" });
        let asked = admin.post(path, &body).await;
        assert!(!asked.body.to_string().contains("unknown_variable"), "{path}");
    }
    assert_eq!(
        admin.get("/api/v1/deployments").await.expect(200)["items"].as_array().map(Vec::len),
        Some(1),
        "one began"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_of_the_server_s_own_machine_is_told_to_be_described_first() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let problem = admin.get("/api/v1/targets/local").await.problem(404, "not_found");
    assert!(problem["remedy"].as_str().is_some_and(|how| how.contains("only the command line")), "{problem}");
}
