//! Every case of every shipped workflow, run by the real binary against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::{Path, PathBuf};

use common::{Answer, Witness, windflow};
use serde_json::{Map, Value};

fn cases() -> Vec<PathBuf> {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let mut found = Vec::new();
    for workflow in std::fs::read_dir(workflows).unwrap() {
        let folder = workflow.unwrap().path();
        let cases: Vec<_> = std::fs::read_dir(folder.join("cases"))
            .unwrap_or_else(|_| panic!("{} has no cases", folder.display()))
            .map(|case| case.unwrap().path())
            .collect();
        assert!(
            !cases.is_empty() && folder.join("README.md").exists(),
            "{} needs cases and a README",
            folder.display()
        );
        found.extend(cases);
    }
    found.sort();
    found
}

fn check(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let folder = path.parent().unwrap().parent().unwrap();
    let answers =
        common::yaml(&text)["server"].as_array().map(|answers| answers.iter().map(Answer::from_case).collect());
    let witness = Witness::start(answers.unwrap_or_default());
    let case = common::yaml(&text.replace("${SERVER}", &witness.url()).replace("${CLOSED}", &common::closed_address()));

    let data = tempfile::tempdir().unwrap();
    let mut command = windflow(data.path());
    command.arg("run").arg(folder.join("workflow.yaml")).args(["--json", "--allow", "127.0.0.1:*"]);
    let inputs = data.path().join("inputs.json");
    match case["input_file"].as_str() {
        Some(file) => command.arg("--input-file").arg(folder.join(file)),
        None => {
            std::fs::write(&inputs, case["inputs"].to_string()).unwrap();
            command.arg("--input-file").arg(&inputs)
        }
    };
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expect = &case["expect"];
    let name = path.display();
    assert_eq!(output.status.code().map(i64::from), expect["exit"].as_i64(), "{name}: exit status\n{stderr}");
    for part in expect["stderr"].as_array().into_iter().flatten() {
        assert!(stderr.contains(part.as_str().unwrap()), "{name}: stderr has no {part}\n{stderr}");
    }
    if expect["exit"] == 2 {
        assert!(output.stdout.is_empty(), "{name}: nothing was started");
        return;
    }
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}\n{stderr}"));
    let none = Map::new();
    let part = |key: &str| expect[key].as_object().unwrap_or(&none).clone();
    for (node, status) in part("nodes") {
        assert_eq!(report["nodes"][&node]["status"], status, "{name}: {node}\n{report:#}");
    }
    for (node, attempts) in part("attempts") {
        assert_eq!(report["nodes"][&node]["attempts"], attempts, "{name}: attempts of {node}");
    }
    for (output, value) in part("outputs") {
        assert_eq!(report["outputs"][&output], value, "{name}: output {output}");
    }
    for (output, parts) in part("contains") {
        let text = report["outputs"][&output].as_str().unwrap_or_default();
        for part in parts.as_array().unwrap() {
            assert!(text.contains(part.as_str().unwrap()), "{name}: output {output} has no {part}\n{text}");
        }
    }
    let seen = witness.seen();
    if let Some(requests) = expect["requests"].as_u64() {
        assert_eq!(seen.len() as u64, requests, "{name}: requests that the server saw");
    }
    if expect["one_key"] == true {
        let keys: std::collections::BTreeSet<_> =
            seen.iter().map(|request| request.key.clone().expect("a key")).collect();
        assert_eq!(keys.len(), 1, "{name}: one key over all attempts");
    }
}

#[test]
fn every_case_of_every_workflow() {
    let cases = cases();
    assert!(cases.len() >= 12);
    cases.iter().for_each(|case| check(case));
}
