//! What workflows keep from run to run: seen by those who may read runs, cleared by those who look after them.

use std::sync::Arc;

use serde_json::json;
use windflow_core::id::OrganisationId;
use windflow_core::ports::state::{Expected, StateChange, StateScope, StateStore};
use windflow_runtime::RecordState;
use windflow_server::Role;

use crate::support::{PURE, scripted, serve};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_listed_shown_and_cleared_and_belongs_to_its_organisation() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let state = RecordState::new(Arc::clone(served.records.as_ref().unwrap()));
    let long = "x".repeat(5000);
    for (workflow, key, value) in
        [("pure", "a/b c", json!({ "seen": [1] })), ("pure", "long", json!(long)), ("gone", "k", json!(2))]
    {
        let scope = StateScope { organisation: OrganisationId::local(), workflow: workflow.to_owned() };
        let value = Some(value.to_string().into_bytes());
        let change = StateChange { key: key.to_owned(), expected: Expected::Any, value, by: "test/0".to_owned() };
        state.change(scope, change).await.unwrap();
    }
    let (viewer, operator) = (served.person("local", Role::Viewer).await, served.person("local", Role::Operator).await);
    operator.create(PURE).await;
    let all = viewer.get("/api/v1/state").await.expect(200);
    let names: Vec<_> =
        all["items"].as_array().unwrap().iter().map(|item| (&item["workflow"], &item["keys"])).collect();
    assert_eq!(names, [(&json!("gone"), &json!(1)), (&json!("pure"), &json!(2))]);

    let first = viewer.get("/api/v1/workflows/pure/state?limit=1").await.expect(200);
    assert_eq!((&first["items"][0]["key"], &first["items"][0]["value"]), (&json!("a/b c"), &json!({ "seen": [1] })));
    let next = first["next"].as_str().unwrap();
    let second = viewer.get(&format!("/api/v1/workflows/pure/state?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&second["items"][0]["key"], &second["items"][0]["bytes"]), (&json!("long"), &json!(5002)));
    assert!(second["items"][0].get("value").is_none(), "long values are left out of lists");
    let one = viewer.get("/api/v1/workflows/pure/state?key=long").await.expect(200);
    assert_eq!(one["items"][0]["value"], json!(long));
    viewer.get("/api/v1/workflows/pure/state?key=none").await.problem(404, "not_found");
    viewer.get("/api/v1/workflows/pure/state?key=").await.problem(400, "invalid_query");
    viewer.get("/api/v1/workflows/nothing/state").await.problem(404, "not_found");

    // Only those who look after runs clear it, each what is their organisation's own.
    viewer.delete("/api/v1/workflows/pure/state").await.problem(403, "forbidden");
    let stranger = served.person("other", Role::Admin).await;
    stranger.delete("/api/v1/workflows/pure/state").await.problem(404, "not_found");
    assert_eq!(stranger.get("/api/v1/state").await.expect(200)["items"], json!([]));
    let cleared = operator.delete("/api/v1/workflows/pure/state?key=a%2Fb%20c").await.expect(200);
    assert_eq!(cleared, json!({ "cleared": 1 }));
    assert_eq!(operator.delete("/api/v1/workflows/pure/state").await.expect(200), json!({ "cleared": 1 }));
    assert_eq!(viewer.get("/api/v1/workflows/pure/state").await.expect(200)["items"], json!([]));
    // What a workflow that is gone has left can be cleared as well.
    assert_eq!(operator.delete("/api/v1/workflows/gone/state").await.expect(200), json!({ "cleared": 1 }));
    operator.delete("/api/v1/workflows/gone/state").await.problem(404, "not_found");
    served.stop().await;
}
