//! Files of runs on a server that is killed, and started again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::serving::{Serving, add_user};

/// The folders of runs.
fn folders(data: &Path) -> usize {
    std::fs::read_dir(data.join("files/local")).map_or(0, Iterator::count)
}

#[test]
fn a_server_that_was_killed_goes_on_with_the_files_of_its_runs() {
    let asked = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let allow = ["--allow-host", "127.0.0.1:*"];
    let mut serving = Serving::start(&data, &allow);
    serving.sign_in("op@example.org");
    let document = json!({
        "windflow": 1, "name": "keeps",
        "triggers": { "hook": { "uses": "webhook", "with": { "path": "in", "auth": "none" } } },
        "permissions": { "files": true, "http": ["127.0.0.1:*"] },
        "nodes": {
            "keep": { "uses": "file@1", "with": { "path": "a/b.json", "action": "write", "content": { "kept": true } } },
            "ask": { "uses": "http@1", "needs": ["keep"], "with": { "url": format!("http://{}", asked.local_addr().unwrap()) } },
            "again": { "uses": "file@1", "needs": ["ask"], "with": { "path": "a/b.json", "as": "json" } },
        },
        "outputs": { "content": "${{ nodes.again.output.content }}" },
    });
    serving.create_enabled("keeps", &document.to_string());
    let started = serving.http.post(format!("{}/hooks/local/in", serving.url)).json(&json!({})).send().unwrap();
    let run = started.json::<Value>().unwrap()["run"].as_str().unwrap().to_owned();
    // The file was written before.
    let held = asked.accept().unwrap();
    serving.kill();
    drop(held);
    assert_eq!(folders(&data), 1);
    // Of a run that nobody knows any more.
    std::fs::create_dir(data.join("files/local/01890000-0000-7000-8000-000000000000")).unwrap();

    let answering = std::thread::spawn(move || {
        let (mut connection, _) = asked.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]).unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nyes").unwrap();
    });
    let mut serving = Serving::start(&data, &allow);
    serving.sign_in("op@example.org");
    serving.until(|serving| serving.runs("&status=running").is_empty());
    answering.join().unwrap();
    let report = serving.answer(serving.request("GET", &format!("/api/v1/runs/{run}")), 200);
    assert_eq!(report["outputs"], json!({ "content": { "kept": true } }), "{report:#}");
    assert_eq!(folders(&data), 0, "files are left");
}
