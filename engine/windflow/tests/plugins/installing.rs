//! What those who install plugins are told, and what they are protected from.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::support::{Bench, asks};
use crate::common::{Answer, Witness};

/// Uses the plugin `facts`.
const FACTS: &str = "windflow: 1\nname: asks\nnodes:\n  a: { uses: facts@1, with: { text: seven } }\noutputs: { gave: \"${{ nodes.a.output.text }}\" }\n";

#[test]
fn nothing_is_installed_unless_somebody_agrees() {
    let bench = Bench::new();
    let file = bench.facts("1.0.0", |_| {});
    bench.run(&["plugins", "install", &file]).with(
        2,
        &["may touch   It may know which run, node and attempt it is", "sha256:", "nobody can be asked here", "--yes"],
    );
    bench.run(&["plugins", "show", "facts"]).with(2, &["no node type facts"]);
    let said = ["compiling ", "compiled for this machine in", "installed facts 1.0.0"];
    bench.run(&["plugins", "install", &file, "--yes"]).with(0, &said);
    std::fs::write(bench.path().join("facts.yaml"), FACTS).unwrap();
    bench.run(&["run", "facts.yaml"]).with(0, &["\"gave\": \"seven\""]);
    bench.run(&["plugins", "remove", "facts"]).with(0, &["removed facts 1.0.0"]);
    bench.run(&["run", "facts.yaml"]).with(2, &["facts@1"]);
    bench.run(&["plugins", "remove", "facts"]).with(2, &["no plugin facts was installed"]);
    bench.run(&["plugins", "remove", "http"]).with(2, &["part of this binary"]);
}

/// The code of `http` uses what it asks for: what it may touch is what its manifest says.
#[test]
fn an_update_shows_what_grew_and_asks() {
    let bench = Bench::new();
    let asking = |capabilities: serde_json::Value| {
        move |manifest: &mut windflow_core::manifest::Manifest| manifest.capabilities = asks(&capabilities)
    };
    let one =
        bench.repacked("http", "ask", "1.0.0", asking(json!({ "http": ["api.example.org"], "run_context": true })));
    let two = bench.repacked(
        "http",
        "ask",
        "1.1.0",
        asking(json!({ "http": ["api.example.org", "collect.example.net"], "run_context": true, "credentials": true })),
    );
    bench
        .run(&["plugins", "install", &one, "--yes"])
        .with(0, &["send requests to api.example.org where the workflow allows it"]);
    bench.run(&["plugins", "install", &two]).with(
        2,
        &[
            "takes the place of version 1.0.0, and may do more",
            "+ send requests to api.example.org and collect.example.net",
            "with a credential",
        ],
    );
    bench.run(&["plugins", "show", "ask"]).with(0, &["ask 1.0.0"]);
    bench.run(&["plugins", "install", &two, "--yes"]).with(0, &["installed ask 1.1.0"]);
    // Back again, and that it does less is told as well.
    bench
        .run(&["plugins", "install", &one, "--yes"])
        .with(0, &["goes back from version 1.1.0, and may do less", "- send requests to"]);
    bench.run(&["plugins", "show", "ask"]).with(0, &["ask 1.0.0"]);
    // The file that it came from was replaced meanwhile.
    std::fs::rename(bench.path().join(&two), bench.path().join(&one)).unwrap();
    bench.run(&["plugins", "update"]).with(2, &["may do more", "nobody can be asked here"]);
    bench.run(&["plugins", "update", "ask", "--yes"]).with(0, &["installed ask 1.1.0"]);
}

#[test]
fn names_of_others_are_not_to_be_had() {
    let bench = Bench::new();
    for (name, node, says) in [
        ("http", "fetch-it", "as a plugin that is part of windflow"),
        ("mine", "http", "offers a node type `http`, and so does windflow itself"),
        ("mine", "approval", "offers a node type `approval`, and so does windflow itself"),
    ] {
        // Of another major version, too.
        let file = bench.facts("7.0.0", |manifest| {
            manifest.plugin.name = name.into();
            let (_, node_type) = manifest.nodes.pop().unwrap();
            manifest.nodes.insert(node.into(), node_type);
        });
        bench.run(&["plugins", "install", &file, "--yes"]).with(2, &[says]);
    }
    let first = bench.facts("1.0.0", |_| {});
    bench.run(&["plugins", "install", &first, "--yes"]).with(0, &[]);
    let second = bench.repacked("condition", "other", "1.0.0", |manifest| {
        let (_, node_type) = manifest.nodes.pop().unwrap();
        manifest.nodes.insert("facts".into(), node_type);
    });
    bench.run(&["plugins", "install", &second, "--yes"]).with(2, &["so does the installed plugin facts"]);
    let alike = bench.repacked("condition", "slakc", "1.0.0", |_| {});
    bench
        .run(&["plugins", "install", &alike])
        .with(2, &["look twice:", "`slakc` is spelt almost as windflow's own `slack`"]);
}

#[test]
fn what_was_changed_afterwards_is_not_loaded() {
    let bench = Bench::new();
    let file = bench.facts("1.0.0", |_| {});
    bench.run(&["plugins", "install", &file, "--yes"]).with(0, &[]);
    let folder = bench.data().join("plugins");
    let kept = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let kept = kept.filter(|path| path.extension().is_some_and(|it| it == "wasm")).collect::<Vec<_>>();
    // Another version of the same plugin, put into its place.
    let other = bench.facts("1.0.1", |manifest| {
        manifest.capabilities = asks(&json!({ "http": ["*"], "run_context": true, "cancellation": true }));
    });
    std::fs::copy(bench.path().join(other), &kept[0]).unwrap();
    std::fs::write(bench.path().join("facts.yaml"), FACTS).unwrap();
    bench
        .run(&["run", "facts.yaml"])
        .with(2, &["warning: the plugin facts is left out", "was changed since it was installed", "facts@1"]);
    // All others run.
    let greeting = "windflow: 1\nname: hi\nnodes:\n  a: { uses: log@1, with: { message: hi } }\n";
    std::fs::write(bench.path().join("hi.yaml"), greeting).unwrap();
    bench.run(&["run", "hi.yaml"]).with(0, &[]);
    bench.run(&["doctor"]).with(1, &["facts:", "was changed since it was installed"]);
    bench.run(&["plugins", "install", &file, "--yes"]).with(0, &[]);
    bench.run(&["run", "facts.yaml"]).with(0, &["\"gave\": \"seven\""]);
}

/// A server takes up what is installed when it starts.
#[test]
fn servers_offer_what_is_installed() {
    let bench = Bench::new();
    let file = bench.facts("1.0.0", |_| {});
    bench.run(&["plugins", "install", &file, "--yes"]).with(0, &[]);
    let (email, password) = ("op@example.org", "at least ten characters");
    let mut command = bench.command();
    command.args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    command.env("WINDFLOW_OWNER_EMAIL", email).env("WINDFLOW_OWNER_PASSWORD", password);
    let mut serving = command.spawn().unwrap();
    let lines = BufReader::new(serving.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = lines.filter_map(|line| Some(line.split_once("http://")?.1.trim().to_owned())).next().unwrap();
    let asked = std::panic::catch_unwind(|| {
        windflow_testkit::choose_tls();
        let http = reqwest::blocking::Client::new();
        let body = json!({ "email": email, "password": password });
        let post = http.post(format!("http://{url}/api/v1/auth/login")).header("content-type", "application/json");
        let tokens = post.body(body.to_string()).send().unwrap().text().unwrap();
        let tokens: serde_json::Value = serde_json::from_str(&tokens).unwrap();
        let get =
            http.get(format!("http://{url}/api/v1/node-types")).bearer_auth(tokens["access_token"].as_str().unwrap());
        get.send().unwrap().text().unwrap()
    });
    serving.kill().unwrap();
    serving.wait().unwrap();
    let answer = asked.unwrap();
    assert!(answer.contains("\"facts@1\""), "{answer}");
}

#[test]
fn downloads_are_bounded_pinned_and_encrypted() {
    let bench = Bench::new();
    for (url, says) in [
        ("http://example.org/fork.wasm", "by https only"),
        ("ftp://example.org/fork.wasm", "no address that plugins are taken from"),
        ("https://", "no address"),
    ] {
        bench.run(&["plugins", "install", url, "--yes"]).with(2, &[says]);
    }
    let nonsense = Witness::start(vec![Answer::ok("<html>not found</html>")]);
    let url = format!("{}/fork.wasm", nonsense.url());
    bench.run(&["plugins", "install", &url, "--yes"]).with(2, &["no WebAssembly file"]);
    let missing = Witness::start(vec![Answer { status: 404, ..Answer::ok("") }]);
    let url = format!("{}/fork.wasm", missing.url());
    bench.run(&["plugins", "install", &url, "--yes"]).with(1, &["the answer is 404"]);
    let file = bench.facts("1.0.0", |_| {});
    let pinned = format!("sha256:{}", "0".repeat(64));
    bench.run(&["plugins", "install", &file, "--yes", "--digest", &pinned]).with(2, &["is not what you expect"]);

    // Loopback only: the bytes of a real package.
    let bytes = std::fs::read(bench.path().join(&file)).unwrap();
    let digest = windflow_core::id::Digest::of(&bytes).to_string();
    let url = serve(bytes);
    bench.run(&["plugins", "install", &url, "--yes", "--digest", &digest]).with(0, &["installed facts 1.0.0"]);
    bench.run(&["plugins", "show", "facts"]).with(0, &[&url, &digest]);
}

/// Serves bytes once on loopback.
fn serve(bytes: Vec<u8>) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/fork.wasm", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes)).unwrap();
    });
    url
}
