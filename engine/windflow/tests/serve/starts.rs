//! What a server says when it starts, and what the quick start promises.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::windflow;
use crate::serving::{PASSWORD, Serving, add_user};

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
