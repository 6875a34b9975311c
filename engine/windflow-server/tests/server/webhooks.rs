//! Webhooks: genuine requests start runs, all others nothing.

use ring::hmac;
use serde_json::{Value, json};
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{Answer, Client, Served, eventually, real_host, scripted, serve};

fn hooked(name: &str, with: &str) -> String {
    format!(
        "windflow: 1\nname: {name}\ninputs:\n  who: {{ type: string, default: nobody }}\n  seen: {{ default: null }}\ntriggers:\n  \
         hook:\n    uses: webhook\n    with: {{ {with} }}\n    inputs: {{ who: \"${{{{ trigger.body.who }}}}\", seen: \"${{{{ trigger }}}}\" }}\n\
         nodes:\n  a: {{ uses: pure@1, with: {{ who: \"${{{{ inputs.who }}}}\" }} }}\noutputs: {{ who: \"${{{{ nodes.a.output.who }}}}\" }}\n"
    )
}

async fn enable(client: &Client, text: &str) -> Answer {
    let name = client.create(text).await["name"].as_str().unwrap().to_owned();
    client.post(&format!("/api/v1/workflows/{name}/enable"), &json!({})).await
}

async fn set_secret(client: &Client, name: &str, value: &str) {
    let set = client.request("PUT", &format!("/api/v1/secrets/{name}")).json(&json!({ "value": value }));
    client.send(set).await.expect(200);
}

async fn knock(served: &Served, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let anybody = served.anonymous();
    let mut request = anybody.request("POST", path).header("content-type", "application/json").body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    anybody.send(request).await
}

async fn count(client: &Client) -> usize {
    client.get("/api/v1/runs").await.expect(200)["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_start_runs_while_the_workflow_is_enabled() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let text = hooked("greet", "path: in/coming, auth: none");
    operator.create(&text).await;
    let path = "/hooks/local/in/coming";
    knock(&served, path, &[], "{\"who\":\"Zoé\"}").await.problem(404, "not_found");
    operator.post("/api/v1/workflows/greet/enable", &json!({})).await.expect(200);
    let started = knock(
        &served,
        &format!("{path}?a=1&b=%20x"),
        &[("x-thing", "yes"), ("authorization", "Bearer s3cret")],
        "{\"who\":\"Zoé\"}",
    )
    .await;
    let run = started.expect(202)["run"].as_str().unwrap().to_owned();
    let ended = operator.ended(&run).await;
    assert_eq!((&ended["outputs"]["who"], &ended["started_by"]), (&json!("Zoé"), &json!("webhook:hook")));
    let seen = &ended["inputs"]["seen"];
    assert_eq!(
        (&seen["query"], &seen["headers"]["x-thing"], &seen["method"]),
        (&json!({ "a": "1", "b": " x" }), &json!("yes"), &json!("POST"))
    );
    assert!(!ended.to_string().contains("s3cret"), "what shows who somebody is was kept");

    // What does not fit starts nothing, and says why.
    knock(&served, path, &[], "{").await.problem(400, "invalid_json");
    knock(&served, path, &[], "{\"who\":7}").await.problem(422, "invalid_inputs");
    knock(&served, path, &[], "[]").await.problem(422, "webhook_inputs");
    served.anonymous().get(path).await.problem(405, "method_not_allowed");
    knock(&served, "/hooks/other/in/coming", &[], "{}").await.problem(404, "not_found");
    knock(&served, "/hooks/local/elsewhere", &[], "{}").await.problem(404, "not_found");
    knock(&served, path, &[], &format!("\"{}\"", "x".repeat(3 << 20))).await.problem(413, "too_large");
    assert_eq!(count(&operator).await, 1);

    // It goes on after a restart, with a new text at once, and stops when it is disabled.
    served.stop().await;
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    knock(&served, path, &[], "{\"who\":\"b\"}").await.expect(202);
    let moved = text.replace("in/coming", "moved");
    operator.yaml("PUT", "/api/v1/workflows/greet/document", &moved, Some("*")).await.expect(200);
    knock(&served, path, &[], "{\"who\":\"b\"}").await.problem(404, "not_found");
    knock(&served, "/hooks/local/moved", &[], "{\"who\":\"b\"}").await.expect(202);
    let triggers = operator.get("/api/v1/workflows/greet/triggers").await.expect(200);
    assert_eq!((&triggers[0]["path"], &triggers[0]["auth"]), (&json!("/hooks/local/moved"), &json!("none")));
    operator.post("/api/v1/workflows/greet/disable", &json!({})).await.expect(200);
    knock(&served, "/hooks/local/moved", &[], "{\"who\":\"b\"}").await.problem(404, "not_found");
    operator.post("/api/v1/workflows/greet/enable", &json!({})).await.expect(200);
    operator.delete("/api/v1/workflows/greet").await.expect(204);
    knock(&served, "/hooks/local/moved", &[], "{\"who\":\"b\"}").await.problem(404, "not_found");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_genuine_requests_get_in() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    enable(&operator, &hooked("bearer", "path: bearer, auth: { bearer: token }")).await.expect(200);
    enable(&operator, &hooked("basic", "path: basic, auth: { basic: pair }")).await.expect(200);
    enable(&operator, &hooked("signed", "path: signed, auth: { hmac: { secret: key } }")).await.expect(200);
    enable(&operator, &hooked("header", "path: header, auth: { header: { name: X-Gitlab-Token, secret: token } }"))
        .await
        .expect(200);
    let body = "{\"who\": \"Zoé\"}";
    let good = [("authorization", "Bearer open-sesame")];
    // Without the secret nobody gets in.
    knock(&served, "/hooks/local/bearer", &good, body).await.problem(401, "unauthorized");
    set_secret(&operator, "token", "open-sesame").await;
    set_secret(&operator, "pair", "me:pass").await;
    set_secret(&operator, "key", "signing key").await;
    knock(&served, "/hooks/local/bearer", &good, body).await.expect(202);
    knock(&served, "/hooks/local/basic", &[("authorization", "Basic bWU6cGFzcw==")], body).await.expect(202);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"signing key"), body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("sha256={hex}");
    let run = knock(&served, "/hooks/local/signed", &[("x-hub-signature-256", &signature)], body).await.expect(202);
    let ended = operator.ended(run["run"].as_str().unwrap()).await;
    assert!(!ended.to_string().contains(&hex), "a signature was kept");
    knock(&served, "/hooks/local/header", &[("x-gitlab-token", "open-sesame")], body).await.expect(202);
    assert_eq!(count(&operator).await, 4);

    for (path, headers, body) in [
        ("bearer", vec![], body),
        ("bearer", vec![("authorization", "Bearer open-sesamf")], body),
        ("bearer", vec![("authorization", "Basic bWU6cGFzcw==")], body),
        ("basic", vec![("authorization", "Basic bWU6cGFzcg==")], body),
        ("basic", vec![], body),
        ("header", vec![], body),
        ("header", vec![("x-gitlab-token", "open-sesamf")], body),
        ("header", vec![("authorization", "Bearer open-sesame")], body),
        ("signed", vec![], body),
        ("signed", vec![("x-hub-signature-256", signature.as_str())], "{\"who\":\"Zoé\"}"),
        ("signed", vec![("x-hub-signature-256", &hex)], body),
    ] {
        knock(&served, &format!("/hooks/local/{path}"), &headers, body).await.problem(401, "unauthorized");
    }
    assert_eq!(count(&operator).await, 4, "a request that was refused started a run");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_can_answer_with_the_result() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let operator = served.person("local", Role::Operator).await;
    let text = "windflow: 1\nname: sum\ninputs:\n  all: { type: array }\ntriggers:\n  hook:\n    uses: webhook\n    \
        with: { path: sum, auth: none, reply: result }\n    inputs: { all: \"${{ trigger.body }}\" }\nnodes:\n  \
        add: { uses: transform@1, with: { input: \"${{ inputs.all }}\", jq: add } }\noutputs: { sum: \"${{ nodes.add.output }}\" }\n";
    enable(&operator, text).await.expect(200);
    let answer = knock(&served, "/hooks/local/sum", &[], "[1,2,39]").await;
    let run = answer.header("windflow-run").to_owned();
    assert_eq!(answer.expect(200), json!({ "sum": 42 }));
    // Its end was durable before it was told.
    assert_eq!(operator.get(&format!("/api/v1/runs/{run}")).await.expect(200)["status"], "succeeded");
    let failed = knock(&served, "/hooks/local/sum", &[], "[1,\"x\"]").await.problem(500, "run_failed");
    assert!(!failed.to_string().contains("jq"), "why a run failed was told to an outsider");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knocks_twice_with_a_key_starts_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    // Its inputs hold the whole request, headers included.
    enable(&operator, &hooked("greet", "path: in, auth: none")).await.expect(200);
    let key = ("idempotency-key", "delivery-1");
    let first = knock(&served, "/hooks/local/in", &[key, ("traceparent", "one")], "{\"who\":\"a\"}").await.expect(202);
    let second = knock(&served, "/hooks/local/in", &[key, ("traceparent", "two")], "{\"who\":\"a\"}").await.expect(202);
    assert_eq!(first, second);
    knock(&served, "/hooks/local/in", &[key], "{\"who\":\"b\"}").await.problem(422, "idempotency_key_reused");
    knock(&served, "/hooks/local/in?x=1", &[key], "{\"who\":\"a\"}").await.problem(422, "idempotency_key_reused");
    assert_eq!(count(&operator).await, 1);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_belongs_to_one_workflow_of_an_organisation() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let other = served.person("other", Role::Operator).await;
    enable(&operator, &hooked("one", "path: in, auth: none")).await.expect(200);
    enable(&operator, &hooked("two", "path: /in/, auth: none")).await.problem(409, "webhook_path_taken");
    assert_eq!(operator.get("/api/v1/workflows/two").await.expect(200)["enabled"], false);
    enable(&operator, &hooked("put", "path: in, auth: none, method: PUT")).await.expect(200);
    enable(&other, &hooked("one", "path: in, auth: none")).await.expect(200);
    operator.post("/api/v1/workflows/one/disable", &json!({})).await.expect(200);
    operator.post("/api/v1/workflows/two/enable", &json!({})).await.expect(200);
    let run: Value = knock(&served, "/hooks/local/in", &[], "{\"who\":\"a\"}").await.expect(202);
    assert_eq!(operator.ended(run["run"].as_str().unwrap()).await["workflow"], "two");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_requests_survive_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let hanging = || scripted(&[("a", Outcome::Hang)]);
    let served = serve(dir.path(), hanging()).await;
    let operator = served.person("local", Role::Operator).await;
    let text = hooked("greet", "path: in, auth: none").replace("pure@1", "effect@1");
    enable(&operator, &text).await.expect(200);
    let knocks = (0..40).map(|number| {
        let anybody = served.anonymous();
        tokio::spawn(async move {
            let request = anybody.request("POST", "/hooks/local/in").json(&json!({ "who": number.to_string() }));
            anybody.send(request).await.expect(202)["run"].as_str().unwrap().to_owned()
        })
    });
    let mut runs = Vec::new();
    for run in futures::future::join_all(knocks).await {
        runs.push(run.unwrap());
    }
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.signed_in("operator@local.example").await;
    for run in &runs {
        assert_eq!(operator.ended(run).await["status"], "succeeded");
    }
    eventually(async || count(&operator).await == 40).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_set_is_told_when_a_workflow_is_enabled() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let text = hooked("greet", "path: in, auth: { bearer: token }");
    let text = text.replace("triggers:\n", "permissions: { credentials: [chat, mail] }\ntriggers:\n  nightly: { uses: cron, with: { schedule: \"0 3 * * *\" } }\n");
    let enabled = enable(&operator, &text).await.expect(200);
    let warnings = enabled["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect();
    assert_eq!(
        (codes, &enabled["enabled"]),
        (vec!["missing_secret", "missing_credential", "missing_credential"], &json!(true)),
        "{enabled}"
    );
    assert!(warnings[0]["remedy"].as_str().unwrap().contains("/api/v1/secrets/token"), "{enabled}");
    assert!(warnings[1]["line"].as_u64().unwrap() > 1, "{enabled}");
    let lacks = async || {
        let of_workflow = operator.get("/api/v1/workflows/greet/triggers").await.expect(200);
        let all = operator.get("/api/v1/triggers").await.expect(200)["items"].clone();
        let told = |list: &Value, name: &str| {
            let trigger = list.as_array().unwrap().iter().find(|trigger| trigger["name"] == name).unwrap();
            let lacks = trigger["lacks"].as_array().unwrap().iter();
            lacks.map(|lack| format!("{} {}", lack["kind"].as_str().unwrap(), lack["name"].as_str().unwrap())).collect()
        };
        let both: [Vec<String>; 2] = [told(&all, "hook"), told(&all, "nightly")];
        assert_eq!(both, [told(&of_workflow, "hook"), told(&of_workflow, "nightly")]);
        both
    };
    let credentials = ["credential chat".to_owned(), "credential mail".to_owned()];
    let [hook, nightly] = lacks().await;
    assert_eq!((&hook[0], &hook[1..], &nightly[..]), (&"secret token".to_owned(), &credentials[..], &credentials[..]));
    set_secret(&operator, "token", "open-sesame").await;
    let credential = json!({ "bind": "bearer", "hosts": ["api.example.org"], "value": "s3cret" });
    operator.send(operator.request("PUT", "/api/v1/credentials/chat").json(&credential)).await.expect(200);
    assert_eq!(lacks().await, [["credential mail"]; 2]);
    operator.send(operator.request("PUT", "/api/v1/credentials/mail").json(&credential)).await.expect(200);
    assert_eq!(lacks().await, [[""; 0]; 2]);
    let enabled = operator.post("/api/v1/workflows/greet/enable", &json!({})).await.expect(200);
    assert_eq!(enabled["warnings"], json!([]));
    served.stop().await;
}
