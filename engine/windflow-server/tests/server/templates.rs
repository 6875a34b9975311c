//! Templates: searched, looked at, installed, and nothing left behind where that fails.

use serde_json::{Value, json};
use windflow_server::Role;

use crate::support::{Client, scripted, serve};

#[path = "templates/own.rs"]
mod own;
#[path = "templates/registries.rs"]
mod registries;

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn list(client: &Client, query: &str) -> Value {
    client.get(&format!("/api/v1/templates{query}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_searched_filtered_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let viewer = served.person("local", Role::Viewer).await;
    let all = list(&viewer, "").await;
    assert_eq!(names(&all), ["nightly-check", "observer", "shop"]);
    assert_eq!(all["total"], 3);
    assert_eq!(all["facets"]["kinds"], json!([{ "name": "stack", "count": 2 }, { "name": "workflow", "count": 1 }]));
    let shop = &all["items"][2];
    for (field, value) in [
        ("kind", json!("stack")),
        ("version", json!("1.1.0")),
        ("title", json!({ "en": "Shop", "fr": "Boutique" })),
        ("official", json!(true)),
        ("private", json!(false)),
        ("registry", json!("windflow")),
        ("installs", json!(0)),
        ("rating", Value::Null),
        ("installed", json!([])),
        ("service_count", json!(2)),
        ("icon", json!("/api/v1/templates/shop/icon?registry=windflow")),
    ] {
        assert_eq!(shop[field], value, "{field}");
    }
    for (query, expect) in [
        ("?q=boutique", vec!["shop"]),
        ("?q=bottes", vec!["shop"]),
        ("?q=postgers", vec!["shop"]),
        ("?q=nocturne", vec!["nightly-check"]),
        ("?kind=workflow", vec!["nightly-check"]),
        ("?category=monitoring", vec!["observer"]),
        ("?tag=shop&q=sh", vec!["shop"]),
        ("?registry=elsewhere", vec![]),
        ("?q=machine&kind=workflow", vec![]),
    ] {
        assert_eq!(names(&list(&viewer, query).await), expect, "{query}");
    }
    let first = list(&viewer, "?limit=2&sort=name").await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(names(&list(&viewer, &format!("?limit=2&sort=name&cursor={next}")).await), ["shop"]);
    // Boutique, Contrôle nocturne, Observateur.
    assert_eq!(names(&list(&viewer, "?sort=title").await), ["nightly-check", "observer", "shop"]);
    assert_eq!(names(&list(&viewer, "?sort=title&language=fr").await), ["shop", "nightly-check", "observer"]);
    viewer.get("/api/v1/templates?sort=title&language=de").await.problem(400, "invalid_query");
    viewer.get("/api/v1/templates?sort=best").await.problem(400, "invalid_query");
    viewer.get("/api/v1/templates?cursor=!").await.problem(400, "invalid_cursor");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tells_what_is_in_it_and_what_it_may_touch() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let viewer = served.person("local", Role::Viewer).await;
    let shop = viewer.get("/api/v1/templates/shop").await.expect(200);
    assert_eq!(shop["readme"]["fr"], "# Boutique\n\nVend des bottes.\n");
    assert_eq!(shop["images"], json!(["nginx:1.29.3", "postgres:18.1"]));
    assert_eq!(shop["ports"], json!(["8080:80/tcp"]));
    assert_eq!(shop["volumes"], json!(["data"]));
    assert_eq!(shop["services"][0]["depends_on"], json!(["db"]));
    assert_eq!(shop["requirements"], json!({ "cpu": 1.0, "memory_mb": 256 }));
    let port = &shop["variables"][0];
    assert_eq!((&port["type"], &port["default"]), (&json!("port"), &json!("8080")));
    assert_eq!(port["description"]["fr"], "Où se trouve la boutique");
    assert!(shop["text"].as_str().unwrap().starts_with("services:"));
    let observer = viewer.get("/api/v1/templates/observer").await.expect(200);
    let risks: Vec<_> = observer["risks"].as_array().unwrap().iter().map(|risk| &risk["name"]).collect();
    assert_eq!(risks, ["agent:privileged", "agent:docker_socket"]);
    let check = viewer.get("/api/v1/templates/nightly-check").await.expect(200);
    assert_eq!(check["reach"][0]["uses"], "pure@1");
    assert_eq!(check["reach"][0]["installed"], true);
    assert_eq!(check["inputs"]["n"]["type"], "integer");
    viewer.get("/api/v1/templates/nosuch").await.problem(404, "not_found");
    viewer.get("/api/v1/templates/shop?version=9.0.0").await.problem(404, "not_found");
    viewer.get("/api/v1/templates/shop?version=x").await.problem(400, "invalid_query");
    viewer.get("/api/v1/templates/..%2fshop").await.problem(404, "not_found");

    let icon = viewer.get("/api/v1/templates/shop/icon").await;
    assert_eq!(icon.header("content-type"), "image/svg+xml");
    assert!(icon.header("content-security-policy").contains("sandbox"));
    let tag = icon.header("etag").to_owned();
    assert!(icon.expect(200).as_str().unwrap().contains("<circle"));
    let again = viewer.request("GET", "/api/v1/templates/shop/icon").header("if-none-match", tag);
    assert_eq!(viewer.send(again).await.status, 304);
    viewer.get("/api/v1/templates/shop/preview").await.expect(200);
    viewer.get("/api/v1/templates/observer/preview").await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_makes_a_stack_or_a_workflow_and_remembers_where_it_came_from() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let made = admin.post("/api/v1/templates/shop/install", &json!({ "as": "boots" })).await;
    assert_eq!(made.header("location"), "/api/v1/stacks/boots");
    assert_eq!(made.expect(201), json!({ "kind": "stack", "name": "boots", "version": "1.1.0" }));
    assert_eq!(admin.get("/api/v1/stacks/boots").await.expect(200)["description"], "A shop with a database");
    let made = admin.post("/api/v1/templates/nightly-check/install", &json!({ "as": "mine", "enable": true })).await;
    assert_eq!(made.expect(201)["kind"], "workflow");
    let workflow = admin.get("/api/v1/workflows/mine").await.expect(200);
    assert_eq!(workflow["enabled"], true);
    let text = admin.get("/api/v1/workflows/mine/document").await.expect(200);
    assert!(text.as_str().unwrap().contains("name: mine  # renamed when"), "{text}");
    let shown = list(&admin, "?sort=popular").await;
    assert_eq!(names(&shown), ["nightly-check", "shop", "observer"]);
    assert_eq!(shown["items"][1]["installed"], json!([{ "as": "boots", "version": "1.1.0", "update": false }]));
    assert_eq!(shown["items"][1]["installs"], 1);

    admin.post("/api/v1/templates/shop/install", &json!({ "as": "boots" })).await.problem(409, "exists");
    admin
        .post("/api/v1/templates/nightly-check/install", &json!({ "as": "mine" }))
        .await
        .problem(409, "workflow_exists");
    admin.delete("/api/v1/stacks/boots").await.expect(204);
    assert_eq!(list(&admin, "?q=shop").await["items"][0]["installed"], json!([]), "it was removed");
    served.stop().await;
}

/// All that an installation could leave.
async fn left(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["stacks", "workflows", "deployments", "templates", "runs"] {
        all.push(client.get(&format!("/api/v1/{path}")).await.expect(200));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_installed_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let target = json!({ "name": "edge", "address": "tcp://127.0.0.1:1" });
    admin.post("/api/v1/targets", &target).await.expect(201);
    let before = left(&admin).await;
    let on = |mut body: Value| {
        body["as"] = json!("boots");
        body["target"] = json!("edge");
        body["deploy"] = json!(true);
        body
    };
    for (template, body, status, code) in [
        ("shop", json!({ "as": "Boots" }), 422, "invalid_name"),
        ("shop", json!({ "as": "../boots" }), 422, "invalid_name"),
        ("shop", json!({ "as": "boots", "variables": { "WEB_PRT": "1" } }), 422, "unknown_variable"),
        ("shop", json!({ "as": "boots", "variables": { "WEB_PORT": "many" } }), 422, "invalid_stack"),
        ("shop", json!({ "as": "boots", "variables": { "TAG": "latest" } }), 422, "image_not_pinned"),
        ("shop", json!({ "as": "boots", "deploy": true }), 422, "no_target"),
        ("shop", json!({ "as": "boots", "deploy": true, "target": "nosuch" }), 404, "not_found"),
        ("shop", on(json!({ "variables": { "WEB_PORT": "80\n    privileged: true" } })), 422, "invalid_stack"),
        ("observer", on(json!({})), 422, "not_confirmed"),
        ("observer", on(json!({ "confirm": ["agent:privileged"] })), 422, "not_confirmed"),
        ("nightly-check", json!({ "as": "Mine" }), 422, "invalid_name"),
        ("nightly-check", json!({ "as": "mine", "target": "edge", "deploy": true }), 422, "not_a_stack"),
        ("shop", json!({ "as": "boots", "version": "0.1.0" }), 404, "not_found"),
        // This server has no plugin that deploys: the deployment cannot begin.
        ("shop", on(json!({})), 422, "invalid_workflow"),
    ] {
        admin.post(&format!("/api/v1/templates/{template}/install"), &body).await.problem(status, code);
        let mut after = left(&admin).await;
        if code == "invalid_workflow" {
            // That it was tried is history, as every deployment is.
            let tried = std::mem::replace(&mut after[2], before[2].clone());
            assert_eq!(tried["items"][0]["status"], "failed");
        }
        assert_eq!(after, before, "{template} {body}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_needs_what_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    let key = |scopes: Value| {
        let admin = admin.clone();
        async move {
            let made = admin.post("/api/v1/api-keys", &json!({ "name": "x", "scopes": scopes })).await.expect(201);
            Client { token: Some(made["token"].as_str().unwrap().to_owned()), ..admin.clone() }
        }
    };
    let only = key(json!(["templates:write"])).await;
    only.post("/api/v1/templates/shop/install", &json!({ "as": "a" })).await.problem(403, "forbidden");
    let stacks = key(json!(["templates:write", "stacks:write"])).await;
    stacks.post("/api/v1/templates/nightly-check/install", &json!({ "as": "a" })).await.problem(403, "forbidden");
    let deploy = json!({ "as": "a", "deploy": true, "target": "edge" });
    stacks.post("/api/v1/templates/shop/install", &deploy).await.problem(403, "forbidden");
    stacks.post("/api/v1/templates/shop/install", &json!({ "as": "a" })).await.expect(201);
    let workflows = key(json!(["templates:write", "workflows:write"])).await;
    let enabled = json!({ "as": "a", "enable": true });
    workflows.post("/api/v1/templates/nightly-check/install", &enabled).await.problem(403, "forbidden");
    served.stop().await;
}
