//! OAuth 2 on the command line, through the shipped node type `http`, against a real token server (made of oauthlib) and a server that
//! tells everybody which token it was sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::time::Duration;

use common::{Place, Tool, windflow};
use serde_json::{Value, json};

const SECRET: &str = "cl1ent: s3cret/+";
const REFRESH: &str = "refresh-0000-s3cret";

struct TokenServer {
    tool: Tool,
    address: String,
}

/// What a run left: its report, everything that it told, and what it asked of the token server.
struct Left {
    report: Value,
    told: String,
    asked: Vec<String>,
}

impl TokenServer {
    fn start() -> Self {
        let tool = Tool::start("token-server", &[]);
        let address = tool.begun();
        Self { tool, address }
    }

    /// Runs these nodes with this client of the token server.
    fn run(&self, place: &Place, oauth: &Value, value: &str, nodes: &Value) -> Left {
        let mut bind = json!({ "token_url": format!("{}/token", self.address), "client_id": "flow & co" });
        bind.as_object_mut().unwrap().extend(oauth.as_object().unwrap().clone());
        let mut credential = json!({ "bind": { "oauth2": bind }, "hosts": [self.address], "value": value });
        if oauth["grant"] == "refresh_token" {
            credential["client_secret"] = json!(SECRET);
        }
        let document = json!({
            "windflow": 1, "name": "asks", "permissions": { "http": [self.address], "credentials": ["crm"] },
            "nodes": nodes, "outputs": { "last": "${{ nodes.last.output }}" },
        });
        std::fs::write(&place.file, document.to_string()).unwrap();
        let data = place.folder.path().join("data");
        let output = windflow(&data)
            .env("WINDFLOW_CREDENTIAL_CRM", credential.to_string())
            .args(["run", place.path(), "--json"])
            .output()
            .unwrap();
        let events = windflow(&data).args(["runs", "events", "last", "--json"]).output().unwrap();
        let told =
            [&output.stdout, &output.stderr, &events.stdout].map(|text| String::from_utf8_lossy(text).into_owned());
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told[1]));
        // The server has said what it was asked before it answered.
        let asked = std::iter::from_fn(|| self.tool.line(Duration::from_millis(200))).collect();
        let told = told.concat();
        for secret in [SECRET, REFRESH, "cl1ent%3A"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        Left { report, told, asked }
    }

    fn me(&self) -> Value {
        json!({ "url": format!("{}/me", self.address), "credential": "crm" })
    }
}

#[test]
fn a_client_gets_one_token_for_all_its_nodes_and_another_when_that_is_forgotten() {
    let server = TokenServer::start();
    let asks = json!({ "uses": "http@1", "with": server.me() });
    let nodes = json!({
        "many": { "uses": "http@1", "with": server.me(), "for_each": [1, 2, 3, 4, 5, 6, 7, 8], "concurrency": 8 },
        "forget": { "uses": "http@1", "needs": ["many"], "with": { "url": format!("{}/forget", server.address), "method": "POST" } },
        "last": { "uses": "http@1", "needs": ["forget"], "with": asks["with"] },
    });
    for oauth in [json!({ "scopes": ["read", "write"] }), json!({ "client_auth": "body" })] {
        let left = server.run(&Place::new(""), &oauth, SECRET, &nodes);
        assert_eq!(left.report["status"], "succeeded", "{}", left.told);
        // One for eight nodes at the same time, and one more since the server forgot that.
        assert_eq!(left.asked, ["client_credentials 200", "client_credentials 200"], "{}", left.told);
        let you = left.report["outputs"]["last"]["body"]["you"].as_str().unwrap();
        let token = you.strip_prefix("Bearer ").expect("a token");
        assert!(token.len() >= 20 && token.bytes().all(|byte| byte == b'*'), "{you}");
    }
}

#[test]
fn what_the_token_server_refuses_is_told_without_the_secret() {
    let server = TokenServer::start();
    let nodes = json!({ "last": { "uses": "http@1", "with": server.me(), "retry": { "attempts": 3 } } });
    for (oauth, value, says) in [
        (json!({}), "wr0ng-s3cret", "refused with status 401: invalid_client"),
        (json!({ "scopes": ["admin"] }), SECRET, "refused with status 400: invalid_scope"),
        (json!({ "grant": "refresh_token" }), "wr0ng-s3cret", "refused with status 400: invalid_grant"),
    ] {
        let left = server.run(&Place::new(""), &oauth, value, &nodes);
        let error = &left.report["nodes"]["last"]["error"];
        assert_eq!(error["code"], "token_refused", "{}", left.told);
        assert!(error["message"].as_str().unwrap().contains(says) && !left.told.contains(value), "{}", left.told);
        assert_eq!(left.asked.len(), 1, "a refusal is final: {:?}", left.asked);
    }
}

#[test]
fn a_refresh_token_that_is_replaced_is_used_on_and_the_command_line_says_that_it_cannot_keep_it() {
    let server = TokenServer::start();
    let nodes = json!({
        "first": { "uses": "http@1", "with": server.me() },
        "forget": { "uses": "http@1", "needs": ["first"], "with": { "url": format!("{}/forget", server.address), "method": "POST" } },
        "last": { "uses": "http@1", "needs": ["forget"], "with": server.me() },
    });
    let place = Place::new("");
    let left = server.run(&place, &json!({ "grant": "refresh_token" }), REFRESH, &nodes);
    // The second one shows what the first one gave: the server takes each refresh token once.
    assert_eq!(left.report["status"], "succeeded", "{}", left.told);
    assert_eq!(left.asked, ["refresh_token 200", "refresh_token 200"], "{}", left.told);
    assert!(left.told.contains("gave a new refresh token for the credential crm"), "{}", left.told);

    let left = server.run(&place, &json!({ "grant": "refresh_token" }), REFRESH, &nodes);
    assert_eq!(left.report["nodes"]["first"]["error"]["code"], "token_refused", "{}", left.told);
    assert!(left.told.contains("may have been used, withdrawn or expired"), "{}", left.told);
}
