//! Containers that run once and commands in those of a stack, by nodes of a workflow on a real engine.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windflow_testkit::docker::get;

use super::{Place, SHOP, stderr};

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// A workflow of one node `it`, which asks the target `edge` for this.
fn keep(place: &Place, more: &str, with: &Value) {
    let text = format!(
        "windflow: 1\nname: one\npermissions: {{ docker: [edge] }}\nnodes:\n  it: {{ uses: docker@1, {more} with: {with} }}\n\
         outputs: {{ it: \"${{{{ nodes.it.output }}}}\" }}\n"
    );
    std::fs::write(place.folder.path().join("one.yaml"), text).unwrap();
}

fn run(place: &Place, with: &Value) -> Value {
    keep(place, "", with);
    report(&place.windflow(&["run", "one.yaml", "--json"]))
}

fn shell(script: &str) -> Value {
    json!({ "target": "edge", "action": { "run": { "image": "stand-in:1", "command": ["sh", "-c", script] } } })
}

#[test]
fn nodes_run_containers_and_commands() {
    let place = Place::new();
    assert!(place.windflow(&["targets", "add", "edge", place.engine.address()]).status.success());
    let port = format!("WEB_PORT={}", place.port);
    assert!(place.windflow(&["deploy", "shop.yaml", "--target", "edge", "--var", &port]).status.success());
    let before = place.containers();

    let good = run(&place, &shell("echo hello; echo there >&2"));
    assert_eq!((&good["outputs"]["it"]["stdout"], &good["outputs"]["it"]["exit_code"]), (&json!("hello\n"), &json!(0)));
    let bad = run(&place, &shell("echo oh no; exit 3"));
    let error = &bad["nodes"]["it"]["error"];
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("exit_code"), &json!("it ended with status 3: oh no")),
        "{bad:#}"
    );
    assert_eq!((&error["details"]["exit_code"], &error["details"]["output"]), (&json!(3), &json!("oh no\n")));

    // In the stack's own network and volume, which another one's name does not reach.
    let mut within = shell("wget -q -O - http://web/; echo kept >/data/mark");
    within["stack"] = json!("shop");
    within["action"]["run"]["networks"] = json!(["default"]);
    within["action"]["run"]["volumes"] = json!(["data:/data"]);
    assert_eq!(run(&place, &within)["outputs"]["it"]["stdout"], "version 1\n");
    let exec = json!({ "target": "edge", "stack": "shop", "action": { "exec": { "service": "db", "command": ["cat", "/data/mark"] } } });
    assert_eq!(run(&place, &exec)["outputs"]["it"]["output"], "kept\n");
    let inspect = json!({ "target": "edge", "stack": "shop", "action": { "inspect": { "service": "web" } } });
    assert_eq!(run(&place, &inspect)["outputs"]["it"]["containers"][0]["health"], "healthy");
    within["action"]["run"]["volumes"] = json!(["other:/data"]);
    let refused = run(&place, &within);
    assert!(
        refused["nodes"]["it"]["error"]["message"].as_str().unwrap().contains("the stack shop has no volume"),
        "{refused:#}"
    );

    // What reaches beyond containers is confirmed by name, as with stacks.
    for (field, value, name) in [
        ("privileged", json!(true), "run:privileged"),
        ("network_mode", json!("host"), "run:host_network"),
        ("volumes", json!(["/etc:/x"]), "run:host_path:/etc"),
        ("volumes", json!(["/var/run/docker.sock:/x"]), "run:docker_socket"),
    ] {
        let mut risky = shell("echo it runs");
        risky["action"]["run"][field] = value;
        let refused = run(&place, &risky);
        let error = &refused["nodes"]["it"]["error"];
        assert!(error["code"] == "not_confirmed" && error["message"].as_str().unwrap().contains(name), "{refused:#}");
        if name == "run:host_path:/etc" {
            risky["action"]["run"]["confirm"] = json!([name]);
            assert_eq!(run(&place, &risky)["status"], "succeeded");
        }
    }
    let fetches =
        json!({ "build": { "dockerfile": "FROM stand-in:1\nADD http://127.0.0.1:1/x /x\n", "tags": ["x:1"] } });
    let refused = run(&place, &json!({ "target": "edge", "action": fetches }));
    assert!(refused["nodes"]["it"]["error"]["message"].as_str().unwrap().contains("build:host_network"), "{refused:#}");

    // What is misspelt, and another target, is found before anything starts.
    let mut misspelt = shell("true");
    misspelt["action"]["run"]["comand"] = json!([]);
    keep(&place, "", &misspelt);
    let output = place.windflow(&["run", "one.yaml"]);
    let told = stderr(&output);
    assert!(output.status.code() == Some(2) && told.contains("`comand`") && told.contains("did you mean"), "{told}");
    let mut elsewhere = shell("true");
    elsewhere["target"] = json!("production");
    keep(&place, "", &elsewhere);
    let output = place.windflow(&["run", "one.yaml"]);
    assert!(output.status.code() == Some(2) && stderr(&output).contains("docker: [production]"), "{}", stderr(&output));
    assert_eq!(place.containers(), before, "nothing is left of all this");
}

#[test]
fn what_is_cut_off_goes_on_and_what_is_given_up_leaves_nothing() {
    let place = Place::new();
    assert!(place.windflow(&["targets", "add", "edge", place.engine.address()]).status.success());
    let text =
        SHOP.replace("WEB_PORT: { type: port }", &format!("WEB_PORT: {{ type: port, default: {} }}", place.port));
    std::fs::write(place.folder.path().join("shop.yaml"), text).unwrap();
    assert!(place.windflow(&["deploy", "shop.yaml", "--target", "edge"]).status.success());
    let before = place.containers();
    let wait_for = |what: &str| {
        let begun = Instant::now();
        while !place.containers().lines().any(|line| line.starts_with("windflow-") && line.ends_with(what)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", place.containers());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let begin = || place.command(&["run", "one.yaml"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();

    // The process dies in the middle, once while the container runs and once after it has ended.
    let mut counts = shell("echo once >>/data/done; sleep 3; echo ended");
    counts["stack"] = json!("shop");
    counts["action"]["run"]["volumes"] = json!(["data:/data"]);
    keep(&place, "", &counts);
    for state in ["running", "exited"] {
        let mut child = begin();
        wait_for("running");
        child.kill().unwrap();
        child.wait().unwrap();
        if state == "exited" {
            wait_for(state);
        }
        let resumed = report(&place.windflow(&["runs", "resume", "last", "--json"]));
        assert_eq!(resumed["outputs"]["it"]["output"], "ended\n", "{state}: {resumed:#}");
        assert_eq!(place.containers(), before);
    }
    assert_eq!(place.engine.docker(&["exec", "shop-db-1", "cat", "/data/done"]), "once\nonce");

    // Its own time, the node's, and Ctrl-C.
    let mut late = shell("echo begun; sleep 1000");
    late["action"]["run"]["seconds"] = json!(1);
    let ended = run(&place, &late);
    let error = &ended["nodes"]["it"]["error"];
    assert_eq!((&error["code"], &error["details"]["output"]), (&json!("timeout"), &json!("begun\n")), "{ended:#}");
    assert_eq!(place.containers(), before);
    keep(&place, "timeout: 2s,", &shell("sleep 1000"));
    assert_eq!(report(&place.windflow(&["run", "one.yaml", "--json"]))["status"], "failed");
    assert_eq!(place.containers(), before);
    keep(&place, "", &shell("sleep 1000"));
    let mut child = begin();
    wait_for("running");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(place.containers(), before);
}

/// An image out of files that nodes of the run wrote, and what is said where that cannot be.
#[test]
fn an_image_is_built_from_files_of_the_run() {
    let place = Place::new();
    assert!(place.windflow(&["targets", "add", "edge", place.engine.address()]).status.success());
    let build = |files: &[(&str, &str)], more: Value| {
        let mut asked = json!({ "folder": "made/app", "tags": ["app:1"] });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut nodes =
            json!({ "it": { "uses": "docker@1", "with": { "target": "edge", "action": { "build": asked } } } });
        let mut needs = Vec::new();
        for (number, (path, content)) in files.iter().enumerate() {
            let name = format!("file{number}");
            nodes[&name] = json!({ "uses": "file@1", "with": { "path": path, "action": "write", "content": content } });
            needs.push(name);
        }
        nodes["it"]["needs"] = json!(needs);
        let document = json!({ "windflow": 1, "name": "one", "permissions": { "docker": ["edge"], "files": true }, "nodes": nodes });
        std::fs::write(place.folder.path().join("one.yaml"), document.to_string()).unwrap();
        report(&place.windflow(&["run", "one.yaml", "--json"]))
    };
    let files = [
        (
            "made/app/docker/web",
            "FROM stand-in:1\nCOPY . /app/\nRUN test ! -e /app/.dockerignore && test ! -e /app/docker/web && /app/run.sh\nCMD [\"sh\", \"-c\", \"for f in /app/* /app/.d* /app/src/a/*; do test -f $f && echo $f; done; ls -ld /app/src /app/src/a\"]\n",
        ),
        ("made/app/.dockerignore", "**\n!run.sh\n!src\nsrc/**/secret*\n"),
        ("made/app/run.sh", "#!/bin/sh\necho runs\n"),
        ("made/app/src/a/b", "x"),
        ("made/app/src/a/secret.key", "s3cret"),
        ("made/app/other", "left out"),
        ("made/beside", "in another folder"),
    ];
    let built = build(&files, json!({ "dockerfile": "docker/web", "executable": ["run.sh"] }));
    assert_eq!(built["status"], "succeeded", "{built:#}");
    let found = place.engine.docker(&["run", "--rm", "app:1"]);
    let mut found: Vec<_> = found.lines().collect();
    let folders = found.split_off(found.len().min(2));
    assert_eq!(found, ["/app/run.sh", "/app/src/a/b"]);
    assert!(folders.len() == 2 && folders.iter().all(|line| line.starts_with("drwxr-xr-x")), "{folders:?}");

    let dockerfile = ("made/app/Dockerfile", "FROM stand-in:1\n");
    for (files, more, code, says) in [
        (&[("made/other", "x")][..], json!({}), "no_folder", "no files in a folder \"made/app\""),
        (&[("made/app/x", "x")], json!({}), "no_dockerfile", "has no Dockerfile"),
        (&[dockerfile], json!({ "executable": ["run.sh"] }), "invalid_build", "run.sh"),
        (&[dockerfile], json!({ "folder": "../app" }), "invalid_config", "no folder of the run"),
        (
            &[("made/app/Dockerfile", "FROM stand-in:1\nADD http://127.0.0.1:1/x /x\n")],
            json!({}),
            "not_confirmed",
            "build:host_network",
        ),
    ] {
        let failed = build(files, more);
        let error = &failed["nodes"]["it"]["error"];
        assert!(error["code"] == code && error["message"].as_str().unwrap().contains(says), "{code}: {failed:#}");
    }
}

#[test]
fn a_node_rolls_a_stack_back_and_takes_it_away() {
    let place = Place::new();
    assert!(place.windflow(&["targets", "add", "edge", place.engine.address()]).status.success());
    let port = format!("WEB_PORT={}", place.port);
    for tag in ["TAG=1", "TAG=2"] {
        let deployed = place.windflow(&["deploy", "shop.yaml", "--target", "edge", "--var", &port, "--var", tag]);
        assert!(deployed.status.success(), "{}", stderr(&deployed));
    }
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    let rollback = json!({ "target": "edge", "stack": "shop", "action": "rollback" });
    let back = run(&place, &rollback);
    assert_eq!(back["outputs"]["it"]["lines"], json!(["1 changed, 5 unchanged"]), "{back:#}");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    let none = run(&place, &rollback);
    let why = none["nodes"]["it"]["error"]["message"].as_str().unwrap();
    assert!(why.contains("before the present one"), "{none:#}");

    let remove = |volumes: bool| json!({ "target": "edge", "stack": "shop", "action": "remove", "volumes": volumes });
    let gone = run(&place, &remove(false));
    assert!(gone["outputs"]["it"]["lines"].as_array().unwrap().contains(&json!("volume shop_data stays")), "{gone:#}");
    assert_eq!((place.containers().as_str(), place.engine.docker(&["volume", "ls", "-q"]).as_str()), ("", "shop_data"));
    // It is known to be gone: nothing keeps the target any more.
    assert_eq!(run(&place, &remove(true))["status"], "succeeded");
    assert_eq!(place.engine.docker(&["volume", "ls", "-q"]), "");
    assert!(place.windflow(&["targets", "remove", "edge"]).status.success());
}
