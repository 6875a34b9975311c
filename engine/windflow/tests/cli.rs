//! The command line as users and scripts meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use common::{Answer, Witness, windflow};
use serde_json::Value;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("workflow.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn windflow(&self, arguments: &[&str]) -> Output {
        windflow(&self.data()).args(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

const HELLO: &str = "windflow: 1\nname: hello\ninputs:\n  name: { type: string, default: world }\n  times: { type: integer, default: 1 }\n\
nodes:\n  greet: { uses: template@1, with: { template: \"Hello {{ name }} {{ times }}\", values: \"${{ inputs }}\" } }\n\
outputs: { greeting: \"${{ nodes.greet.output }}\" }\n";

#[test]
fn an_empty_variable_is_none_and_an_unreadable_one_is_told() {
    let place = Place::new();
    let file = place.file(HELLO);
    let with = |name: &str, value: &str, arguments: &[&str]| {
        windflow(&place.data()).args(arguments).env(name, value).output().unwrap()
    };
    let run = ["run", path(&file), "--quiet"];
    for name in ["WINDFLOW_SERVER", "WINDFLOW_CREDENTIALS", "WINDFLOW_LOG"] {
        let output = with(name, "", &run);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stderr));
    }
    for (name, value, arguments, says) in [
        ("WINDFLOW_LOG", "info,=[", &run[..], "WINDFLOW_LOG"),
        ("WINDFLOW_OWNER_EMAIL", "ada@example.org", &["serve", "--listen", "127.0.0.1:0"], "only one is set"),
        ("WINDFLOW_PUBLIC_URL", "flows", &["serve", "--listen", "127.0.0.1:0"], "`flows` is no address"),
    ] {
        let output = with(name, value, arguments);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(says), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn what_the_command_line_allows_is_not_missed_in_the_file() {
    let place = Place::new();
    let witness = Witness::start(vec![Answer::ok("{}")]);
    let file = place.file(&format!(
        "windflow: 1\nname: ask\nnodes:\n  ask: {{ uses: http@1, with: {{ method: GET, url: \"{}\" }} }}\n",
        witness.url()
    ));
    let output = place.windflow(&["run", path(&file), "--allow", &witness.url()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("grants no host"), "{}", text(&output.stderr));
    let checked = place.windflow(&["validate", path(&file)]);
    assert!(text(&checked.stderr).contains("grants no host"), "{}", text(&checked.stderr));
}

#[test]
fn run_prints_outputs_on_stdout_and_progress_on_stderr() {
    let place = Place::new();
    let file = place.file(HELLO);
    let output = place.windflow(&["run", path(&file), "-i", "name=Zoé", "-i", "times=3"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let outputs: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outputs, serde_json::json!({ "greeting": "Hello Zoé 3" }));
    assert!(text(&output.stderr).contains("greet"), "{}", text(&output.stderr));
}

#[test]
fn json_is_one_object_with_the_promised_fields() {
    let place = Place::new();
    let file = place.file(HELLO);
    let output = place.windflow(&["run", path(&file), "--json", "--quiet"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "succeeded");
    assert_eq!(report["outputs"]["greeting"], "Hello world 1");
    let node = &report["nodes"]["greet"];
    assert_eq!((&node["status"], &node["attempts"], &node["error"]), (&"succeeded".into(), &1.into(), &Value::Null));
    assert!(report["run"].is_string() && report["error"].is_null());
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn invalid_documents_and_inputs_exit_2_with_every_problem() {
    let place = Place::new();
    let file = place.file("windflow: 1\nname: bad\nnodes:\n  a: { uses: transfrom@1, with: {} }\n  b: { uses: log@1, needs: [aa], with: { mesage: hi } }\n");
    for arguments in [["validate", path(&file)], ["run", path(&file)], ["plan", path(&file)]] {
        let output = place.windflow(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for part in ["workflow.yaml:4:", "transform", "workflow.yaml:5:", "`a`", "message"] {
            assert!(stderr.contains(part), "{arguments:?} does not tell {part}\n{stderr}");
        }
    }
    let file = place.file(HELLO);
    for (arguments, part) in
        [(["-i", "nam=x"], "name"), (["-i", "times=many"], "times"), (["--input-file", "/nowhere.json"], "nowhere")]
    {
        let output = place.windflow(&["run", path(&file), arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
    }
    assert!(!place.windflow(&["runs", "list"]).stdout.windows(3).any(|three| three == b"bad"), "nothing was started");
}

#[test]
fn a_failed_run_exits_1_and_says_why() {
    let place = Place::new();
    let file = place.file(
        "windflow: 1\nname: sad\nnodes:\n  no: { uses: fail@1, with: { code: closed, message: we are closed } }\n",
    );
    let output = place.windflow(&["run", path(&file), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    assert_eq!(report["error"]["failure"]["code"], "closed");
    assert!(text(&output.stderr).contains("we are closed"));
}

#[test]
fn runs_are_listed_shown_and_their_events_printed() {
    let place = Place::new();
    let file = place.file(HELLO);
    place.windflow(&["run", path(&file), "--quiet"]);
    let listed = place.windflow(&["runs", "list"]);
    assert!(
        text(&listed.stdout).contains("hello") && text(&listed.stdout).contains("succeeded"),
        "{}",
        text(&listed.stdout)
    );
    let shown = place.windflow(&["runs", "show", "last"]);
    assert!(text(&shown.stdout).contains("Hello world 1"), "{}", text(&shown.stdout));
    let events = place.windflow(&["runs", "events", "last"]);
    let events = text(&events.stdout);
    for event in ["run_started", "attempt_succeeded", "run_finished"] {
        assert!(events.contains(event), "{events}");
    }
    let missing = place.windflow(&["runs", "show", "00000000"]);
    assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
    let done = place.windflow(&["runs", "resume", "last"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("has ended"), "{}", text(&done.stderr));
}

const SLOW: &str = "windflow: 1\nname: slow\ninputs: { url: { type: string } }\npermissions: { http: [\"127.0.0.1:*\"] }\n\
nodes:\n  fetch: { uses: http@1, with: { url: \"${{ inputs.url }}\" } }\n  after: { uses: log@1, needs: [fetch], with: { message: done } }\n";

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
fn interrupt(process: u32) {
    let killed = std::process::Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(killed.success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_cleanly() {
    let place = Place::new();
    let file = place.file(SLOW);
    let witness = Witness::start(vec![Answer { after: Duration::from_secs(120), ..Answer::ok("late") }]);
    let mut command = windflow(&place.data());
    command.arg("run").arg(&file).args(["--json", "-i", &format!("url={}", witness.url())]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the request", || !witness.seen().is_empty());
    interrupt(child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "cancelled");
    assert_eq!(report["nodes"]["fetch"]["status"], "cancelled");
    assert_eq!(report["nodes"]["after"]["status"], "not_run");
}

/// A run in a process of its own that waits for the witness to answer.
fn under_way(place: &Place, file: &Path, witness: &Witness) -> std::process::Child {
    let mut command = windflow(&place.data());
    let url = format!("url={}", witness.url());
    command.arg("run").arg(file).args(["-i", &url]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    until("the request", || !witness.seen().is_empty());
    child
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_told_of_and_resumed_and_a_data_folder_has_one_user() {
    let place = Place::new();
    let file = place.file(SLOW);
    let slow = Answer { after: Duration::from_secs(120), ..Answer::ok("late") };
    let witness = Witness::start(vec![slow, Answer::ok("soon")]);
    let mut child = under_way(&place, &file, &witness);

    let second = place.windflow(&["runs", "list"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("--data-dir"), "{}", text(&second.stderr));

    child.kill().unwrap();
    child.wait().unwrap();
    let listed = place.windflow(&["runs", "list"]);
    assert!(text(&listed.stderr).contains("resume"), "{}", text(&listed.stderr));
    let resumed = place.windflow(&["runs", "resume", "last", "--json"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    let keys: std::collections::BTreeSet<_> = witness.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!((witness.seen().len(), keys.len()), (2, 1));
}

#[test]
fn an_interrupted_run_can_be_cancelled() {
    let place = Place::new();
    let file = place.file(SLOW);
    let witness = Witness::start(vec![Answer { after: Duration::from_secs(120), ..Answer::ok("late") }]);
    let mut child = under_way(&place, &file, &witness);
    child.kill().unwrap();
    child.wait().unwrap();
    let cancelled = place.windflow(&["runs", "cancel", "last", "--json"]);
    assert_eq!(cancelled.status.code(), Some(0), "{}", text(&cancelled.stderr));
    let report: Value = serde_json::from_slice(&cancelled.stdout).unwrap();
    assert_eq!(report["status"], "cancelled");
    assert_eq!(witness.seen().len(), 1, "a cancelled run has no further effects");
}

#[test]
fn plugins_and_plans_say_what_may_be_touched() {
    let place = Place::new();
    let listed = text(&place.windflow(&["plugins", "list"]).stdout);
    for part in [
        "http@1",
        "condition@1",
        "switch@1",
        "transform@1",
        "template@1",
        "log@1",
        "fail@1",
        "hooks.slack.com",
        "granted hosts",
    ] {
        assert!(listed.contains(part), "{listed}");
    }
    assert!(listed.matches("@1").count() >= 20, "{listed}");
    let pure = text(&place.windflow(&["plugins", "show", "csv-read"]).stdout);
    assert!(pure.contains("It only computes: it can reach nothing outside of itself."), "{pure}");
    let shown = text(&place.windflow(&["plugins", "show", "http"]).stdout);
    let sentence = "It may send requests to the hosts that the workflow allows, with a credential of the workflow that it never sees";
    for part in ["url", "required", "error", sentence] {
        assert!(shown.contains(part), "{shown}");
    }
    let unknown = place.windflow(&["plugins", "show", "htpt"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("`http`"), "{}", text(&unknown.stderr));
    let plan = text(&place.windflow(&["plan", path(&place.file(SLOW))]).stdout);
    for part in ["step 1", "fetch", "after fetch", "127.0.0.1:*"] {
        assert!(plan.contains(part), "{plan}");
    }
    let pure = text(&place.windflow(&["plan", path(&place.file(HELLO))]).stdout);
    assert!(pure.contains("nothing: its nodes need no network"), "{pure}");
    // What has many forms takes a line for each, so that descriptions stay in sight.
    let github = text(&place.windflow(&["plugins", "show", "github"]).stdout);
    assert!(github.contains("one of") && github.lines().all(|line| line.chars().count() < 260), "{github}");
    // Whatever a node type may touch stands in the list, not only the first of it.
    let checkout = listed.lines().find(|line| line.starts_with("git-checkout@1")).unwrap();
    assert!(checkout.ends_with("granted hosts, files of the run"), "{checkout}");
}

/// Who reads a plan sees what is reached below it, and whom the engine itself asks.
#[test]
fn a_plan_tells_what_other_workflows_reach_and_where_credentials_go() {
    let place = Place::new();
    let part = "windflow: 1\nname: part\npermissions: { http: [crm.example.org], credentials: [crm, chat] }\nnodes:\n  \
        ask: { uses: http@1, with: { url: \"https://crm.example.org/me\", credential: crm } }\n";
    std::fs::write(place.folder.path().join("part.yaml"), part).unwrap();
    let file = place.file("windflow: 1\nname: whole\nnodes:\n  go: { uses: workflow@1, with: { file: part.yaml } }\n");
    let credentials = place.folder.path().join("credentials.toml");
    // The variables that hold the values are not set: where they go is known all the same.
    let text_of = "[crm]\nbind = { oauth2 = { token_url = \"https://login.example.org/token\", client_id = \"me\" } }\n\
        hosts = [\"crm.example.org\"]\nenv = \"NO_SUCH_VARIABLE\"\n";
    std::fs::write(&credentials, text_of).unwrap();
    let plan = place.windflow(&["plan", path(&file), "--credentials", path(&credentials)]);
    let told = text(&plan.stdout);
    for line in [
        "  crm.example.org, by HTTP, from go › ask\n",
        "  access tokens of the credential crm, which go to crm.example.org, from go › ask\n",
        "  https://login.example.org, which the engine asks for access tokens with the credential crm, from go › ask\n",
        "  the credential chat, which is not set here, so that it is not known where it goes, from go › ask\n",
    ] {
        assert!(told.contains(line), "{line}: {told}{}", text(&plan.stderr));
    }
    assert!(!told.contains("nothing:"), "{told}");
}

#[test]
fn a_denied_request_names_the_line_to_add() {
    let place = Place::new();
    let file = place.file("windflow: 1\nname: denied\nnodes:\n  fetch: { uses: http@1, with: { url: \"http://169.254.169.254/latest/meta-data\" } }\n");
    let output = place.windflow(&["run", path(&file), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["error"]["failure"]["kind"], "denied", "{report:#}");
    let message = report["error"]["failure"]["message"].as_str().unwrap();
    assert!(message.contains("permissions") && message.contains("169.254.169.254"), "{message}");
}

#[test]
fn schema_is_one_and_knows_the_plugins() {
    let place = Place::new();
    let schema: Value = serde_json::from_slice(&place.windflow(&["schema"]).stdout).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("2020-12"));
    assert!(schema.to_string().contains("transform@1"));
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let place = Place::new();
    let huge = place.folder.path().join("huge.yaml");
    let mut file = std::fs::File::create(&huge).unwrap();
    let line = format!("a: \"{}\"\n", "x".repeat(1 << 20));
    for _ in 0..100 {
        file.write_all(line.as_bytes()).unwrap();
    }
    let deep = format!("windflow: {}1{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let begun = Instant::now();
    for arguments in [path(&huge).to_owned(), path(&place.file(&deep)).to_owned()] {
        let output = place.windflow(&["validate", &arguments]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(output.stderr.len() < 10_000, "a report, not an echo");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn guests_take_values_that_are_larger_than_the_memory_that_they_begin_with() {
    let place = Place::new();
    let file = place.file(
        "windflow: 1\nname: large\ninputs: { s: { type: string } }\nnodes:\n  \
big: { uses: condition@1, with: { if: \"${{ inputs.s != '' }}\", input: \"${{ inputs.s }}\" } }\noutputs: { size: \"${{ size(nodes.big.output) }}\" }\n",
    );
    let inputs = place.folder.path().join("inputs.json");
    for size in [60_000, 200_000, 1_000_000] {
        std::fs::write(&inputs, serde_json::json!({ "s": "x".repeat(size) }).to_string()).unwrap();
        let output = place.windflow(&["run", path(&file), "--input-file", path(&inputs)]);
        assert_eq!(output.status.code(), Some(0), "{size}: {}", text(&output.stderr));
        let outputs: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(outputs["size"], size, "the value came through whole");
    }
}
