//! From nothing to a node in a running workflow, and what goes wrong on the way.

use std::path::Path;

use serde_json::json;

use super::support::{Bench, built_in};

/// One test for all that builds, since builds wait for each other anyway.
#[test]
fn from_new_to_a_running_workflow_in_three_commands() {
    let bench = Bench::for_builds("writing");
    bench.run(&["plugin", "new", "greet-all"]).with(0, &["windflow plugins install greet-all"]);
    bench
        .run(&["plugin", "install", "greet-all", "--yes"])
        .with(0, &["greet-all@1", "It only computes: it can reach nothing outside of itself.", "installed"]);
    let ran = bench.run(&["run", "greet-all/example.yaml", "-i", "name=Zoé", "--quiet"]).with(0, &[]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ran.out).unwrap(), json!({ "greeting": "Hello Zoé!" }));

    // Everything else that reads workflows knows the node type, too.
    bench.run(&["validate", "greet-all/example.yaml"]).with(0, &["valid", "1 nodes"]);
    bench.run(&["plan", "greet-all/example.yaml"]).with(0, &["greet-all@1"]);
    bench.run(&["plugins", "list"]).with(0, &["greet-all@1", "Greets somebody by name."]);
    bench.run(&["plugins", "show", "greet-all"]).with(0, &["/greet-all, installed", "times", "integer"]);
    bench.run(&["schema"]).with(0, &["greet-all@1"]);
    bench.run(&["plugins", "test", "greet-all"]).with(0, &["2 cases, 0 failed"]);
    bench.run(&["plugins", "check", "greet-all"]).with(0, &["plugin.license is missing", "it can be installed"]);

    // The author changes the type: the schema follows, and what is installed is as it was until it is updated.
    let code = bench.path().join("greet-all/src/lib.rs");
    let text = std::fs::read_to_string(&code).unwrap();
    let text = text.replace("    times: u8,\n}", "    times: u8,\n    /// What is said.\n    #[serde(default = \"hello\")]\n    word: String,\n}\n\nfn hello() -> String {\n    \"Hello\".to_owned()\n}");
    let text = text.replace("vec![format!(\"Hello {name}!\")", "vec![format!(\"{} {name}!\", config.word)");
    std::fs::write(&code, text).unwrap();
    newer(&code);
    bench.run(&["plugins", "show", "greet-all"]).with(0, &["times"]);
    bench.run(&["plugins", "update", "--yes"]).with(0, &["another build of version 1.0.0", "may touch the same"]);
    bench.run(&["plugins", "show", "greet-all"]).with(0, &["word", "What is said."]);
    bench.run(&["plugins", "update", "--yes"]).with(0, &["installed already"]);

    // A case that is not met is told line by line.
    let case = "input: Zoé\nwith: { word: Salut }\nexpect:\n  output: { text: \"Hello Zoé!\" }\n";
    std::fs::write(bench.path().join("greet-all/cases/wrong.yaml"), case).unwrap();
    let junit = bench.path().join("junit.xml");
    bench
        .run(&["plugins", "test", "greet-all", "--junit", junit.to_str().unwrap()])
        .with(1, &["3 cases, 1 failed", "-   \"text\": \"Hello Zoé!\"", "+   \"text\": \"Salut Zoé!\""]);
    assert!(std::fs::read_to_string(junit).unwrap().contains("failures=\"1\""));
}

/// File systems keep times coarsely: the code is changed later than the schema was written.
fn newer(path: &Path) {
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    std::fs::File::options().append(true).open(path).unwrap().set_modified(later).unwrap();
}

#[test]
fn names_that_are_none_or_taken_are_refused() {
    let bench = Bench::new();
    for (name, says) in [
        ("Greet", "no name of a plugin"),
        ("http", "choose another name"),
        ("wait", "choose another name"),
        ("../up", "no name"),
    ] {
        bench.run(&["plugins", "new", name]).with(2, &[says]);
    }
    std::fs::create_dir(bench.path().join("there")).unwrap();
    bench.run(&["plugins", "new", "there"]).with(2, &["is there already"]);
    bench.run(&["plugins", "new", "greet", "--sdk", "/nowhere"]).with(2, &["--sdk /nowhere"]);
    assert!(!bench.path().join("greet").exists());
    bench.run(&["plugins", "build", "there"]).with(2, &["it has no plugin.toml"]);
}

/// The code of `http`, asked what it may do, in the real sandbox and without a network.
#[test]
fn cases_tell_what_is_denied() {
    let bench = Bench::new();
    let file = "http.wasm";
    std::fs::write(bench.path().join(file), built_in("http")).unwrap();
    let cases = bench.path().join("cases");
    std::fs::create_dir(&cases).unwrap();
    let write = |name: &str, text: &str| std::fs::write(cases.join(name), text).unwrap();
    let with = "with: { method: GET, url: \"https://evil.example.org/x\" }\n";
    write(
        "denied.yaml",
        &format!(
            "{with}permissions: {{ http: [api.example.org] }}\nexpect: {{ denied: \"https://evil.example.org\" }}\n"
        ),
    );
    write(
        "not_denied.yaml",
        &format!(
            "{with}permissions: {{ http: [evil.example.org] }}\nexpect: {{ denied: \"the workflow does not grant\" }}\n"
        ),
    );
    write("typo.yaml", "with: { methd: GET }\nexpect: { output: 1 }\n");
    bench
        .run(&["plugins", "test", file])
        .with(1, &["3 cases, 2 failed", "✓ http › denied", "runs tests, which are offline", "methd"]);
    write("typo.yaml", "expct: 1\n");
    bench.run(&["plugins", "test", file]).with(2, &["expct"]);
    write("typo.yaml", "with: {}\nexpect: {}\n");
    bench.run(&["plugins", "test", file]).with(2, &["expects nothing"]);
}

/// The code of `http` against servers that the case speaks for: grants, credentials and what comes back are as in a run.
#[test]
fn cases_answer_for_servers() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("http.wasm"), built_in("http")).unwrap();
    let cases = bench.path().join("cases");
    std::fs::create_dir(&cases).unwrap();
    let write = |name: &str, text: &str| std::fs::write(cases.join(name), text).unwrap();
    let head = "with: { method: POST, url: \"https://api.example.org/items?page=2\", json: { a: 1, b: 2 }, credential: api }\n\
        permissions: { http: [api.example.org], credentials: [api] }\n\
        credentials: { api: { bind: bearer, hosts: [api.example.org], value: a-token-for-tests } }\n";
    let answers = "answers:\n  - { request: POST https://api.example.org/items, status: 201, headers: { x-left: \"7\" }, json: { echo: a-token-for-tests } }\n";
    // What a server tells of the credential is blotted out, as in a run.
    write(
        "a_answered.yaml",
        &format!(
            "{head}{answers}expect:\n  port: out\n  requests:\n    - request: POST https://api.example.org/items?page=2\n      \
             headers: {{ authorization: Bearer a-token-for-tests, content-type: application/json }}\n      json: {{ a: 1 }}\n"
        ),
    );
    let busy =
        "answers:\n  - { request: POST https://api.example.org/items, status: 429, headers: { retry-after: \"3\" } }\n";
    write("b_busy.yaml", &format!("{head}{busy}expect: {{ error: {{ code: http_status, retry: true }} }}\n"));
    let closes = "answers: [{ request: POST https://api.example.org/items, closes: true }]\n";
    write("c_cut_off.yaml", &format!("{head}{closes}expect: {{ error: {{ retry: true }} }}\n"));
    let elsewhere = head.replace("http: [api.example.org]", "http: [other.example.org]");
    write("d_denied.yaml", &format!("{elsewhere}{answers}expect: {{ denied: \"https://api.example.org\" }}\n"));
    bench.run(&["plugins", "test", "http.wasm"]).with(0, &["4 cases, 0 failed"]);

    write("a_answered.yaml", &format!("{head}{answers}expect: {{ requests: [] }}\n"));
    let other = answers.replace("/items", "/other");
    write("b_busy.yaml", &format!("{head}{other}expect: {{ port: out }}\n"));
    let sent = "[{ request: GET https://api.example.org/items, headers: { authorization: none }, json: { a: 2 } }]";
    write("c_cut_off.yaml", &format!("{head}{answers}expect: {{ requests: {sent} }}\n"));
    let said = [
        "requests: expected 0, sent 1",
        "answers: there is none to POST https://api.example.org/items?page=2",
        "requests[0]: expected GET https://api.example.org/items, sent POST",
        "header authorization: expected \"none\"",
        "-   \"a\": 2",
    ];
    bench.run(&["plugins", "test", "http.wasm"]).with(1, &said);
    write("a_answered.yaml", &format!("{head}answers: [{{ request: api.example.org }}]\nexpect: {{ port: out }}\n"));
    bench.run(&["plugins", "test", "http.wasm"]).with(2, &["GET https://api.example.org/"]);
}

/// Cases have what runs have: a plugin that keeps state keeps it, where the case grants it.
#[test]
fn cases_name_the_node_type_and_grant_state() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("state.wasm"), built_in("state")).unwrap();
    std::fs::create_dir(bench.path().join("cases")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(bench.path().join("cases").join(name), text).unwrap();
    let with = "node: state\nwith: { key: runs, action: { add: 2 } }\n";
    write("granted.yaml", &format!("{with}permissions: {{ state: true }}\nexpect: {{ port: out }}\n"));
    write("not_granted.yaml", &format!("{with}expect: {{ denied: \"state: true\" }}\n"));
    bench.run(&["plugins", "test", "state.wasm"]).with(0, &["2 cases, 0 failed"]);
    write("which.yaml", "with: {}\nexpect: { port: out }\n");
    bench.run(&["plugins", "test", "state.wasm"]).with(2, &["several node types (`state`, `seen`)", "node: NAME"]);
}

/// Each case is a run of its own, with files of its own.
#[test]
fn cases_have_files_where_they_grant_them() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("file.wasm"), built_in("file")).unwrap();
    std::fs::create_dir(bench.path().join("cases")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(bench.path().join("cases").join(name), text).unwrap();
    let (with, granted) = ("with: { path: a, action: write, content: hi }\n", "permissions: { files: true }\n");
    write("a_granted.yaml", &format!("{with}{granted}expect: {{ output: {{ path: a, bytes: 2 }} }}\n"));
    write("b_alone.yaml", &format!("with: {{ path: a }}\n{granted}expect: {{ error: {{ code: file_not_found }} }}\n"));
    write("c_not_granted.yaml", &format!("{with}expect: {{ denied: \"files: true\" }}\n"));
    bench.run(&["plugins", "test", "file.wasm"]).with(0, &["3 cases, 0 failed"]);
    assert!(!bench.path().join("data/files").exists(), "cases leave nothing on the disk");
}

#[test]
fn check_tells_everything_that_is_wrong() {
    let bench = Bench::new();
    let file = bench.repacked("condition", "fork", "1.0.0", |manifest| {
        manifest.plugin.description.0.remove("fr");
        manifest.capabilities = super::support::asks(&json!({ "http": ["api.example.org"], "run_context": true }));
    });
    bench.run(&["plugins", "check", &file]).with(
        0,
        &[
            "It only computes",
            "plugin.description has no French text",
            "capabilities.http is asked for and not used",
            "capabilities.run_context",
        ],
    );
    std::fs::write(bench.path().join("http.wasm"), built_in("http")).unwrap();
    bench.run(&["plugins", "check", "http.wasm"]).with(2, &["as a plugin that is part of windflow"]);
    let cut = bench.path().join("cut.wasm");
    let whole = std::fs::read(bench.path().join(&file)).unwrap();
    for length in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&cut, &whole[..length]).unwrap();
        bench.run(&["plugins", "check", "cut.wasm"]).with(2, &["cut.wasm: "]);
        bench.run(&["plugins", "install", "cut.wasm", "--yes"]).with(2, &["cut.wasm: "]);
    }
}

#[test]
fn components_of_other_tools_are_packed() {
    let bench = Bench::new();
    std::fs::write(bench.path().join("made.wasm"), built_in("condition")).unwrap();
    std::fs::write(bench.path().join("config.json"), "{\"type\":\"object\"}").unwrap();
    let manifest = "[plugin]\nname = \"fork\"\nversion = \"1.0.0\"\ndescription.en = \"Forks.\"\n[node.condition]\n\
        title.en = \"Fork\"\ndescription.en = \"Forks.\"\ncategory = \"logic\"\nicon = \"lucide:split\"\nconfig = \"config.json\"\n";
    std::fs::write(bench.path().join("plugin.toml"), manifest).unwrap();
    bench.run(&["plugins", "pack", "made.wasm"]).with(0, &["fork 1.0.0: fork.wasm", "It only computes"]);
    bench.run(&["plugins", "install", "fork.wasm", "--yes"]).with(2, &["`condition`, and so does windflow itself"]);
    std::fs::write(bench.path().join("plugin.toml"), manifest.replace("config.json", "missing.json")).unwrap();
    bench.run(&["plugins", "pack", "made.wasm"]).with(2, &["`node.condition.config`", "missing.json"]);
}
