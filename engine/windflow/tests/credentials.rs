//! Credentials from the command line, through the shipped node type `http`, against a server that tries to give them away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::process::Output;

use common::{Answer, Place, Witness, windflow};

const TOKEN: &str = "s3cret-token-0001";

/// Asks the first server with the credential, then hands whatever came back to the second.
fn document(bound: &Witness, stranger: &Witness, granted: &str) -> String {
    format!(
        "windflow: 1\nname: leaky\npermissions: {{ http: [\"127.0.0.1:*\"], credentials: [{granted}] }}\nnodes:\n  \
         ask: {{ uses: http@1, with: {{ url: \"{}/me\", credential: api, fail_on: [], response: text }} }}\n  \
         say: {{ uses: log@1, with: {{ message: \"it said ${{{{ nodes.ask.output.body }}}}\" }} }}\n  \
         tell: {{ uses: http@1, with: {{ method: POST, url: \"{}/told\", json: \"${{{{ nodes.ask.output }}}}\" }} }}\n\
         outputs: {{ answer: \"${{{{ nodes.ask.output }}}}\" }}\n",
        bound.url(),
        stranger.url()
    )
}

fn credentials(place: &Place, bound: &Witness) -> String {
    let path = place.folder.path().join("credentials.toml");
    let text = format!("[api]\nbind = \"bearer\"\nhosts = [\"{}\"]\nenv = \"API_TOKEN\"\n", bound.url());
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Everything that a run leaves: what it printed, and what its journal says.
fn run(place: &Place, file: &str) -> (Output, String) {
    let data = place.folder.path().join("data");
    let output = windflow(&data)
        .env("API_TOKEN", TOKEN)
        .args(["--credentials", file, "run", place.path(), "--json"])
        .output()
        .unwrap();
    let events = windflow(&data).args(["runs", "events", "last", "--json"]).output().unwrap();
    let left = [&output.stdout, &output.stderr, &events.stdout].map(|text| String::from_utf8_lossy(text).into_owned());
    (output, left.concat())
}

#[test]
fn a_server_that_echoes_the_token_gives_it_to_nobody() {
    let echo = Answer {
        status: 200,
        body: format!("authorization: Bearer {TOKEN}; aGVsbG8gczNjcmV0LXRva2VuLTAwMDE="),
        headers: vec![("x-echo".to_owned(), TOKEN.to_owned())],
        after: std::time::Duration::ZERO,
    };
    let (bound, stranger) = (Witness::start(vec![echo]), Witness::start(vec![Answer::ok("{}")]));
    let place = Place::new(&document(&bound, &stranger, "api"));
    let (output, left) = run(&place, &credentials(&place, &bound));
    assert_eq!(output.status.code(), Some(0), "{left}");
    assert_eq!(bound.seen()[0].authorization.as_deref(), Some(&*format!("Bearer {TOKEN}")));
    let told = &stranger.seen()[0];
    assert_eq!(told.authorization, None);
    for text in [&left, &told.body] {
        assert!(!text.contains(TOKEN) && !text.contains("NjcmV0LXRva2VuLTAwMD"), "{text}");
        assert!(text.contains("Bearer *****************"), "{text}");
    }
}

#[test]
fn a_failure_that_holds_the_token_does_not_tell_it() {
    let body = format!("{{\"error\": \"{TOKEN} is no good\"}}");
    let refused = Answer { status: 500, body, headers: Vec::new(), after: std::time::Duration::ZERO };
    let (bound, stranger) = (Witness::start(vec![refused]), Witness::start(Vec::new()));
    let document = document(&bound, &stranger, "api").replace("fail_on: [], ", "");
    let place = Place::new(&document);
    let (output, left) = run(&place, &credentials(&place, &bound));
    assert_eq!(output.status.code(), Some(1), "{left}");
    assert!(left.contains("***************** is no good") && !left.contains(TOKEN), "{left}");
    assert!(stranger.seen().is_empty());
}

#[test]
fn what_is_not_granted_or_not_there_is_said_before_anything_is_sent() {
    let (bound, stranger) = (Witness::start(Vec::new()), Witness::start(Vec::new()));
    let place = Place::new(&document(&bound, &stranger, ""));
    let file = credentials(&place, &bound);
    let (output, left) = run(&place, &file);
    assert_eq!(output.status.code(), Some(2), "{left}");
    assert!(left.contains("permissions: { credentials: [api] }"), "{left}");

    let place = Place::new(&document(&bound, &stranger, "api"));
    let output = place.windflow(&["run", place.path()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("there is no credential named api") && stderr.contains("--credentials FILE"), "{stderr}");

    // From the environment alone.
    let document = format!("{{\"bind\": \"bearer\", \"hosts\": [\"{}\"], \"value\": \"{TOKEN}\"}}", bound.url());
    let data = place.folder.path().join("data");
    windflow(&data).env("WINDFLOW_CREDENTIAL_API", document).args(["run", place.path()]).output().unwrap();
    assert_eq!(bound.seen()[0].authorization.as_deref(), Some(&*format!("Bearer {TOKEN}")));
    let bad = windflow(&data).env("WINDFLOW_CREDENTIAL_API", "{}").args(["run", place.path()]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2), "{}", String::from_utf8_lossy(&bad.stderr));
}
