//! Every endpoint there is, from the document: without a token, with too small a role, and from another organisation.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use windflow_server::{Permission, Role};

use crate::openapi::document;
use crate::support::{Answer, Client, PURE, scripted, serve};

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    /// The permission that it asks for; none for those that only want to know who asks; nothing for those open to all.
    needs: Option<Option<String>>,
}

fn operations() -> Vec<Operation> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scopes = operation["security"].as_array().unwrap().iter().find_map(|entry| entry["token"].as_array());
            let needs = scopes.map(|scopes| scopes.first().map(|scope| scope.as_str().unwrap().to_owned()));
            all.push(Operation { method: method.to_uppercase(), path: path.clone(), needs });
        }
    }
    all
}

/// What stands for the parts of paths: things of the organisation `local`.
struct Things {
    run: String,
    user: String,
    key: String,
}

impl Things {
    fn path(&self, operation: &Operation) -> String {
        let id = if operation.path.contains("/users/") { &self.user } else { &self.key };
        // A target and a stack are called as the workflow is.
        let name = if ["/secrets/", "/credentials/"].iter().any(|kind| operation.path.contains(kind)) {
            "token"
        } else {
            "pure"
        };
        operation
            .path
            .replace("{name}", name)
            .replace("{run}", &self.run)
            .replace("{target}", "pure")
            .replace("{deployment}", &self.run)
            .replace("{version}", "1")
            .replace("{kind}", "workflow")
            .replace("{as}", "pure")
            .replace("{node}", "a")
            .replace("{session}", "0123456789abcdef0123456789abcdef")
            .replace("{uses}", "pure@1")
            .replace("{id}", id)
    }
}

impl Operation {
    /// It changes the server, and what belongs to no organisation: those of the organisation that it began with may.
    fn changes_server(&self) -> bool {
        self.path.starts_with("/api/v1/plugins") && self.method != "GET"
    }
}

async fn ask(client: &Client, operation: &Operation, path: &str) -> Answer {
    if operation.changes_server() && operation.method == "POST" {
        let install = operation.path.ends_with("/plugins");
        let query = if install { format!("?digest=sha256:{}", "0".repeat(64)) } else { String::new() };
        let request = client.request("POST", &format!("{path}{query}")).header("content-type", "application/wasm");
        return client.send(request.body("no plugin")).await;
    }
    let request = client.request(&operation.method, path);
    let text =
        ["/workflows", "/document", "/validate", "/drafts/{name}"].iter().any(|end| operation.path.ends_with(end));
    let request = match operation.method.as_str() {
        "GET" | "DELETE" => request,
        "PUT" | "POST" if text => request.header("content-type", "application/yaml").header("if-match", "*").body(PURE),
        _ => request.header("if-match", "*").json(&body(&operation.path)),
    };
    // Streams do not end; what matters is how they begin.
    if operation.path.ends_with("/live") {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        if status == 200 {
            return Answer { status, headers: response.headers().clone(), body: Value::Null };
        }
        let headers = response.headers().clone();
        return Answer { status, headers, body: response.json().await.unwrap() };
    }
    client.send(request).await
}

const STACK: &str = "name: pure\nservices: { web: { image: web } }\n";

fn body(path: &str) -> Value {
    if path == "/api/v1/preview" {
        json!({ "template": 1 })
    } else if path.ends_with("/edits") {
        json!({ "edits": [] })
    } else if path.ends_with("/presence") {
        json!({ "window": "w" })
    } else if path.ends_with("/users") {
        json!({ "email": "new@local.example", "role": "viewer", "password": "correct horse battery" })
    } else if path.contains("/users/") {
        json!({ "role": "viewer" })
    } else if path.ends_with("/api-keys") {
        json!({ "name": "x", "scopes": ["runs:read"] })
    } else if path.contains("/secrets/") {
        json!({ "value": "x" })
    } else if path.ends_with("/targets") || path.contains("/targets/") && !path.ends_with("/import") {
        let mut target = json!({ "address": "tcp://127.0.0.1:1" });
        if path.ends_with("/targets") {
            target["name"] = json!("new");
        }
        target
    } else if path.ends_with("/import") {
        json!({ "csv": "name,address\n" })
    } else if ["/stacks", "/stacks/{name}", "/preview"].iter().any(|end| path.ends_with(end)) {
        json!({ "text": STACK })
    } else if path.ends_with("/reviews") {
        json!({ "stars": 5 })
    } else if path.ends_with("/install") {
        json!({ "as": "pure" })
    } else if path.ends_with("/actions") {
        json!({ "action": "stop" })
    } else if path.ends_with("/scale") {
        json!({ "replicas": { "web": 2 } })
    } else if path.ends_with("/clone") {
        json!({ "name": "copy" })
    } else if path.contains("/credentials/") {
        json!({ "bind": "bearer", "hosts": ["api.example.org"], "value": "s3cret-value" })
    } else if path.ends_with("/answers") {
        json!({ "node": "a", "approved": true })
    } else {
        json!({})
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_asks_who_and_whether_and_whose() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let admin = served.person("local", Role::Admin).await;
    admin.create(PURE).await;
    let run = admin.start("pure", json!({})).await;
    admin.ended(&run).await;
    let set = admin.request("PUT", "/api/v1/secrets/token").json(&json!({ "value": "x" }));
    admin.send(set).await.expect(200);
    let target = json!({ "name": "pure", "address": "tcp://127.0.0.1:1" });
    admin.post("/api/v1/targets", &target).await.expect(201);
    admin.post("/api/v1/stacks", &json!({ "text": STACK })).await.expect(201);
    let template = json!({ "name": "pure", "version": "1.0.0", "category": "data", "title": { "en": "Pure", "fr": "Pur" },
        "summary": { "en": "Pure", "fr": "Pur" } });
    let published = json!({ "from": { "workflow": "pure" }, "template": template });
    admin.post("/api/v1/templates", &published).await.expect(201);
    let set = admin.request("PUT", "/api/v1/credentials/token").json(&body("/credentials/token"));
    admin.send(set).await.expect(200);
    let user = served.person("local", Role::Viewer).await.get("/api/v1/auth/me").await.expect(200);
    let key = admin.post("/api/v1/api-keys", &json!({ "name": "x", "scopes": ["runs:read"] })).await.expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let things = Things { run, user: text(&user["user"]["id"]), key: text(&key["id"]) };
    let before = everything(&admin).await;

    let operations = operations();
    assert!(operations.len() >= 35, "{} operations", operations.len());
    let mut open = BTreeSet::new();
    for operation in &operations {
        let Operation { method, path, needs } = operation;
        let at = things.path(operation);
        let Some(needs) = needs else {
            open.insert(format!("{method} {path}"));
            continue;
        };
        let answer = ask(&served.anonymous(), operation, &at).await;
        assert_eq!(answer.status, 401, "{method} {path} without a token: {}", answer.body);
        answer.problem(401, "unauthorized");
        let Some(needs) = needs else { continue };
        // A key with every scope but the one that it takes.
        let scopes: Vec<&str> =
            Permission::ALL.iter().map(|permission| permission.word()).filter(|word| word != needs).collect();
        let made = admin.post("/api/v1/api-keys", &json!({ "name": "most", "scopes": scopes })).await.expect(201);
        let most = Client { token: Some(text(&made["token"])), ..admin.clone() };
        let answer = ask(&most, operation, &at).await;
        assert_eq!(answer.status, 403, "{method} {path} without {needs}: {}", answer.body);
        admin.delete(&format!("/api/v1/api-keys/{}", text(&made["id"]))).await.expect(204);
    }
    let expected = [
        "GET /api/v1/auth/state",
        "GET /healthz",
        "GET /readyz",
        "GET /startupz",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/logout",
        "POST /api/v1/auth/refresh",
        "POST /api/v1/auth/setup",
    ];
    assert_eq!(open.iter().map(String::as_str).collect::<Vec<_>>(), expected, "these are open to everybody");

    // The smallest role that has a permission may, the next smaller one may not.
    let roles = [Role::Viewer, Role::Editor, Role::Operator, Role::Admin];
    let mut people = Vec::new();
    for role in roles {
        people.push((role, served.person("third", role).await));
    }
    for operation in &operations {
        let Some(Some(needs)) = &operation.needs else { continue };
        let permission = Permission::ALL.into_iter().find(|permission| permission.word() == needs).unwrap();
        for (role, person) in &people {
            let answer = ask(person, operation, &things.path(operation)).await;
            let refused = answer.status == 403;
            assert_eq!(
                refused,
                !role.may(permission) || operation.changes_server(),
                "{} {} as {role:?}: {}",
                operation.method,
                operation.path,
                answer.body
            );
        }
    }

    // Nothing of one organisation is there for the admin of another.
    let stranger = served.person("other", Role::Admin).await;
    for operation in operations.iter().filter(|operation| operation.needs.is_some() && operation.path.contains('{')) {
        if operation.method == "PUT" && operation.path.contains("/{name}") && !operation.path.contains("/workflows/") {
            // It makes a secret or a credential of their own.
            continue;
        }
        let answer = ask(&stranger, operation, &things.path(operation)).await;
        let own = operation.path.contains("/node-types/");
        let expect = match own {
            true => 200,
            false if operation.changes_server() => 403,
            false => 404,
        };
        assert_eq!(answer.status, expect, "{} {} from elsewhere: {}", operation.method, operation.path, answer.body);
    }
    for operation in operations.iter().filter(|operation| operation.changes_server()) {
        ask(&stranger, operation, &things.path(operation)).await.problem(403, "not_your_server");
        let answer = ask(&admin, operation, &things.path(operation)).await;
        assert_ne!(answer.status, 403, "{} {} by its own admin: {}", operation.method, operation.path, answer.body);
    }
    for list in ["workflows", "runs", "api-keys", "users"] {
        let theirs = stranger.get(&format!("/api/v1/{list}")).await.expect(200).to_string();
        for ours in [&things.run, &things.user, &things.key, "local.example", "\"pure\""] {
            assert!(!theirs.contains(ours), "{list} of another organisation shows {ours}: {theirs}");
        }
    }
    assert_eq!(everything(&admin).await, before, "somebody who may not has changed something");
    served.stop().await;
}

/// All that can be listed.
async fn everything(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for list in [
        "workflows",
        "runs",
        "api-keys",
        "users",
        "secrets",
        "credentials",
        "workflows/pure/versions",
        "targets",
        "stacks",
        "deployments",
        "templates",
        "templates/installed",
        "registries",
        "plugins",
    ] {
        all.push(client.get(&format!("/api/v1/{list}")).await.expect(200));
    }
    all
}
