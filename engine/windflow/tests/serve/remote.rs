//! Commands that a server carries out: `--server`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
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
pub(crate) struct Elsewhere {
    pub(crate) folder: tempfile::TempDir,
    token: PathBuf,
    url: String,
}

impl Elsewhere {
    fn new(serving: &Serving, data: &Path) -> Self {
        Self::with(serving, data, SCOPES)
    }

    pub(crate) fn with(serving: &Serving, data: &Path, scopes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut add = windflow(data);
        add.args(["token", "create", "--user", EMAIL, "--name", "ci", "--scope", scopes]);
        let token = folder.path().join("key");
        std::fs::write(&token, add.output().unwrap().stdout).unwrap();
        Self { folder, token, url: serving.url.clone() }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = windflow(&self.folder.path().join("nothing"));
        command.env("WINDFLOW_SERVER", &self.url).arg("--token-file").arg(&self.token).args(arguments);
        command
    }

    /// What a command printed as its result and beside it; it has to end with this status.
    pub(crate) fn run(&self, arguments: &[&str], status: i32) -> (String, String) {
        let Output { status: ended, stdout, stderr } = self.command(arguments).output().unwrap();
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert_eq!(ended.code(), Some(status), "{arguments:?}\n{stdout}\n{stderr}");
        (stdout, stderr)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

pub(crate) fn serve(data: &Path, listen: &str) -> Serving {
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

/// What a server offers and deploys is shown as what this machine does is.
#[test]
fn targets_stacks_deployments_templates_and_plugins_are_looked_at_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let scopes = "workflows:read,targets:read,targets:manage,stacks:read,stacks:write,templates:read";
    let elsewhere = Elsewhere::with(&serving, data.path(), scopes);
    let here = |arguments: &[&str]| {
        let output = windflow(&elsewhere.folder.path().join("own")).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // The same node types, in the same words. Only where a plugin is from is for its own machine to know.
    let (there, _) = elsewhere.run(&["plugins", "list"], 0);
    assert_eq!(there, here(&["plugins", "list"]));
    assert!(there.contains("http@1") && there.contains("granted hosts") && there.contains("approval@1"), "{there}");
    let (there, _) = elsewhere.run(&["plugins", "list", "--json"], 0);
    assert_eq!(there, here(&["plugins", "list", "--json"]));
    let without_from =
        |text: &str| text.lines().filter(|line| !line.starts_with("from ")).collect::<Vec<_>>().join("\n");
    let (there, _) = elsewhere.run(&["plugins", "show", "http"], 0);
    assert_eq!(without_from(&there), without_from(&here(&["plugins", "show", "http"])));
    assert!(!there.contains("\nfrom "), "{there}");
    let (_, said) = elsewhere.run(&["plugins", "show", "htpt"], 2);
    assert!(said.contains("did you mean `http`?"), "{said}");

    let (there, _) = elsewhere.run(&["templates", "search", "wordpress"], 0);
    let table = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(table(&there), table(&here(&["templates", "search", "wordpress"])));
    assert!(there.contains("wordpress"), "{there}");
    let (there, _) = elsewhere.run(&["templates", "search", "--kind", "workflow"], 0);
    assert_eq!(table(&there), table(&here(&["templates", "search", "--kind", "workflow"])));
    assert!(elsewhere.run(&["templates", "search", "qqqqqqqq"], 0).1.contains("nothing fits"));

    assert!(elsewhere.run(&["targets", "list"], 0).1.contains("windflow targets add"));
    let key = std::fs::read_to_string(&elsewhere.token).unwrap();
    let post = |path: &str, body: Value| {
        let request = serving.http.post(format!("{}/api/v1{path}", serving.url)).bearer_auth(key.trim());
        serving.answer(request.json(&body), 201)
    };
    post(
        "/targets",
        serde_json::json!({ "name": "edge", "address": "tcp://127.0.0.1:1", "environment": "staging", "groups": ["eu"] }),
    );
    let (there, _) = elsewhere.run(&["targets", "list"], 0);
    assert!(
        there.contains("TARGET") && there.contains("edge") && there.contains("staging") && there.contains("eu"),
        "{there}"
    );
    let (there, _) = elsewhere.run(&["targets", "list", "--json"], 0);
    assert_eq!(serde_json::from_str::<Value>(&there).unwrap()[0]["name"], "edge");
    let (_, said) = elsewhere.run(&["targets", "test", "edge"], 1);
    assert!(said.contains("127.0.0.1:1") && said.contains("unreachable"), "{said}");
    elsewhere.run(&["targets", "remove", "edge"], 0);
    assert!(elsewhere.run(&["targets", "remove", "edge"], 2).1.contains("no target edge"));

    assert!(elsewhere.run(&["stacks", "list"], 0).1.contains("no stack yet"));
    let text = "name: web\nservices:\n  web: { image: nginx }\n";
    post("/stacks", serde_json::json!({ "text": text }));
    let (there, _) = elsewhere.run(&["stacks", "list"], 0);
    assert!(there.contains("STACK") && there.contains("web"), "{there}");
    assert_eq!(elsewhere.run(&["stacks", "show", "web"], 0).0.trim_end(), text.trim_end());
    assert!(elsewhere.run(&["stacks", "show", "web", "--version", "7"], 2).1.contains("no version 7"));
    assert!(elsewhere.run(&["deployments", "list"], 0).1.contains("deployed nothing yet"));
    assert!(elsewhere.run(&["deployments", "show", "last"], 2).1.contains("no deployment last"));
}

/// A registry is a folder that anybody can put on a server of files: here the very one that is built into the binary.
#[test]
fn registries_of_templates_are_looked_after_from_elsewhere() {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("marketplace");
    let key = std::fs::read_to_string(built.join("key.pub")).unwrap();
    let files = tokio::runtime::Runtime::new().unwrap();
    let listener = files.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let file = move |uri: Uri| {
        let found = std::fs::read(built.join(uri.path().trim_start_matches('/')));
        std::future::ready(found.map_err(|_| StatusCode::NOT_FOUND))
    };
    files.spawn(async move { axum::serve(listener, axum::Router::new().fallback(file)).await });

    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let elsewhere = Elsewhere::with(&serving, data.path(), "registries:manage,templates:read");
    assert!(elsewhere.run(&["templates", "registry", "list"], 0).1.contains("no other registry"));
    let stranger = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let (_, said) = elsewhere.run(&["templates", "registry", "add", "acme", &address, "--key", stranger], 2);
    assert!(said.contains("signed"), "{said}");
    assert_eq!(elsewhere.run(&["templates", "registry", "list", "--json"], 0).0.trim(), "[]");
    let (there, _) = elsewhere.run(&["templates", "registry", "add", "acme", &address, "--key", key.trim()], 0);
    assert!(there.starts_with("acme: ") && there.contains(" templates, index "), "{there}");
    let (there, _) = elsewhere.run(&["templates", "registry", "list"], 0);
    assert!(there.contains("REGISTRY") && there.contains("acme") && there.contains("as it should be"), "{there}");
    let (there, _) = elsewhere.run(&["templates", "search", "wordpress", "--json"], 0);
    let from: Vec<_> = serde_json::from_str::<Vec<Value>>(&there).unwrap();
    assert!(from.iter().any(|one| one["registry"] == "acme"), "{there}");
    drop(files);
    let (_, said) = elsewhere.run(&["templates", "registry", "refresh", "acme"], 2);
    assert!(said.contains("registry_unreachable"), "{said}");
    elsewhere.run(&["templates", "registry", "remove", "acme"], 0);
    assert!(elsewhere.run(&["templates", "registry", "remove", "acme"], 2).1.contains("no registry"));
    let mut without = windflow(data.path());
    let answer = without.args(["templates", "registry", "list"]).output().unwrap();
    assert!(answer.status.code() == Some(2) && String::from_utf8_lossy(&answer.stderr).contains("--server URL"));
}

/// What was installed, its updates, and templates of one's own.
#[test]
fn templates_of_ones_own_are_published_and_updated_from_elsewhere() {
    let data = tempfile::tempdir().unwrap();
    let serving = serve(data.path(), "127.0.0.1:0");
    let scopes = "workflows:read,workflows:write,stacks:read,stacks:write,templates:read,templates:write";
    let elsewhere = Elsewhere::with(&serving, data.path(), scopes);
    let key = std::fs::read_to_string(&elsewhere.token).unwrap();
    let stack = |method: reqwest::Method, path: &str, image: &str, status: u16| {
        let text = format!("name: web\nservices:\n  web: {{ image: \"{image}\", ports: [\"80\"] }}\n");
        let request = serving.http.request(method, format!("{}/api/v1{path}", serving.url)).bearer_auth(key.trim());
        serving.answer(request.json(&serde_json::json!({ "text": text, "description": "Our pages" })), status)
    };
    stack(reqwest::Method::POST, "/stacks", "nginx:1.29.3", 201);
    let publish = |version: &str| format!("pages@{version}");
    let (_, said) = elsewhere.run(&["templates", "publish", "--stack", "web", "--as", &publish("1.0.0")], 0);
    assert!(said.contains("compose.yaml:3:3: warning[no_health_check]") && said.contains("pages 1.0.0"), "{said}");
    elsewhere.run(&["templates", "install", "pages", "--as", "ours"], 0);
    let (there, _) = elsewhere.run(&["templates", "installed"], 0);
    assert!(there.contains("ours") && there.contains("private") && there.contains("1.0.0"), "{there}");
    assert!(elsewhere.run(&["templates", "update", "ours"], 0).1.contains("the latest version of pages"));

    stack(reqwest::Method::PUT, "/stacks/web", "nginx:1.29.4", 200);
    elsewhere.run(&["templates", "publish", "--stack", "web", "--as", &publish("1.1.0"), "--changes", "Newer."], 0);
    let (difference, said) = elsewhere.run(&["templates", "update", "ours"], 2);
    assert!(difference.contains("1.29.4") && difference.contains("+"), "{difference}");
    assert!(said.contains("--yes"), "{said}");
    assert!(elsewhere.run(&["templates", "update", "ours", "--yes"], 0).1.contains("ours is at 1.1.0"));
    assert!(elsewhere.run(&["templates", "update", "theirs"], 2).1.contains("no stack or workflow theirs"));
    let (there, _) = elsewhere.run(&["templates", "installed", "--json"], 0);
    assert_eq!(serde_json::from_str::<Value>(&there).unwrap()[0]["version"], "1.1.0");

    // A workflow, updated like a stack, and a folder; begun and checked on this machine, whatever the environment says of a server.
    elsewhere.run(&["templates", "install", "site-check", "--as", "mine"], 0);
    elsewhere.run(&["templates", "publish", "--workflow", "mine"], 0);
    assert!(elsewhere.run(&["templates", "show", "mine"], 0).0.contains("mine 1.0.0 (workflow, private)"));
    assert!(elsewhere.run(&["templates", "update", "mine", "--kind", "stack"], 2).1.contains("no stack mine"));
    assert!(elsewhere.run(&["templates", "update", "mine"], 0).1.contains("the latest version of site-check"));
    let here = |arguments: &[&str], status| {
        let output = elsewhere.command(arguments).current_dir(elsewhere.folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stderr).unwrap()
    };
    here(&["templates", "new", "folder"], 0);
    here(&["templates", "check", "folder"], 0);
    assert!(here(&["templates", "publish", "folder"], 0).contains("folder 0.1.0 is published at the server"));
    assert!(here(&["templates", "publish", "folder"], 2).contains("higher version"));
    let compose = elsewhere.folder.path().join("folder/compose.yaml");
    std::fs::write(&compose, std::fs::read_to_string(&compose).unwrap().replace("nginx:1.29.3", "nginx")).unwrap();
    assert!(here(&["templates", "publish", "folder"], 2).contains("compose.yaml:2:3: web: the image nginx has no tag"));
}
