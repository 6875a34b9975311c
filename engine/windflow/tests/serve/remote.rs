//! Commands that a server carries out: `--server`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::windflow;
use crate::serving::{PASSWORD, Serving};

const EMAIL: &str = "ada@example.org";
const SCOPES: &str = "workflows:read,workflows:write,workflows:enable,runs:read,runs:start,runs:operate";
const ASKS: &str = "windflow: 1\nname: trip\ninputs:\n  city: { type: string }\nnodes:\n  \
    rest: { uses: wait@1, with: { for: 50ms } }\n  \
    ask: { uses: approval@1, needs: [rest], with: { message: \"To ${{ inputs.city }}?\" } }\n  \
    say: { uses: log@1, needs: [ask.approved], with: { message: \"off to ${{ inputs.city }}\" } }\n\
    outputs:\n  city: \"${{ inputs.city }}\"\n";

/// A machine that has nothing but the address of a server and a key.
struct Elsewhere {
    folder: tempfile::TempDir,
    token: PathBuf,
    url: String,
}

impl Elsewhere {
    fn new(serving: &Serving, data: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut add = windflow(data);
        add.args(["token", "create", "--user", EMAIL, "--name", "ci", "--scope", SCOPES]);
        let token = folder.path().join("key");
        std::fs::write(&token, add.output().unwrap().stdout).unwrap();
        Self { folder, token, url: serving.url.clone() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = windflow(&self.folder.path().join("nothing"));
        command.env("WINDFLOW_SERVER", &self.url).arg("--token-file").arg(&self.token).args(arguments);
        command
    }

    /// What a command printed as its result and beside it; it has to end with this status.
    fn run(&self, arguments: &[&str], status: i32) -> (String, String) {
        let Output { status: ended, stdout, stderr } = self.command(arguments).output().unwrap();
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert_eq!(ended.code(), Some(status), "{arguments:?}\n{stdout}\n{stderr}");
        (stdout, stderr)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

fn serve(data: &Path, listen: &str) -> Serving {
    let mut command = windflow(data);
    command.args(["serve", "--listen", listen]);
    command.env("WINDFLOW_OWNER_EMAIL", EMAIL).env("WINDFLOW_OWNER_PASSWORD", PASSWORD);
    Serving::of(command)
}

#[test]
fn workflows_are_applied_run_and_answered_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let elsewhere = Elsewhere::new(&serving, data.path());

    let trip = elsewhere.file("trip.yaml", ASKS);
    let bad = elsewhere.file("bad.yaml", "windflow: 1\nname: bad\nnodes:\n  a: { uses: lgo@1 }\n");
    let (_, said) = elsewhere.run(&["workflows", "apply", &trip, &bad], 2);
    assert!(
        said.contains("bad.yaml:4:14: error[unknown_node_type]") && said.contains("did you mean `log@1`?"),
        "{said}"
    );
    assert!(elsewhere.run(&["workflows", "list"], 0).1.contains("No workflows yet"), "the good one was kept as well");

    let (_, said) = elsewhere.run(&["workflows", "apply", &trip, "--enable"], 0);
    assert!(said.contains("created trip, version 1") && said.contains("trip is on"), "{said}");
    assert!(elsewhere.run(&["workflows", "apply", &trip], 0).1.contains("unchanged trip"));
    elsewhere.file("trip.yaml", &ASKS.replace("off to", "away to"));
    assert!(elsewhere.run(&["workflows", "apply", &trip, "--dry-run"], 0).1.contains("would change trip"));
    assert!(elsewhere.run(&["workflows", "apply", &trip], 0).1.contains("changed trip, version 2"));
    assert_eq!(elsewhere.run(&["workflows", "show", "trip@1"], 0).0, ASKS);

    let (_, said) = elsewhere.run(&["run", "trip"], 2);
    assert!(said.contains("input `city` is required"), "{said}");
    let (_, said) = elsewhere.run(&["run", "trip", "-i", "city=Lyon"], 3);
    assert!(said.contains("✓ succeeded  rest") && said.contains("ask: To Lyon?"), "{said}");
    let (result, said) = elsewhere.run(&["runs", "approve", "last", "--comment", "go"], 0);
    assert!(said.contains("✓ succeeded  say"), "{said}");
    assert_eq!(serde_json::from_str::<Value>(&result).unwrap(), serde_json::json!({ "city": "Lyon" }));
    assert!(elsewhere.run(&["runs", "reject", "last"], 2).1.contains("asks nothing of that kind"));

    let listed: Value = serde_json::from_str(&elsewhere.run(&["runs", "list", "--json"], 0).0).unwrap();
    let run = listed["items"][0]["run"].as_str().unwrap();
    let (shown, _) = elsewhere.run(&["runs", "show", &run[..13]], 0);
    assert!(shown.contains("by key:ci of ada@example.org") && shown.contains("succeeded  ask"), "{shown}");
    assert!(elsewhere.run(&["runs", "events", run], 0).0.contains("run_finished"));
    let (_, said) = elsewhere.run(&["runs", "rerun", run, "--from", "say"], 0);
    assert!(said.contains("reused  ask"), "{said}");
    assert!(elsewhere.run(&["runs", "diff", run, "last"], 0).1.contains("ended the same"));

    assert!(elsewhere.run(&["runs", "delete", run], 0).1.contains("is deleted"));
    assert!(elsewhere.run(&["runs", "delete", run], 2).1.contains("there is no run"));

    let hook = "\ntriggers:\n  hook: { uses: webhook, with: { path: trip, auth: { bearer: nobody } } }\nnodes:";
    let hooked = elsewhere.file("trip.yaml", &ASKS.replace("\nnodes:", hook));
    let (_, said) = elsewhere.run(&["workflows", "apply", &hooked, "--enable"], 0);
    assert!(said.contains("trip is on") && said.contains("warning[missing_secret]"), "{said}");

    elsewhere.run(&["workflows", "delete", "trip"], 0);
    assert!(elsewhere.run(&["run", "trip", "-i", "city=Lyon"], 2).1.contains("no workflow trip"));
    assert!(!elsewhere.folder.path().join("nothing").exists(), "something was kept on the machine that only asks");
}

#[test]
fn what_a_workflow_keeps_is_seen_and_cleared_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let elsewhere = Elsewhere::new(&serving, data.path());
    let counts = "windflow: 1\nname: counts\npermissions: { state: true }\nnodes:\n  \
        count: { uses: state@1, with: { key: \"runs & more/1\", action: { add: 1 } } }\n\
        outputs: { runs: \"${{ nodes.count.output.value }}\" }\n";
    elsewhere.run(&["workflows", "apply", &elsewhere.file("counts.yaml", counts)], 0);
    assert!(elsewhere.run(&["state", "list"], 0).1.contains("No workflow keeps anything."));
    for _ in 0..2 {
        elsewhere.run(&["run", "counts"], 0);
    }
    assert!(elsewhere.run(&["state", "list"], 0).0.contains("counts"));
    assert!(elsewhere.run(&["state", "list", "counts"], 0).0.contains("runs & more/1"));
    assert_eq!(elsewhere.run(&["state", "show", "counts", "runs & more/1"], 0).0, "2\n");
    assert!(elsewhere.run(&["state", "show", "counts", "runs"], 2).1.contains("runs"));
    let (_, said) = elsewhere.run(&["state", "clear", "counts", "runs & more/1"], 0);
    assert_eq!(said, "1 value of counts is cleared\n");
    let (result, _) = elsewhere.run(&["run", "counts"], 0);
    assert_eq!(serde_json::from_str::<Value>(&result).unwrap(), serde_json::json!({ "runs": 1 }));
    assert_eq!(elsewhere.run(&["state", "clear", "counts"], 0).1, "1 value of counts is cleared\n");
}

#[test]
fn a_run_is_shown_to_its_end_although_the_server_is_started_anew() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let elsewhere = Elsewhere::new(&serving, data.path());
    let waits = ASKS.replace("50ms", "4s").replace("approval@1", "log@1").replace("ask.approved", "ask");
    elsewhere.run(&["workflows", "apply", &elsewhere.file("trip.yaml", &waits)], 0);
    let mut asking = elsewhere.command(&["run", "trip", "-i", "city=Bonn"]);
    let asking = asking.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while serving_runs(&elsewhere).is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let listen = serving.url.trim_start_matches("http://").to_owned();
    serving.kill();
    // Long enough that asking again meets nobody.
    std::thread::sleep(Duration::from_millis(2500));
    let _again = serve(data.path(), &listen);
    let ended = asking.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("cannot be reached") && said.contains("✓ succeeded  say"), "{said}");
    assert_eq!(said.matches("⏸ waiting    rest").count(), 1, "what was shown is shown again:\n{said}");
}

fn serving_runs(elsewhere: &Elsewhere) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&elsewhere.run(&["runs", "list", "--json"], 0).0).unwrap();
    listed["items"].as_array().unwrap().clone()
}

#[test]
fn whoever_may_not_ask_is_told_why() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let mut elsewhere = Elsewhere::new(&serving, data.path());
    let (_, said) = elsewhere.run(&["backup", "all.tar"], 2);
    assert!(said.contains("works on a data folder of this machine"), "{said}");
    elsewhere.token = elsewhere.file("wrong", "wf_wrong").into();
    let (_, said) = elsewhere.run(&["runs", "list"], 1);
    assert!(said.contains("make another key"), "{said}");
    elsewhere.token = elsewhere.file("empty", "").into();
    let (_, said) = elsewhere.run(&["runs", "list"], 1);
    assert!(said.contains("put an API key into WINDFLOW_TOKEN"), "{said}");
    let mut without = windflow(data.path());
    let answer = without.args(["workflows", "list"]).output().unwrap();
    assert!(answer.status.code() == Some(2) && String::from_utf8_lossy(&answer.stderr).contains("--server URL"));
    drop(serving);
    let (_, said) = elsewhere.run(&["runs", "list"], 1);
    assert!(said.contains("cannot be reached"), "{said}");
}
