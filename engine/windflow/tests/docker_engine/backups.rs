//! The workflow that backs volumes up and brings them back, on a real engine: what was lost is there again.

use std::path::Path;

use serde_json::Value;

use super::{Place, path, stderr};

const KEEPER: &str = "name: keeper\nservices: { keeper: { image: \"stand-in:1\", command: sleep 1000, volumes: [\"data:/data\"], stop_signal: SIGKILL } }\n\
volumes: { data: {} }\n";

fn report(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

#[test]
fn what_is_lost_comes_back_from_a_backup() {
    let place = Place::new();
    place.engine.stand_ins(&["alpine:3.22.2"]);
    assert!(place.windflow(&["targets", "add", "production", place.engine.address()]).status.success());
    std::fs::write(place.folder.path().join("keeper.yaml"), KEEPER).unwrap();
    let deployed = place.windflow(&["deploy", "keeper.yaml", "--target", "production"]);
    assert!(deployed.status.success(), "{}", stderr(&deployed));
    let within = |command: &str| place.engine.docker(&["exec", "keeper-keeper-1", "sh", "-c", command]);
    let _ = within(
        "mkdir -p /data/deep && echo one >/data/deep/file && ln -s deep/file /data/link && chmod 640 /data/deep/file",
    );

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/backup-and-restore/workflow.yaml");
    let run = |more: &[&str]| {
        let fixed = ["run", path(&file), "-i", "stack=keeper", "-i", "volumes=[\"keeper_data\"]", "--json"];
        place.windflow(&[&fixed, more].concat())
    };
    let backup = report(&run(&["-i", "keep=2"]));
    assert_eq!(backup["status"], "succeeded", "{backup:#}");
    let id = backup["outputs"]["backup"].as_str().unwrap();
    assert_eq!(within("cat /data/link"), "one", "it runs again");

    // Something goes wrong, and a later backup has that, too.
    let _ = within("rm /data/deep/file && echo two >/data/other");
    assert_eq!(report(&run(&["-i", "keep=2"]))["status"], "succeeded");
    let from = format!("from={id}");
    assert_eq!(run(&["-i", "action=restore", "-i", &from]).status.code(), Some(3), "it waits for an answer");
    assert_eq!(within("ls /data"), "deep\nlink\nother", "nothing is touched before");
    let restored = report(&place.windflow(&["runs", "approve", "last", "--json"]));
    assert_eq!(restored["status"], "succeeded", "{restored:#}");
    assert_eq!(within("cat /data/link; ls /data; stat -c %a /data/deep/file"), "one\ndeep\nlink\n640");

    // What does not exist, or was damaged, changes nothing.
    let archives = |command: &str| {
        let mount = "backup-and-restore_archives:/archives";
        place.engine.docker(&["run", "--rm", "-v", mount, "--entrypoint", "sh", "alpine:3.22.2", "-c", command])
    };
    let _ = archives(&format!("echo broken >>/archives/keeper_data@{id}.tar.gz"));
    for from in [&from, "from=nosuch"] {
        assert_eq!(run(&["-i", "action=restore", "-i", from]).status.code(), Some(3));
        let refused = report(&place.windflow(&["runs", "approve", "last", "--json"]));
        assert_eq!(refused["nodes"]["failed"]["error"]["code"], "incomplete", "{refused:#}");
        let said = refused["nodes"]["verdict"]["output"].to_string();
        assert!(said.contains("is damaged") || said.contains("there is no backup"), "{said}");
        assert_eq!(within("cat /data/link"), "one");
    }
    // The newest two of the volume stay, and the copy of what was replaced.
    assert_eq!(report(&run(&["-i", "keep=2"]))["status"], "succeeded");
    let kept = archives(
        "ls /archives | grep -c '^keeper_data@.*gz$'; ls /archives | grep -c '^before-.*gz$'; ls /archives | grep -c part || true",
    );
    assert_eq!(kept, "2\n1\n0");
}
