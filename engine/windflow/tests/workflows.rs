//! Every case of every shipped workflow, run by the real binary against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::path::{Path, PathBuf};

use common::{Answer, Witness, windflow};
use serde_json::{Map, Value};

/// The folders of the shipped workflows. Each has a README and cases.
fn folders() -> Vec<PathBuf> {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let mut found: Vec<_> = std::fs::read_dir(workflows).unwrap().map(|folder| folder.unwrap().path()).collect();
    found.sort();
    for folder in &found {
        assert!(files(&folder.join("cases")).next().is_some(), "{} has no cases", folder.display());
        assert!(folder.join("README.md").exists(), "{} has no README", folder.display());
    }
    assert!(found.len() >= 6);
    found
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path())
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

/// Somebody who meets a node type finds a workflow that uses it.
#[test]
fn every_node_type_is_used_by_a_workflow() {
    let place = tempfile::tempdir().unwrap();
    let output = windflow(place.path()).args(["plugins", "list", "--json"]).output().unwrap();
    let types: Value = serde_json::from_slice(&output.stdout).unwrap();
    let texts: String = folders()
        .iter()
        .flat_map(|folder| files(folder).chain(files(&folder.join("parts"))).collect::<Vec<_>>())
        .filter(|file| file.extension().is_some_and(|ending| ending == "yaml"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let types: Vec<_> = types.as_array().unwrap().iter().map(|one| one["uses"].as_str().unwrap()).collect();
    let unused: Vec<_> = types.iter().filter(|uses| !texts.contains(&format!("uses: {uses}"))).collect();
    assert!(types.len() >= 35 && unused.is_empty(), "{unused:?} of {types:?}");
}

#[test]
fn every_live_case_of_every_workflow() {
    let cases: Vec<_> = folders().iter().flat_map(|folder| files(&folder.join("live")).collect::<Vec<_>>()).collect();
    assert!(cases.len() >= 8);
    cases.iter().for_each(|case| check(case));
}

#[test]
fn every_case_of_every_workflow_offline() {
    let place = tempfile::tempdir().unwrap();
    let junit = place.path().join("report.xml");
    let output = windflow(place.path()).arg("test").args(folders()).arg("--junit").arg(&junit).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let report = std::fs::read_to_string(junit).unwrap();
    assert!(report.contains("failures=\"0\"") && report.matches("<testcase").count() >= 15, "{report}");
}

#[test]
fn a_case_that_is_not_met_says_what_differs() {
    let place = tempfile::tempdir().unwrap();
    let workflow = place.path().join("workflow.yaml");
    let document = "windflow: 1\nname: hello\nnodes:\n  a: { uses: template@1, with: { template: hello } }\n  \
pause: { uses: wait@1, needs: [a], with: { for: 90d } }\n  b: { uses: http@1, needs: [pause], with: { url: \"https://example.org\" } }\n\
permissions: { http: [example.org] }\noutputs: { text: \"${{ nodes.a.output }}\" }\n";
    std::fs::write(&workflow, document).unwrap();
    std::fs::create_dir(place.path().join("cases")).unwrap();
    let case = place.path().join("cases/wrong.yaml");
    std::fs::write(&case, "expect: { status: succeeded, path: [a] }\n").unwrap();
    let run = || windflow(place.path()).arg("test").arg(&workflow).output().unwrap();
    let output = run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for part in ["expected \"succeeded\", found \"failed\"", "pause succeeded, which was not expected", "mock it"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    std::fs::write(&case, "mocks: { b: { output: { status: 200 } } }\nexpect: { outputs: { text: hello } }\n").unwrap();
    assert_eq!(run().status.code(), Some(0));
    std::fs::write(&case, "mocks: { zzz: {} }\n").unwrap();
    assert_eq!(run().status.code(), Some(1));
    std::fs::write(&case, "expects: {}\n").unwrap();
    assert_eq!(run().status.code(), Some(2));
}

#[test]
fn a_run_becomes_a_case_that_it_passes() {
    let place = tempfile::tempdir().unwrap();
    let workflow = place.path().join("workflow.yaml");
    let witness = Witness::start(vec![Answer::ok("[1, 2, 3]")]);
    let document = format!(
        "windflow: 1\nname: count\ninputs: {{ token: {{ type: string, format: password }} }}\npermissions: {{ http: [\"127.0.0.1:*\"] }}\nnodes:\n  \
fetch: {{ uses: http@1, with: {{ url: \"{}\", response: json }} }}\n  \
echo: {{ uses: template@1, with: {{ template: \"it was {{{{ token }}}}\", values: \"${{{{ inputs }}}}\" }} }}\n  \
count: {{ uses: transform@1, with: {{ input: \"${{{{ nodes.fetch.output.body }}}}\", jq: length }} }}\noutputs: {{ count: \"${{{{ nodes.count.output }}}}\", said: \"${{{{ nodes.echo.output }}}}\" }}\n",
        witness.url()
    );
    std::fs::write(&workflow, document).unwrap();
    let ran = windflow(place.path()).arg("run").arg(&workflow).args(["-i", "token=hunter22"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let case = windflow(place.path()).args(["runs", "export", "last", "--case"]).output().unwrap();
    let text = String::from_utf8_lossy(&case.stdout).into_owned();
    assert!(!text.contains("hunter22"), "{text}");
    for part in ["it was secret-token", "the secret inputs `token` were taken out"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    std::fs::create_dir(place.path().join("cases")).unwrap();
    std::fs::write(place.path().join("cases/recorded.yaml"), &case.stdout).unwrap();
    let tested = windflow(place.path()).arg("test").arg(&workflow).output().unwrap();
    assert_eq!(tested.status.code(), Some(0), "{}", String::from_utf8_lossy(&tested.stderr));
    assert_eq!(witness.seen().len(), 1, "the test was offline");
}
