//! Files of a run, through several processes and the disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;

use common::{Answer, Place, Witness, windflow};
use serde_json::{Value, json};

/// Writes a file, asks a server, reads the file.
fn document(server: &str, permissions: &Value) -> String {
    let document = json!({
        "windflow": 1, "name": "keeps",
        "permissions": permissions,
        "nodes": {
            "keep": { "uses": "file@1", "with": { "path": "a/b.json", "action": "write", "content": { "kept": true } } },
            "ask": { "uses": "http@1", "needs": ["keep"], "with": { "url": server }, "retry": { "attempts": 1 } },
            "again": { "uses": "file@1", "needs": ["ask"], "with": { "path": "a/b.json", "as": "json" } },
        },
        "outputs": { "content": "${{ nodes.again.output.content }}" },
    });
    document.to_string()
}

fn granted() -> Value {
    json!({ "files": true, "http": ["127.0.0.1:*"] })
}

/// The folders of runs.
fn folders(place: &Place) -> Vec<PathBuf> {
    let Ok(found) = std::fs::read_dir(place.folder.path().join("data/files/local")) else { return Vec::new() };
    found.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn nodes_of_a_run_share_files_which_go_when_it_ends_however_it_does() {
    let server = Witness::start(vec![Answer::ok("yes"), Answer { status: 500, ..Answer::ok("no") }]);
    let place = Place::new(&document(&server.url(), &granted()));
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["outputs"], json!({ "content": { "kept": true } }), "{report:#}");
    assert!(folders(&place).is_empty());
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["status"], "failed", "{report:#}");
    assert!(folders(&place).is_empty());
    // No run has the files of another.
    let reads = json!({
        "windflow": 1, "name": "keeps", "permissions": { "files": true },
        "nodes": { "look": { "uses": "file@1", "with": { "path": "a/b.json" } } },
    });
    std::fs::write(&place.file, reads.to_string()).unwrap();
    let (report, _) = place.report(&["run", place.path()]);
    assert_eq!(report["error"]["failure"]["code"], "file_not_found", "{report:#}");
}

#[test]
fn a_run_that_was_killed_goes_on_with_its_files_and_leaves_none() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new(&document(&format!("http://{}", server.local_addr().unwrap()), &granted()));
    let data = place.folder.path().join("data");
    let mut child =
        windflow(&data).args(["run", place.path()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The file was written before.
    let held = server.accept().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(held);
    assert_eq!(folders(&place).len(), 1);
    // Neither is known: a run that was taken away, and something that was never one.
    let (unknown, odd) = (data.join("files/local/01890000-0000-7000-8000-000000000000"), data.join("files/local/odd"));
    for folder in [&unknown, &odd] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("left"), "x").unwrap();
    }

    let answers = std::thread::spawn(move || answer(server.accept().unwrap().0));
    let resumed = place.windflow(&["runs", "resume", "last", "--json"]);
    answers.join().unwrap();
    let report: Value = serde_json::from_slice(&resumed.stdout).expect("a report");
    assert_eq!(report["outputs"], json!({ "content": { "kept": true } }), "{report:#}");
    assert_eq!(report["nodes"]["keep"]["attempts"], 1, "{report:#}");
    assert_eq!(folders(&place), [odd]);
}

fn answer(mut connection: TcpStream) {
    let mut request = [0; 4096];
    let _ = connection.read(&mut request).unwrap();
    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nyes").unwrap();
}

#[test]
fn what_a_process_left_of_a_run_that_had_ended_goes_at_the_next_start() {
    let server = Witness::start(vec![Answer::ok("yes")]);
    let place = Place::new(&document(&server.url(), &granted()));
    let (report, _) = place.report(&["run", place.path()]);
    let left = place.folder.path().join("data/files/local").join(report["run"].as_str().unwrap());
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("left"), "x").unwrap();
    place.report(&["run", place.path()]);
    assert!(!left.exists());
}

#[test]
fn whoever_does_not_grant_it_is_told_the_line_to_add() {
    let place = Place::new(&document("http://127.0.0.1:9", &json!({ "http": ["127.0.0.1:*"] })));
    let output = place.windflow(&["run", place.path()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in ["files_not_granted", "`file@1`", "permissions: { files: true }"] {
        assert!(told.contains(part), "{told}");
    }
    let place = Place::new(&document("http://127.0.0.1:9", &granted()));
    let told = String::from_utf8(place.windflow(&["plan", place.path()]).stdout).unwrap();
    assert!(told.contains("files of the run, which end with it, from keep, again"), "{told}");
    let told = String::from_utf8(place.windflow(&["plugins", "show", "file"]).stdout).unwrap();
    assert!(
        told.contains(
            "It may keep files in the scratch folder of the run, where the workflow allows that, until the run ends"
        ),
        "{told}"
    );
}

/// A repeated run has an empty folder: what wrote into the old one runs again where anything that runs may look for it.
#[test]
fn what_shares_files_with_what_runs_again_runs_again() {
    let server = Witness::start(vec![Answer { status: 500, ..Answer::ok("no") }, Answer::ok("yes")]);
    let place = Place::new(&document(&server.url(), &granted()));
    let (failed, _) = place.report(&["run", place.path()]);
    assert_eq!(failed["error"]["node"], "ask", "{failed:#}");
    let told = place.windflow(&["runs", "rerun", "last", "--dry-run"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("those of the old run are gone"), "{told}");
    let (again, _) = place.report(&["runs", "rerun", "last"]);
    assert_eq!(again["outputs"], json!({ "content": { "kept": true } }), "{again:#}");
    assert_eq!(again["nodes"]["keep"]["attempts"], 1, "{again:#}");
}

#[test]
fn what_has_files_is_taken_over_where_nothing_that_runs_again_has() {
    let server = Witness::start(vec![Answer { status: 500, ..Answer::ok("no") }, Answer::ok("yes")]);
    let mut parsed: Value = serde_json::from_str(&document(&server.url(), &granted())).unwrap();
    parsed["nodes"]["again"]["needs"] = json!(["keep"]);
    parsed["nodes"]["ask"]["needs"] = json!(["again"]);
    let place = Place::new(&parsed.to_string());
    place.report(&["run", place.path()]);
    let (again, _) = place.report(&["runs", "rerun", "last"]);
    assert_eq!(again["outputs"], json!({ "content": { "kept": true } }), "{again:#}");
    assert_eq!((&again["nodes"]["keep"]["attempts"], &again["nodes"]["again"]["attempts"]), (&json!(0), &json!(0)));

    // What undoes something may run once anything does.
    parsed["nodes"]["again"]["compensate"] = json!("undo");
    parsed["nodes"]["undo"] = json!({ "uses": "file@1", "with": { "path": "a/b.json", "action": "remove" } });
    let server = Witness::start(vec![Answer { status: 500, ..Answer::ok("no") }, Answer::ok("yes")]);
    parsed["nodes"]["ask"]["with"]["url"] = json!(server.url());
    parsed["nodes"]["last"] = json!({ "uses": "template@1", "needs": ["ask"], "with": { "template": "x" } });
    let place = Place::new(&parsed.to_string());
    place.report(&["run", place.path()]);
    let (again, _) = place.report(&["runs", "rerun", "last"]);
    assert_eq!(again["status"], "succeeded", "{again:#}");
    assert_eq!(again["nodes"]["keep"]["attempts"], 1, "{again:#}");
}

/// A node that hands a folder of the run to a target counts as one that shares files; one of the same type that does not is none.
#[test]
fn what_has_its_files_handed_to_a_target_shares_them() {
    let document = |build: Value, permissions: Value| {
        json!({
            "windflow": 1, "name": "hands", "permissions": permissions,
            "nodes": {
                "keep": { "uses": "file@1", "with": { "path": "shop/Dockerfile", "action": "write", "content": "FROM scratch" } },
                "build": { "uses": "docker@1", "needs": ["keep"], "with": { "target": "edge", "action": { "build": build } } },
            },
        })
        .to_string()
    };
    let granted = json!({ "files": true, "docker": ["edge"] });
    let of_folder = json!({ "folder": "shop", "tags": ["a"] });
    let place = Place::new(&document(of_folder.clone(), granted.clone()));
    let (failed, _) = place.report(&["run", place.path()]);
    assert_eq!(failed["error"]["node"], "build", "there is no such target: {failed:#}");
    let told = place.windflow(&["runs", "rerun", "last", "--dry-run"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("those of the old run are gone"), "{told}");

    let place = Place::new(&document(json!({ "dockerfile": "FROM scratch", "tags": ["a"] }), granted));
    place.report(&["run", place.path()]);
    let told = place.windflow(&["runs", "rerun", "last", "--dry-run"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("reused") && !told.contains("those of the old run are gone"), "{told}");

    let place = Place::new(&document(of_folder, json!({ "docker": ["edge"] })));
    let told = place.windflow(&["validate", place.path()]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("folder_not_granted") && told.contains("permissions: { files: true }"), "{told}");
}
