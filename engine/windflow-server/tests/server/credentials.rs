//! Credentials: whoever may manage secrets sets them, nobody reads their values.

use serde_json::{Value, json};
use windflow_server::Role;

use crate::support::{Client, scripted, serve};

async fn set(client: &Client, name: &str, body: &Value) -> crate::support::Answer {
    client.send(client.request("PUT", &format!("/api/v1/credentials/{name}")).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_set_listed_replaced_and_removed_and_never_read() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    let chat = json!({ "bind": "url", "value": "https://hooks.example.org/T/s3cret" });
    let view = set(&operator, "team_chat", &chat).await.expect(200);
    assert_eq!((&view["bind"], &view["hosts"]), (&json!("url"), &json!(["https://hooks.example.org:443"])));
    assert_eq!(view["updated_by"], "user:operator@local.example");
    let signature = json!({ "hmac": { "header": "X-Hub-Signature-256", "prefix": "sha256=" } });
    let api = json!({ "bind": signature, "hosts": ["api.example.org"], "value": "s3cret-key" });
    set(&operator, "api", &api).await.expect(200);
    let replaced = json!({ "bind": "bearer", "hosts": ["*.example.org"], "value": "s3cret-token" });
    set(&operator, "api", &replaced).await.expect(200);

    let all = operator.get("/api/v1/credentials").await.expect(200);
    assert_eq!((&all["items"][0]["name"], &all["items"][1]["name"]), (&json!("api"), &json!("team_chat")));
    let one = operator.get("/api/v1/credentials/api").await.expect(200);
    assert_eq!((&one["bind"], &one["hosts"]), (&json!("bearer"), &json!(["*.example.org"])));
    assert!(!format!("{view}{all}{one}").contains("s3cret"));

    for (body, says) in [
        (json!({ "bind": "bearer", "hosts": ["*"], "value": "s3cret-token" }), "every host"),
        (json!({ "bind": "bearer", "hosts": ["a b"], "value": "s3cret-token" }), "`hosts`"),
        (json!({ "bind": "bearer", "value": "s3cret-token" }), "`hosts` is missing"),
        (
            json!({ "bind": { "hmac": { "header": "X", "algorithm": "md5" } }, "hosts": ["a.b"], "value": "s3cret-token" }),
            "md5",
        ),
    ] {
        let refused = set(&operator, "bad", &body).await.problem(422, "invalid_credential").to_string();
        assert!(refused.contains(says) && !refused.contains("s3cret"), "{refused}");
    }
    let token_url = "https://login.example.org/token";
    let oauth = json!({ "oauth2": { "token_url": token_url, "grant": "refresh_token", "client_id": "flow", "scopes": ["read"] } });
    let drive = json!({ "bind": oauth, "hosts": ["api.example.org"], "value": "s3cret-refresh", "client_secret": "s3cret-client" });
    let view = set(&operator, "drive", &drive).await.expect(200);
    assert_eq!(
        (&view["bind"]["oauth2"]["token_url"], &view["bind"]["oauth2"]["client_id"]),
        (&json!(token_url), &json!("flow"))
    );
    assert_eq!(view["bind"]["oauth2"]["client_auth"], "basic");
    assert!(!view.to_string().contains("s3cret"), "{view}");
    let nameless =
        json!({ "bind": { "oauth2": { "token_url": token_url } }, "hosts": ["a.b"], "value": "s3cret-client" });
    let refused = set(&operator, "bad", &nameless).await.problem(422, "invalid_credential").to_string();
    assert!(refused.contains("`bind.oauth2.client_id` is missing") && !refused.contains("s3cret"), "{refused}");
    operator.delete("/api/v1/credentials/api").await.expect(204);
    operator.get("/api/v1/credentials/api").await.problem(404, "not_found");
    operator.delete("/api/v1/credentials/api").await.problem(404, "not_found");

    // Another organisation has neither the name nor a way to it; its own of the same name is another.
    let stranger = served.person("other", Role::Admin).await;
    stranger.get("/api/v1/credentials/team_chat").await.problem(404, "not_found");
    assert_eq!(stranger.get("/api/v1/credentials").await.expect(200)["items"], json!([]));
    set(&stranger, "team_chat", &replaced).await.expect(200);
    stranger.delete("/api/v1/credentials/team_chat").await.expect(204);
    assert_eq!(operator.get("/api/v1/credentials/team_chat").await.expect(200)["bind"], "url");
    served.stop().await;
}
