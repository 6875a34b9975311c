//! `windflow serve` as operators meet it: started, killed, started again, stopped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Answer, Witness, windflow};
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

struct Serving {
    child: Child,
    url: String,
    /// Everything it said.
    said: Arc<Mutex<String>>,
    http: Client,
    token: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut command = windflow(data);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(more);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut said = heard.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        let http = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut serving = Self { child, url: String::new(), said, http, token: String::new() };
        serving.until(|serving| serving.said().contains("listens on http"));
        let said = serving.said();
        let (_, rest) = said.split_once("listens on ").unwrap();
        serving.url = rest.lines().next().unwrap().trim().to_owned();
        serving.until(|serving| {
            serving.http.get(format!("{}/startupz", serving.url)).send().is_ok_and(|answer| answer.status() == 200)
        });
        serving
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.said());
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came to that: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    fn answer(&self, request: RequestBuilder, status: u16) -> Value {
        let answer = request.send().unwrap();
        let found = answer.status().as_u16();
        let text = answer.text().unwrap();
        assert_eq!(found, status, "{text}\n{}", self.said());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn sign_in(&mut self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        let tokens = self.answer(self.request("POST", "/api/v1/auth/login").json(&body), 200);
        self.token = tokens["access_token"].as_str().unwrap().to_owned();
    }

    fn create_enabled(&self, name: &str, text: &str) {
        let create = self.request("POST", "/api/v1/workflows").header("content-type", "application/yaml");
        self.answer(create.body(text.to_owned()), 201);
        self.answer(self.request("POST", &format!("/api/v1/workflows/{name}/enable")), 200);
    }

    fn runs(&self, query: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.answer(self.request("GET", &format!("/api/v1/runs?limit=500{query}{cursor}")), 200);
            all.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Asks it to stop, and gives how it ended.
    fn stop(mut self, signal: &str) -> (i32, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), self.said());
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it did not stop: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn add_user(data: &Path, email: &str) {
    use std::io::Write;
    let mut command = windflow(data);
    command.args(["users", "add", email, "--role", "operator"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_first_start_says_where_it_is_and_how_to_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &["--log-format", "json"]);
    let said = serving.said();
    let token = said.split("\"token\": \"").nth(1).unwrap().split('"').next().unwrap();
    let setup = json!({ "token": token, "email": "ada@example.org", "password": PASSWORD });
    let made = serving.answer(serving.request("POST", "/api/v1/auth/setup").json(&setup), 201);
    assert_eq!(made["user"]["role"], "admin");
    serving.sign_in("ada@example.org");
    // A second server over the same data says who has it.
    let second = windflow(&data).args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let why = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(why.contains("another windflow") && why.contains("--data-dir"), "{why}");
    // So does a second one at the same address.
    let address = serving.url.strip_prefix("http://").unwrap();
    let third = windflow(&folder.path().join("other")).args(["serve", "--listen", address]).output().unwrap();
    assert!(String::from_utf8_lossy(&third.stderr).contains("--listen"));

    let (status, said) = serving.stop("-TERM");
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains(PASSWORD), "a password was logged");
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(said.lines().any(|line| line.starts_with('{') && line.contains("stopping")), "{said}");
    let key = std::fs::read_to_string(data.join("secrets.key")).unwrap();
    assert!(!said.contains(key.trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(data.join("secrets.key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let serving = Serving::start(&data, &[]);
    assert!(!serving.said().contains("Nobody can sign in"));
    assert_eq!(serving.stop("-INT").0, 0);
}

#[test]
fn people_are_let_in_by_the_environment_and_by_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = windflow(&data);
    command.env("WINDFLOW_OWNER_EMAIL", "owner@example.org").env("WINDFLOW_OWNER_PASSWORD", PASSWORD);
    command.env("WINDFLOW_LISTEN", "127.0.0.1:0").arg("serve");
    let mut serving = Serving::of(command);
    serving.sign_in("owner@example.org");
    let locked = windflow(&data).args(["users", "list"]).output().unwrap();
    assert!(String::from_utf8_lossy(&locked.stderr).contains("another windflow"));
    assert_eq!(serving.stop("-TERM").0, 0);

    add_user(&data, "op@example.org");
    let again = windflow(&data).args(["users", "add", "OP@example.org", "--generate"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stderr));
    let listed = windflow(&data).args(["users", "list", "--json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1]["role"], "operator");
    let changed = windflow(&data).args(["users", "password", "owner@example.org", "--generate"]).output().unwrap();
    let password = String::from_utf8_lossy(&changed.stdout).trim().to_owned();
    let serving = Serving::start(&data, &[]);
    let body = json!({ "email": "owner@example.org", "password": PASSWORD });
    serving.answer(serving.request("POST", "/api/v1/auth/login").json(&body), 401);
    let body = json!({ "email": "owner@example.org", "password": password });
    serving.answer(serving.request("POST", "/api/v1/auth/login").json(&body), 200);
}

const CALLS: &str = "windflow: 1\nname: calls\ninputs:\n  to: { type: string }\n  n: { type: integer }\npermissions: { http: [\"127.0.0.1:*\"] }\n\
triggers:\n  hook:\n    uses: webhook\n    with: { path: in, auth: none }\n    inputs: { to: \"${{ trigger.body.to }}\", n: \"${{ trigger.body.n }}\" }\n\
nodes:\n  before: { uses: transform@1, with: { input: \"${{ inputs.n }}\", jq: \". * 2\" } }\n  \
call:\n    uses: http@1\n    with: { method: POST, url: \"${{ inputs.to }}/${{ inputs.n }}\", text: \"n ${{ nodes.before.output }}\" }\n    \
retry: { attempts: 3, initial: 10ms }\noutputs: { doubled: \"${{ nodes.before.output }}\" }\n";

#[test]
fn kill_9_under_load_loses_no_acknowledged_run() {
    let witness = Witness::start(vec![Answer { after: Duration::from_millis(3), ..Answer::ok("ok") }]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let allow = ["--allow-host", "127.0.0.1:*"];
    let mut serving = Serving::start(&data, &allow);
    serving.sign_in("op@example.org");
    serving.create_enabled("calls", CALLS);
    let mut acknowledged = Vec::new();
    for round in 0..5_u64 {
        let stop = AtomicBool::new(false);
        let heard = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (serving, stop, heard, witness) = (&serving, &stop, &heard, &witness);
                scope.spawn(move || {
                    for number in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        let n = round * 1_000_000 + thread * 100_000 + number;
                        let body = json!({ "to": witness.url(), "n": n });
                        let sent = serving.http.post(format!("{}/hooks/local/in", serving.url)).json(&body).send();
                        // Only what was answered counts.
                        let Ok(answer) = sent.and_then(reqwest::blocking::Response::error_for_status) else { return };
                        if let Ok(answer) = answer.json::<Value>() {
                            heard.lock().unwrap().push(answer["run"].as_str().unwrap().to_owned());
                        }
                    }
                });
            }
            // In the middle of the load, at another moment each time, however slow the machine is.
            let begun = Instant::now();
            while heard.lock().unwrap().len() < 20 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(round * 37));
            let id = serving.child.id().to_string();
            assert!(Command::new("kill").args(["-9", &id]).status().unwrap().success());
            stop.store(true, Ordering::SeqCst);
        });
        let heard = heard.into_inner().unwrap();
        assert!(heard.len() >= 20, "no load: {} runs", heard.len());
        acknowledged.extend(heard);
        serving.kill();
        serving = Serving::start(&data, &allow);
        serving.sign_in("op@example.org");
    }
    serving.until(|serving| serving.runs("&status=running").is_empty());
    let ended = serving.runs("");
    for run in &acknowledged {
        let found = ended.iter().find(|found| found["run"] == **run);
        let found = found.unwrap_or_else(|| panic!("run {run} was acknowledged and is lost"));
        assert_eq!(found["status"], "succeeded", "{found}");
    }
    eprintln!("{} acknowledged, {} ended", acknowledged.len(), ended.len());
    // Each effect carries the one key of its run: whoever heard it twice could tell.
    let mut keys = std::collections::BTreeMap::<String, std::collections::BTreeSet<String>>::new();
    for seen in witness.seen() {
        keys.entry(seen.path).or_default().insert(seen.key.unwrap());
    }
    assert!(keys.values().all(|keys| keys.len() == 1), "an effect was repeated under another key");
}

const TICKS: &str = "windflow: 1\nname: ticks\ninputs:\n  at: { type: string }\ntriggers:\n  clock:\n    uses: cron\n    \
with: { schedule: \"* * * * * *\", overlap: allow, catch_up: all }\n    inputs: { at: \"${{ trigger.scheduled_at }}\" }\n\
nodes:\n  say: { uses: log@1, with: { message: \"${{ inputs.at }}\" } }\noutputs: { at: \"${{ inputs.at }}\" }\n";

#[test]
fn kill_9_lets_every_instant_of_a_schedule_fire_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let mut serving = Serving::start(&data, &[]);
    serving.sign_in("op@example.org");
    serving.create_enabled("ticks", TICKS);
    for round in 0..3_u64 {
        std::thread::sleep(Duration::from_millis(1400 + round * 370));
        serving.kill();
        std::thread::sleep(Duration::from_millis(1100));
        serving = Serving::start(&data, &[]);
        serving.sign_in("op@example.org");
    }
    serving.until(|serving| serving.runs("").len() >= 8);
    serving.answer(serving.request("POST", "/api/v1/workflows/ticks/disable"), 200);
    serving.until(|serving| serving.runs("&status=running").is_empty());
    let mut instants: Vec<String> = serving
        .runs("")
        .iter()
        .map(|run| {
            let shown =
                serving.answer(serving.request("GET", &format!("/api/v1/runs/{}", run["run"].as_str().unwrap())), 200);
            shown["outputs"]["at"].as_str().unwrap().to_owned()
        })
        .collect();
    instants.sort();
    let seconds: Vec<i64> = instants.iter().map(|at| at.parse::<jiff::Timestamp>().unwrap().as_second()).collect();
    for pair in seconds.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "an instant fired twice or never: {instants:?}");
    }
}

/// The commands of a document, as its readers type them.
fn commands(document: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for line in document.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && goes_on {
            let last = all.last_mut().unwrap();
            last.push('\n');
            last.push_str(line);
            goes_on = line.ends_with('\\');
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            all.push(command.to_owned());
            goes_on = line.ends_with('\\');
        }
    }
    all
}

#[test]
fn the_quick_start_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = std::fs::read_to_string(root.join("docs/quick-start.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&folder.path().join("data"), &[]);
    let said = serving.said();
    let setup_token = said.split("\"token\": \"").nth(1).unwrap().split('"').next().unwrap();
    let mut script = "set -euo pipefail\n".to_owned();
    for command in commands(&document) {
        let command = match command.as_str() {
            // Done already, or for another machine.
            other if other.starts_with("windflow serve") || other.starts_with("docker") => continue,
            other if other.starts_with("export WINDFLOW=") => format!("export WINDFLOW={}", serving.url),
            other if other.starts_with("export TOKEN=wfk_") => {
                "export TOKEN=$(sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/' <<< \"$SAID\")".to_owned()
            }
            other if other.starts_with("export ") => other.to_owned(),
            // The stream of an organisation does not end.
            other if other.contains("/api/v1/live ") => format!("SAID=$({other} --max-time 1 || [ $? = 28 ])"),
            other => format!("SAID=$({other})"),
        };
        let command = command.replace("THE TOKEN", setup_token).replace("/RUN/", "/$RUN/");
        script.push_str(&format!("{command}\necho \"$SAID\"\n"));
        if command.contains("limit=3") {
            script.push_str("RUN=$(sed 's/.*\"run\":\"\\([^\"]*\\)\".*/\\1/' <<< \"$SAID\")\n");
        }
        // A problem is an answer as well: curl does not mind, this test does.
        script.push_str("case \"$SAID\" in *urn:windflow:problem*) exit 7;; esac\n");
    }
    let output = Command::new("bash").arg("-c").arg(&script).env("SAID", "").current_dir(&root).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expect in ["{\"greeting\":\"Hello, Zoé!\"}", "\"next\":[", "event: event", "event: end", "\"repeated\":false"]
    {
        assert!(said.contains(expect), "nothing said {expect}:\n{said}");
    }
    serving.until(|serving| !serving.said().contains("ERROR"));
}

#[test]
fn it_starts_at_once_and_holds_little() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Serving::start(&data, &[]).stop("-TERM");
    let begun = Instant::now();
    let serving = Serving::start(&data, &[]);
    let took = begun.elapsed();
    let memory = memory_kib(serving.child.id());
    eprintln!("start to ready {took:?}, {memory} KiB resident");
    // Far above what an optimised build needs; docs/benchmarks.md has the numbers that count.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(memory < 200 << 10, "{memory} KiB");
}

fn memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A command that has to do what it is told, and what it says.
fn told(data: &Path, arguments: &[&str], status: i32) -> String {
    let output = windflow(data).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
    said
}

#[test]
fn a_backup_is_made_while_it_serves_and_another_server_goes_on_from_it() {
    const SAYS: &str = "windflow: 1\nname: says\nnodes:\n  say: { uses: log@1, with: { message: a line to keep } }\n";
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    add_user(&data, "ada@example.org");
    let by_itself = path("by-itself");
    let mut serving = Serving::start(&data, &["--backup-dir", &by_itself]);
    serving.sign_in("ada@example.org");
    serving.create_enabled("says", SAYS);
    let run = serving.answer(serving.request("POST", "/api/v1/workflows/says/runs").json(&json!({})), 201);
    let run = run["run"].as_str().unwrap().to_owned();
    serving.until(|serving| serving.runs("&status=succeeded").len() == 1);

    let backup = path("backup.tar.gz");
    assert!(told(&data, &["backup", &backup], 0).contains("key that encrypts secrets"));
    told(&data, &["backup", &backup], 2);
    serving.until(|_| std::fs::read_dir(&by_itself).is_ok_and(|mut files| files.next().is_some()));
    assert_eq!(serving.stop("-TERM").0, 0);
    // Nothing is left of how they were made.
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().starts_with(".backup-")), "{left:?}");

    let said = told(&other, &["restore", &backup], 0);
    assert!(said.contains("1 runs") && said.contains("put that key into"), "{said}");
    std::fs::copy(data.join("secrets.key"), other.join("secrets.key")).unwrap();
    assert!(!told(&other, &["restore", &backup, "--replace"], 0).contains("put that key into"));
    told(&other, &["restore", &backup], 1);
    let mut serving = Serving::start(&other, &[]);
    serving.sign_in("ada@example.org");
    assert_eq!(serving.runs("").len(), 1);
    // What the node said lasts, too.
    let events = serving.answer(serving.request("GET", &format!("/api/v1/runs/{run}/events")), 200);
    let lines = events["items"].as_array().unwrap().iter().map(|item| &item["event"]["attempt_succeeded"]["log"]);
    let lines: Vec<_> = lines.filter(|log| !log.is_null()).collect();
    assert_eq!(lines, [&json!({ "lines": [{ "level": "info", "message": "a line to keep" }] })]);
    // It is not taken from under a server.
    assert!(told(&other, &["restore", &backup, "--replace"], 1).contains("another windflow"));
    serving.kill();

    let whole = std::fs::read(&backup).unwrap();
    let (half, noise) = (path("half.tar.gz"), path("noise.tar.gz"));
    std::fs::write(&half, &whole[..whole.len() - 9]).unwrap();
    std::fs::write(&noise, "no archive").unwrap();
    for bad in [half, noise] {
        told(path("third").as_ref(), &["restore", &bad], 1);
        assert!(!folder.path().join("third/store").exists());
    }
    let good = told(&other, &["doctor"], 0);
    for word in ["data folder", "1 runs", "sandbox", "node types", "editor"] {
        assert!(good.contains(word), "{good}");
    }
}

/// Schemathesis asks the server whatever its document allows, and what it does not: with a fixed seed, always the same. Live streams never end, and it
/// cannot write archives.
#[test]
fn keys_are_made_on_the_command_line_with_and_without_a_server() {
    let data = tempfile::tempdir().unwrap();
    add_user(data.path(), "op@local.example");
    let create = |more: &[&str]| {
        let asked = ["token", "create", "--user", "op@local.example", "--name", "ci"];
        windflow(data.path()).args([&asked[..], more].concat()).output().unwrap()
    };
    let made = |more: &[&str]| {
        let output = create(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("wfk_"), "it was told to the log");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let before = made(&["--scope", "runs:read", "--expires-in", "1h"]);
    let mut server = Serving::start(data.path(), &[]);
    let while_served = made(&["--scope", "workflows:read,runs:read"]);
    let status = |server: &Serving, token: &str, path: &str| {
        let request = server.http.get(format!("{}/api/v1/{path}", server.url)).bearer_auth(token);
        request.send().unwrap().status().as_u16()
    };
    assert!(before.starts_with("wfk_local.") && before != while_served);
    assert_eq!((status(&server, &before, "runs"), status(&server, &before, "workflows")), (200, 403));
    assert_eq!((status(&server, &while_served, "runs"), status(&server, &while_served, "workflows")), (200, 200));
    // What cannot be is refused in the same words either way.
    let refused = |more: &[&str], why: &str| {
        let output = create(more);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && output.stdout.is_empty() && said.contains(why), "{more:?}: {said}");
    };
    let all = |refused: &dyn Fn(&[&str], &str)| {
        refused(&["--scope", "people:manage"], "may not do people:manage");
        refused(&["--scope", "everything"], "the scopes are");
        refused(&["--scope", "runs:read", "--expires-in", "0s"], "ended already");
        refused(&[], "--scope");
    };
    all(&refused);
    let nobody =
        told(data.path(), &["token", "create", "--user", "x@y.example", "--name", "a", "--scope", "runs:read"], 1);
    assert!(nobody.contains("nobody signs in with x@y.example"), "{nobody}");
    server.token = while_served;
    assert!(!server.said().contains("wfk_"), "{}", server.said());
    assert_eq!(server.stop("-TERM").0, 0);
    all(&refused);
}

#[test]
fn secrets_get_another_key_and_open_wherever_that_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let (key_file, half) = (data.path().join("secrets.key"), data.path().join("half"));
    add_user(data.path(), "op@local.example");
    let mut server = Serving::start(data.path(), &[]);
    server.sign_in("op@local.example");
    server.answer(server.request("PUT", "/api/v1/secrets/knock").json(&json!({ "value": "s3cret" })), 200);
    let text = "windflow: 1\nname: knocked\ntriggers:\n  hook: { uses: webhook, with: { path: knock, auth: { bearer: knock } } }\nnodes:\n  a: { uses: log@1, with: { message: hello } }\n";
    server.create_enabled("knocked", text);
    let knock = |server: &Serving| {
        let request =
            server.http.post(format!("{}/hooks/local/knock", server.url)).bearer_auth("s3cret").json(&json!({}));
        request.send().unwrap().status().as_u16()
    };
    assert_eq!(knock(&server), 202);
    // A server that has read the key is not to be surprised by another one.
    let said = told(data.path(), &["secrets", "rotate-key"], 1);
    assert!(said.contains("another windflow"), "{said}");
    assert_eq!(server.stop("-TERM").0, 0);

    let first = std::fs::read_to_string(&key_file).unwrap();
    let said = told(data.path(), &["secrets", "rotate-key"], 0);
    assert!(said.contains("1 values have another key"), "{said}");
    let second = std::fs::read_to_string(&key_file).unwrap();
    assert!(first != second && second.len() == 65, "{second}");
    let server = Serving::start(data.path(), &[]);
    assert_eq!(knock(&server), 202);
    server.kill();
    // The key from before opens nothing any more.
    std::fs::write(&half, &first).unwrap();
    let server = Serving::start(data.path(), &["--secrets-key-file", half.to_str().unwrap()]);
    assert_ne!(knock(&server), 202);
    server.kill();

    // As if it had been killed once the next key was written down, and before anything was encrypted with it.
    std::fs::write(&half, format!("{}\n{second}", "0a".repeat(32))).unwrap();
    let server = Serving::start(data.path(), &["--secrets-key-file", half.to_str().unwrap()]);
    assert_eq!(knock(&server), 202);
    server.kill();
    let said = told(data.path(), &["secrets", "rotate-key", "--secrets-key-file", half.to_str().unwrap()], 0);
    assert!(said.contains("Going on") && said.contains("1 values have another key"), "{said}");
    assert_eq!(std::fs::read_to_string(&half).unwrap(), format!("{}\n", "0a".repeat(32)));
    let mut server = Serving::start(data.path(), &["--secrets-key-file", half.to_str().unwrap()]);
    assert_eq!(knock(&server), 202);
    assert_eq!(server.stop("-TERM").0, 0);

    // A key of the environment is the operator's to change.
    let mut command = windflow(data.path());
    let output = command.args(["secrets", "rotate-key"]).env("WINDFLOW_SECRETS_KEY", "0a".repeat(32)).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let both = format!("{} {}", "0b".repeat(32), "0a".repeat(32));
    let mut command = windflow(data.path());
    let output = command.args(["secrets", "rotate-key"]).env("WINDFLOW_SECRETS_KEY", &both).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = windflow(data.path());
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("WINDFLOW_SECRETS_KEY", "0b".repeat(32));
    server = Serving::of(command);
    assert_eq!(knock(&server), 202);
}

#[test]
fn the_api_is_what_its_document_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = windflow(&data);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("WINDFLOW_OWNER_EMAIL", "ada@example.org");
    command.env("WINDFLOW_OWNER_PASSWORD", PASSWORD).env("WINDFLOW_LOG", "error").env("WINDFLOW_RATE_LIMIT", "0");
    let mut serving = Serving::of(command);
    serving.sign_in("ada@example.org");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/toolchain/ensure-schemathesis.sh");
    let tool = Command::new(tool).output().unwrap();
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
    let output = Command::new(String::from_utf8(tool.stdout).unwrap().trim())
        .args(["run", &format!("{}/api/v1/openapi.json", serving.url)])
        .args(["--header", &format!("Authorization: Bearer {}", serving.token)])
        .args(["--phases", "examples,coverage", "--seed", "1", "--workers", "2"])
        .args([
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ])
        .args(["--exclude-path-regex", "/live$|/import$", "--generation-database", "none", "--warnings", "off"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let generated = said.split(" generated").next().and_then(|before| before.split_whitespace().last());
    let generated: u32 = generated.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{said}"));
    assert!(generated > 1000, "it asked next to nothing: {said}");
    assert_eq!(serving.stop("-TERM").0, 0);
}
