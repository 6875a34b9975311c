//! What a workflow keeps between its runs, through several processes and the store on disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use common::{Place, windflow};
use serde_json::{Value, json};

fn document(name: &str, permissions: &Value) -> Value {
    json!({
        "windflow": 1, "name": name,
        "inputs": { "items": { "type": "array", "default": [] } },
        "permissions": permissions,
        "nodes": {
            "count": { "uses": "state@1", "with": { "key": "runs", "action": { "add": 1 } } },
            "fresh": { "uses": "seen@1", "with": { "key": "items", "items": "${{ inputs.items }}", "by": "id" } },
        },
        "outputs": { "runs": "${{ nodes.count.output.value }}", "fresh": "${{ nodes.fresh.output }}" },
    })
}

/// Runs the place's workflow in a process of its own.
fn run(place: &Place, data: &Place, items: &Value) -> Value {
    let output = windflow(&data.folder.path().join("data"))
        .args(["run", place.path(), "--json", "-i", &format!("items={items}")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    assert_eq!(report["status"], "succeeded", "{report:#}");
    report["outputs"].clone()
}

#[test]
fn a_run_finds_what_the_runs_before_it_have_kept_and_nobody_else_does() {
    let place = Place::new(&document("ours", &json!({ "state": true })).to_string());
    let [a, b, c] = ["a", "b", "c"].map(|id| json!({ "id": id }));
    let outputs = run(&place, &place, &json!([a, b]));
    assert_eq!(outputs, json!({ "runs": 1, "fresh": [a, b] }));
    let outputs = run(&place, &place, &json!([c, b]));
    assert_eq!(outputs, json!({ "runs": 2, "fresh": [c] }));

    let stranger = Place::new(&document("theirs", &json!({ "state": true })).to_string());
    let outputs = run(&stranger, &place, &json!([a]));
    assert_eq!(outputs, json!({ "runs": 1, "fresh": [a] }));
}

#[test]
fn whoever_does_not_grant_it_is_told_the_line_to_add() {
    let place = Place::new(&document("ours", &json!({})).to_string());
    let output = windflow(&place.folder.path().join("data")).args(["run", place.path()]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in ["state_not_granted", "`state@1`", "permissions: { state: true }"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn what_is_kept_can_be_seen_and_cleared() {
    let place = Place::new(&document("ours", &json!({ "state": true })).to_string());
    let [a, b] = ["a", "b"].map(|id| json!({ "id": id }));
    run(&place, &place, &json!([a, b]));
    let says = |arguments: &[&str]| {
        let output = place.windflow(arguments);
        let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
        (output.status.code(), told)
    };
    let (keepers, _) = place.report(&["state", "list"]);
    assert_eq!((&keepers[0]["workflow"], keepers[0]["keys"].as_u64()), (&json!("ours"), Some(2)));
    let (values, _) = place.report(&["state", "list", "ours"]);
    let runs = values.as_array().unwrap().iter().find(|kept| kept["key"] == "runs").expect("the counter");
    assert_eq!(runs["value"], 1);
    assert_eq!(says(&["state", "show", "ours", "runs"]), (Some(0), "1\n".to_owned()));
    assert!(says(&["state", "list"]).1.contains("ours") && says(&["state", "list", "ours"]).1.contains("runs"));
    let (status, told) = says(&["state", "show", "ours", "other"]);
    assert!(status == Some(2) && told.contains("windflow state list ours"), "{told}");

    assert_eq!(says(&["state", "clear", "ours", "runs"]), (Some(0), "1 value of ours is cleared\n".to_owned()));
    assert_eq!(says(&["state", "clear", "ours", "runs"]).0, Some(2));
    // The counter begins anew; what was seen is still known.
    assert_eq!(run(&place, &place, &json!([a])), json!({ "runs": 1, "fresh": [] }));
    assert_eq!(says(&["state", "clear", "ours"]), (Some(0), "2 values of ours are cleared\n".to_owned()));
    assert!(says(&["state", "list"]).1.contains("No workflow keeps anything."));
    assert_eq!(run(&place, &place, &json!([a])), json!({ "runs": 1, "fresh": [a] }));
}
