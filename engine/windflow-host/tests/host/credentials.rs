//! Credentials: added by the host, towards their own hosts, where the workflow grants them; and nowhere else to be had.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use windflow_core::credential::Credential;
use windflow_core::failure::FailureKind::{Denied, Node, Unavailable};
use windflow_core::id::OrganisationId;
use windflow_core::ports::credentials::Credentials;
use windflow_host::{HostConfig, PluginHost};

use crate::support::server::Server;
use crate::support::{Attempt, guest, host_with};

const SECRET: &str = "s3cret-värde/+1";
const TOKEN: &str = "s3cret-token-0001";

struct Kept(HashMap<&'static str, Value>);

impl Credentials for Kept {
    fn get(&self, organisation: &OrganisationId, name: &str) -> Result<Option<Arc<Credential>>, String> {
        if name == "broken" {
            return Err("it was encrypted with another key".to_owned());
        }
        let found = self.0.get(name).filter(|_| *organisation == OrganisationId::local());
        Ok(found.map(|document| Arc::new(serde_json::from_value(document.clone()).unwrap())))
    }

    fn how_to_set(&self, name: &str) -> String {
        format!("Set it with --credentials ({name})")
    }
}

/// A host with this guest, and credentials that are bound to the servers.
fn host(guest: &str, server: &Server) -> PluginHost {
    let hosts = [format!("http://{}", server.authority())];
    let of = |bind: Value, value: &str| json!({ "bind": bind, "hosts": hosts, "value": value });
    let signed = json!({ "hmac": { "header": "X-Signature", "prefix": "sha256=" } });
    let timed = json!({ "hmac": {
        "header": "X-Signature", "timestamp_header": "X-Time", "algorithm": "sha512", "encoding": "base64",
    } });
    let kept = HashMap::from([
        ("bearer", of(json!("bearer"), TOKEN)),
        ("basic", of(json!({ "basic": { "username": "ada" } }), SECRET)),
        ("header", of(json!({ "header": { "name": "X-Api-Key" } }), TOKEN)),
        ("query", of(json!({ "query": { "name": "api key" } }), SECRET)),
        ("url", json!({ "bind": "url", "value": format!("http://{}/T/{TOKEN}?a=1", server.authority()) })),
        ("signed", of(signed, TOKEN)),
        ("timed", of(timed, TOKEN)),
    ]);
    host_with(HostConfig { credentials: Arc::new(Kept(kept)), ..HostConfig::default() }, guest)
}

/// A request that names a credential, which the workflow grants.
fn request(credential: &str, lines: &str) -> Attempt {
    let config = json!({ "credential": credential, "request": format!("|{}", lines.replace('\n', "|")) });
    let mut attempt = Attempt::of("http").config(&config.to_string()).grant(&["127.0.0.1:*"]);
    attempt.grants.credentials = vec![credential.to_owned()];
    attempt
}

fn heads(server: &Server) -> Vec<String> {
    server.seen.heads.lock().unwrap().clone()
}

#[tokio::test]
async fn each_kind_of_binding_is_put_where_it_belongs() {
    let server = Server::start().await;
    let host = host("http", &server);
    let at = server.authority();
    for (credential, lines, expect) in [
        ("bearer", format!("{at}\n/ok"), vec!["authorization: Bearer s3cret-token-0001\r\n"]),
        // What the guest sends in its place is replaced.
        (
            "bearer",
            format!("{at}\n/ok\nAuthorization\nBearer mine"),
            vec!["authorization: Bearer s3cret-token-0001\r\n"],
        ),
        ("basic", format!("{at}\n/ok"), vec!["authorization: Basic YWRhOnMzY3JldC12w6RyZGUvKzE=\r\n"]),
        ("header", format!("{at}\n/ok\nx-api-key\nmine"), vec!["x-api-key: s3cret-token-0001\r\n"]),
        ("query", format!("{at}\n/ok?a=b&api%20key=mine"), vec!["GET /ok?a=b&api%20key=s3cret-v%C3%A4rde%2F%2B1 HTTP"]),
        ("url", "credential.invalid\n/".to_owned(), vec!["GET /T/s3cret-token-0001?a=1 HTTP"]),
        ("url", "credential.invalid\n/elsewhere?b=2".to_owned(), vec!["GET /T/s3cret-token-0001?a=1&b=2 HTTP"]),
        (
            "signed",
            format!("{at}\n/ok"),
            // HMAC-SHA256 of nothing under the token, by `openssl dgst -sha256 -hmac`.
            vec!["x-signature: sha256=0d60a56d2f87f3473f1785aa9a8625e3feacdc6ce2875d692ada8a68ebd866df\r\n"],
        ),
        ("timed", format!("{at}\n/ok"), vec!["x-signature: ", "x-time: 1"]),
    ] {
        request(credential, &lines).gives(&host, "[200,5]").await;
        let head = heads(&server).pop().unwrap();
        for part in expect {
            assert!(head.contains(part), "{credential} {lines:?}: {head} has no {part}");
        }
        assert!(!head.contains("mine"), "{head}");
    }
}

#[tokio::test]
async fn it_goes_to_no_other_host_whatever_the_guest_tries() {
    let (server, stranger) = (Server::start().await, Server::start().await);
    let host = host("http", &server);
    let elsewhere = stranger.authority();
    for credential in ["bearer", "basic", "header", "query", "signed", "url"] {
        // Straight, and by a redirect of the host that may have it.
        request(credential, &format!("{elsewhere}\n/ok")).gives(&host, "[200,5]").await;
        let redirected = request(credential, &format!("{}\n/to/{elsewhere}/ok", server.authority()));
        redirected.gives(&host, "[200,5]").await;
        let told = redirected.heard.lines.lock().unwrap().pop().unwrap().1;
        assert!(told.contains("was not sent to http://127.0.0.1:") && told.contains("it is bound to"), "{told}");
    }
    assert_eq!(stranger.requests(), 12);
    for head in heads(&stranger) {
        let lower = head.to_lowercase();
        // A server that sends the query along in its redirect has it blotted out there.
        let leaks = ["s3cret", "czncc", "authorization", "x-api-key", "x-signature"];
        assert!(leaks.iter().all(|leak| !lower.contains(leak)), "{head}");
    }
    // A name in front of the host does not make it another.
    let tricked = request("bearer", &format!("{}@{elsewhere}\n/ok", server.authority()));
    tricked.fails(&host, Denied, "neither a host name nor an address").await;
}

#[tokio::test]
async fn only_what_the_workflow_grants_and_the_organisation_has() {
    let server = Server::start().await;
    let host = host("http", &server);
    let lines = format!("{}\n/ok", server.authority());
    let mut ungranted = request("bearer", &lines);
    ungranted.grants.credentials = vec!["basic".to_owned()];
    let failure = ungranted.fails(&host, Denied, "permissions:\n  credentials: [bearer]").await;
    assert_eq!(failure.code, "denied");
    let failure = request("nothing", &lines).fails(&host, Denied, "Set it with --credentials (nothing)").await;
    assert_eq!(failure.code, "credential_missing");
    request("broken", &lines).fails(&host, Unavailable, "another key").await;
    // It does not widen what may be reached.
    let mut nowhere = request("url", "credential.invalid\n/");
    nowhere.grants.http.clear();
    let failure = nowhere.fails(&host, Denied, "does not grant it").await;
    assert!(!failure.message.contains("s3cret"), "{failure}");
    request("bearer", "credential.invalid\n/").fails(&host, Denied, "wants one that is a whole address").await;
    let unnamed = Attempt::of("http").config("credential.invalid\n/").grant(&["127.0.0.1:*"]);
    unnamed.fails(&host, Denied, "add `credential: NAME`").await;
    assert_eq!(server.requests(), 0);

    // A plugin that does not ask has none, whatever its configuration says.
    let modest = PluginHost::new(HostConfig::default()).unwrap();
    modest.install(guest("http", &json!({ "http": ["*"] }))).unwrap();
    request("bearer", &lines).gives(&modest, "[200,5]").await;
    assert!(!heads(&server)[0].contains("s3cret"));
}

/// Should a guest come by the value after all, it cannot tell anybody.
#[tokio::test]
async fn it_is_blotted_out_of_everything_that_an_attempt_says() {
    let server = Server::start().await;
    for guest in ["echo", "tells_all"] {
        let host = host(guest, &server);
        let config = json!({ "credential": "bearer", "in": TOKEN, "encoded": "czNjcmV0LXRva2VuLTAwMDE=" }).to_string();
        let mut attempt = Attempt::of(guest).config(&config);
        attempt.grants.credentials = vec!["bearer".to_owned()];
        let mut said = Vec::new();
        if guest == "echo" {
            said.push(attempt.run(&host).await.unwrap().output.text().to_owned());
        } else {
            let failure = attempt.fails(&host, Node, "credential").await;
            said.push(format!("{failure:?}"));
            said.push(attempt.heard.lines.lock().unwrap().pop().unwrap().1);
            said.push(attempt.heard.progress.lock().unwrap().pop().unwrap().1);
        }
        for said in said {
            assert!(
                !said.contains(TOKEN) && !said.contains("0LXRva2VuLTAwMD") && said.contains("***"),
                "{guest}: {said}"
            );
        }
    }
}
