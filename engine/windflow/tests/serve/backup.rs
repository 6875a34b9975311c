//! Backups, as they are made and gone on from.

use serde_json::json;

use crate::serving::{Serving, add_user, told};

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
    // Another key would open nothing; none is made in its place.
    let says = path("says.yaml");
    std::fs::write(&says, SAYS).unwrap();
    for command in
        [&["serve", "--listen", "127.0.0.1:0"][..], &["run", &says], &["targets", "list"], &["backup", &path("b2")]]
    {
        assert!(told(&other, command, 2).contains("encrypted with another key"), "{command:?}");
    }
    assert!(!other.join("secrets.key").exists());
    assert!(told(&other, &["doctor"], 1).contains("encrypted with another key"));
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
