//! Repeating runs, as users of the command line meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use common::{Answer, Place, Witness};
use serde_json::json;

fn document(url: &str, greeting: &str) -> String {
    format!(
        "windflow: 1\nname: greet\npermissions: {{ http: [\"127.0.0.1:*\"] }}\nnodes:\n  \
fetch: {{ uses: http@1, with: {{ url: \"{url}/person\" }} }}\n  \
greet: {{ uses: template@1, with: {{ template: \"{greeting} {{{{ it.who }}}}\", values: {{ it: \"${{{{ nodes.fetch.output.body }}}}\" }} }} }}\n  \
send: {{ uses: http@1, needs: [greet], with: {{ method: POST, url: \"{url}/send\", text: \"${{{{ nodes.greet.output }}}}\" }} }}\n\
outputs: {{ text: \"${{{{ nodes.greet.output }}}}\" }}\n"
    )
}

/// A server that gives a person, then fails once, then works.
fn server() -> Witness {
    let answers = [
        json!({ "status": 200, "body": "{\"who\":\"Ada\"}", "headers": { "content-type": "application/json" } }),
        json!({ "status": 503, "body": "no" }),
        json!({ "status": 200, "body": "yes" }),
    ];
    Witness::start(answers.iter().map(Answer::from_case).collect())
}

#[test]
fn what_succeeded_is_taken_over_and_what_failed_runs_again() {
    let server = server();
    let place = Place::new(&document(&server.url(), "Hello"));
    let file = place.path();
    let (failed, _) = place.report(&["run", file]);
    assert_eq!(failed["error"]["node"], "send", "{failed}");
    let told = place.windflow(&["runs", "rerun", "last", "--dry-run"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    for part in ["reused", "fetch", "again", "it was failed"] {
        assert!(told.contains(part), "{told}");
    }
    let (again, _) = place.report(&["runs", "rerun", "last"]);
    assert_eq!(again["status"], "succeeded", "{again}");
    assert_eq!(again["nodes"]["fetch"]["attempts"], 0, "it was not fetched again: {again}");
    assert_eq!(again["outputs"], json!({ "text": "Hello Ada" }));
    let (a, b) = (failed["run"].as_str().unwrap(), again["run"].as_str().unwrap());
    let diff = place.windflow(&["runs", "diff", a, b]);
    let shown = String::from_utf8_lossy(&diff.stdout).into_owned();
    assert_eq!(diff.status.code(), Some(1));
    assert!(shown.contains("send") && !shown.contains("fetch"), "{shown}");
}

#[test]
fn a_changed_node_and_all_that_follows_it_run_again() {
    let server = server();
    let place = Place::new(&document(&server.url(), "Hello"));
    let file = place.path();
    place.report(&["run", file]);
    std::fs::write(&place.file, document(&server.url(), "Good morning")).unwrap();
    let (again, _) = place.report(&["runs", "rerun", "last", "--with", file]);
    assert_eq!(again["outputs"], json!({ "text": "Good morning Ada" }), "{again}");
    assert_eq!(again["nodes"]["fetch"]["attempts"], 0);
    assert_eq!(again["nodes"]["greet"]["attempts"], 1);
    let unknown = place.windflow(&["runs", "rerun", "last", "--from", "fetsh"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean `fetch`"));
}

#[test]
fn what_was_undone_is_not_taken_over() {
    let document = |message: &str| {
        format!(
            "windflow: 1\nname: trip\nnodes:\n  plan: {{ uses: template@1, with: {{ template: a }} }}\n  \
book: {{ uses: template@1, needs: [plan], compensate: unbook, with: {{ template: seat }} }}\n  \
pay: {{ uses: fail@1, needs: [book], with: {{ message: {message} }} }}\n  \
unbook: {{ uses: template@1, with: {{ template: back }} }}\n"
        )
    };
    let place = Place::new(&document("no"));
    place.report(&["run", place.path()]);
    let (again, _) = place.report(&["runs", "rerun", "last"]);
    assert_eq!(again["nodes"]["plan"]["attempts"], 0, "{again}");
    assert_eq!(again["nodes"]["book"]["attempts"], 1, "what was given back is booked again: {again}");
    assert_eq!(again["nodes"]["unbook"]["attempts"], 1, "and given back again: {again}");
}
