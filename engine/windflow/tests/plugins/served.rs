//! Plugins of a server that runs: previewed, installed, updated and removed by its API and from the command line.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use windflow_core::id::Digest;

use super::support::{Bench, asks};
use crate::serving::{PASSWORD, Serving};

const EMAIL: &str = "ada@example.org";

/// Uses the plugin `facts`, once somebody approves.
const ASKS_FIRST: &str = "windflow: 1\nname: asks\nnodes:\n  \
    ask: { uses: approval@1, with: { message: \"Now?\" } }\n  \
    tell: { uses: facts@1, needs: [ask.approved], with: { text: seven } }\n\
    outputs: { gave: \"${{ nodes.tell.output.text }}\" }\n";
/// Uses it by running the one above.
const OUTER: &str = "windflow: 1\nname: outer\nnodes:\n  run: { uses: workflow@1, with: { name: asks } }\n";

impl Bench {
    pub(super) fn serve(&self) -> Serving {
        let mut command = self.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("WINDFLOW_OWNER_EMAIL", EMAIL).env("WINDFLOW_OWNER_PASSWORD", PASSWORD);
        let mut serving = Serving::of(command);
        serving.sign_in(EMAIL);
        serving
    }

    /// A plugin's bytes and its digest.
    pub(super) fn package(&self, file: &str) -> (Vec<u8>, String) {
        let bytes = std::fs::read(self.path().join(file)).unwrap();
        let digest = Digest::of(&bytes).to_string();
        (bytes, digest)
    }
}

impl Serving {
    pub(super) fn preview(&self, package: &[u8], status: u16) -> Value {
        let request = self.request("POST", "/api/v1/plugins/preview").header("content-type", "application/wasm");
        self.answer(request.body(package.to_vec()), status)
    }

    pub(super) fn install(&self, package: &[u8], query: &str, status: u16) -> Value {
        let request = self.request("POST", &format!("/api/v1/plugins?{query}"));
        self.answer(request.header("content-type", "application/wasm").body(package.to_vec()), status)
    }

    fn get(&self, path: &str, status: u16) -> Value {
        self.answer(self.request("GET", &format!("/api/v1/{path}")), status)
    }

    fn post(&self, path: &str, status: u16) -> Value {
        self.answer(self.request("POST", &format!("/api/v1/{path}")), status)
    }

    /// Waits until a run is where somebody is asked.
    fn asks(&mut self, run: &str) {
        let path = format!("/api/v1/runs/{run}");
        self.until(|serving| serving.answer(serving.request("GET", &path), 200)["nodes"]["ask"]["status"] == "waiting");
    }

    fn ended(&mut self, run: &str) -> Value {
        let path = format!("/api/v1/runs/{run}");
        self.until(|serving| {
            let status = &serving.answer(serving.request("GET", &path), 200)["status"];
            !matches!(status.as_str(), Some("running" | "cancelling"))
        });
        self.get(&format!("runs/{run}"), 200)
    }

    fn approve(&self, run: &str) {
        let answer = self.request("POST", &format!("/api/v1/runs/{run}/answers"));
        self.answer(answer.json(&json!({ "node": "ask", "approved": true })), 200);
    }

    fn begin(&self) -> String {
        let run = self.answer(self.request("POST", "/api/v1/workflows/asks/runs").json(&json!({})), 201);
        run["run"].as_str().unwrap().to_owned()
    }
}

#[test]
fn plugins_come_and_go_while_the_server_runs() {
    let bench = Bench::new();
    let (one, first) = bench.package(&bench.facts("1.0.0", |_| {}));
    let grown = bench.facts("1.1.0", |manifest| {
        manifest.capabilities =
            asks(&json!({ "run_context": true, "cancellation": true, "http": ["api.example.org"] }));
    });
    let (two, second) = bench.package(&grown);
    let mut serving = bench.serve();

    let shown = serving.preview(&one, 200);
    assert_eq!((&shown["name"], &shown["digest"], &shown["before"]), (&json!("facts"), &json!(first), &Value::Null));
    assert_eq!(shown["may"][0]["en"], "know which run, node and attempt it is");
    assert!(shown["reach"]["fr"].as_str().unwrap().starts_with("Il peut"), "{shown}");
    assert_eq!(shown["node_types"][0]["uses"], "facts@1");
    serving.get("node-types/facts@1", 404);
    assert!(!bench.data().join("plugins").exists(), "a preview has left something");

    assert_eq!(serving.install(&one, &format!("digest={second}"), 409)["code"], "other_plugin");
    serving.install(&one, "", 400);
    serving.get("node-types/facts@1", 404);
    serving.install(&one, &format!("digest={first}"), 201);
    serving.install(&one, &format!("digest={first}"), 200);
    assert_eq!(serving.get("node-types/facts@1", 200)["component"], json!(first));
    let create = |text: &str| {
        let request = serving.request("POST", "/api/v1/workflows").header("content-type", "application/yaml");
        serving.answer(request.body(text.to_owned()), 201);
    };
    create(ASKS_FIRST);
    create(OUTER);
    serving.post("workflows/outer/enable", 200);
    let run = serving.begin();
    serving.asks(&run);

    // What grew has to be agreed to by itself.
    let shown = serving.preview(&two, 200);
    assert_eq!(shown["before"]["version"], "1.0.0");
    assert_eq!(shown["before"]["more"][0]["en"], "send requests to api.example.org where the workflow allows it");
    let refused = serving.install(&two, &format!("digest={second}"), 409);
    assert_eq!(refused["code"], "plugin_may_do_more");
    assert!(refused["detail"].as_str().unwrap().contains("send requests to api.example.org"), "{refused}");
    assert_eq!(serving.get("node-types/facts@1", 200)["component"], json!(first));
    serving.install(&two, &format!("digest={second}&may_do_more=true"), 201);
    assert_eq!(serving.get("node-types/facts@1", 200)["component"], json!(second));
    // The run goes on with what it began with; the next one begins with what is there now.
    let next = serving.begin();
    serving.asks(&next);
    for (run, component) in [(&run, &first), (&next, &second)] {
        serving.approve(run);
        let ended = serving.ended(run);
        assert_eq!((&ended["status"], &ended["outputs"]["gave"]), (&json!("succeeded"), &json!("seven")), "{ended}");
        let events = serving.get(&format!("runs/{run}/events?limit=500"), 200).to_string();
        assert!(events.contains(component.as_str()), "{component} is not in {events}");
    }

    let used = serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 409);
    assert_eq!(used["code"], "plugin_in_use");
    assert!(used["detail"].as_str().unwrap().contains("`outer`"), "{used}");
    serving.post("workflows/outer/disable", 200);
    serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 204);
    serving.get("node-types/facts@1", 404);
    serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 404);
    assert_eq!(serving.answer(serving.request("DELETE", "/api/v1/plugins/http"), 409)["code"], "plugin_built_in");

    let audit = serving.get("audit", 200).to_string();
    for path in [
        format!("/api/v1/plugins/facts@1.0.0?digest={first}"),
        format!("/api/v1/plugins/facts@1.1.0?digest={second}"),
        "\"DELETE\",\"path\":\"/api/v1/plugins/facts\"".to_owned(),
    ] {
        assert!(audit.contains(&path), "{path} is not in {audit}");
    }
    assert!(!audit.contains("preview"), "a preview changes nothing: {audit}");
}

/// What a workflow that is on would no longer fit is told before, and agreed to by itself; then it is off until it is mended.
#[test]
fn a_plugin_that_workflows_do_not_fit_any_more_stops_them_only_once_somebody_agrees() {
    let bench = Bench::new();
    let (one, first) = bench.package(&bench.facts("1.0.0", |_| {}));
    let strict = bench.facts("1.1.0", |manifest| {
        let node = manifest.nodes.get_mut("facts").unwrap();
        node.config["properties"]["word"] = json!({ "type": "string", "description": "A word." });
        node.config["required"] = json!(["text", "word"]);
    });
    let (two, second) = bench.package(&strict);
    let mut serving = bench.serve();
    serving.install(&one, &format!("digest={first}"), 201);
    let hook = |name: &str, path: &str| {
        format!(
            "windflow: 1\nname: {name}\ntriggers:\n  hook: {{ uses: webhook, with: {{ path: {path}, auth: none, reply: result }} }}\n\
             nodes:\n  tell: {{ uses: facts@1, with: {{ text: seven }} }}\noutputs: {{ gave: \"${{{{ nodes.tell.output.text }}}}\" }}\n"
        )
    };
    serving.create_enabled("told", &hook("told", "told"));
    let runs_it = "windflow: 1\nname: outside\nnodes: { go: { uses: workflow@1, with: { name: told } } }\n";
    serving.create_enabled("outside", runs_it);
    let calm = "windflow: 1\nname: calm\nnodes: { say: { uses: log@1, with: { message: facts } } }\n";
    serving.create_enabled("calm", calm);
    let knock = |serving: &Serving, status| serving.answer(serving.request("POST", "/hooks/local/told"), status);
    assert_eq!(knock(&serving, 200)["gave"], "seven");

    let before = serving.preview(&two, 200)["before"].clone();
    let names: Vec<_> =
        before["unfit"].as_array().unwrap().iter().map(|one| one["workflow"].as_str().unwrap()).collect();
    assert_eq!(names, ["outside", "told"], "{before:#}");
    let problem = &before["unfit"][1]["problems"][0];
    assert!(problem["message"].as_str().unwrap().contains("word") && problem["line"] == 6, "{problem}");
    assert!(before["unfit"][0]["problems"][0]["message"].as_str().unwrap().contains("`told`"), "{before:#}");
    assert_eq!(before["unfit_more"], 0);

    let refused = serving.install(&two, &format!("digest={second}"), 409);
    assert_eq!(refused["code"], "plugin_stops_workflows");
    for part in ["`told` (6:", "word", "may_stop_workflows=true"] {
        assert!(refused.to_string().contains(part), "{part} is not in {refused}");
    }
    assert!(!refused.to_string().contains("calm"), "{refused}");
    assert_eq!(serving.get("node-types/facts@1", 200)["component"], json!(first));
    assert_eq!(knock(&serving, 200)["gave"], "seven");

    // What runs beside it is told by its command line, too, which says that it does not know.
    bench.run(&["plugins", "install", "facts-1.0.0.wasm"]).with(0, &["unchanged facts 1.0.0"]);
    bench.run(&["plugins", "install", &strict]).with(2, &["is not known", "--server URL", "nobody can be asked here"]);
    std::fs::write(bench.path().join("key"), &serving.token).unwrap();
    let asking = |more: &[&str]| {
        let all = [&["--server", &serving.url, "--token-file", "key", "plugins", "install", &strict], more].concat();
        bench.run(&all)
    };
    asking(&[])
        .with(2, &["Workflows that are on would stop", "! told", "6:", "word", "! outside", "nobody can be asked"]);
    asking(&["--yes"]).with(0, &["installed facts 1.1.0"]);
    assert_eq!(serving.get("node-types/facts@1", 200)["component"], json!(second));
    // Its hook is off, until it is mended.
    knock(&serving, 404);
    let shown = serving.answer(serving.request("GET", "/api/v1/workflows/told"), 200);
    assert_eq!(shown["enabled"], true, "{shown}");
    serving.stop("-TERM");

    // With nobody running, the command line looks itself. It goes back, which fits again.
    bench.run(&["plugins", "install", "facts-1.0.0.wasm", "--yes"]).with(0, &["goes back from version 1.1.0"]);
    bench.run(&["plugins", "install", &strict]).with(2, &["Workflows that are on would stop", "! told", "word"]);
    serving = bench.serve();
    assert_eq!(knock(&serving, 200)["gave"], "seven");
}

/// Triggers that were off, since a plugin was missing, are on again with it, and it is there after the next start.
#[test]
fn what_is_installed_stays_and_lets_workflows_go_on() {
    let bench = Bench::new();
    let (package, digest) = bench.package(&bench.facts("1.0.0", |_| {}));
    let serving = bench.serve();
    serving.install(&package, &format!("digest={digest}"), 201);
    let hook = "windflow: 1\nname: told\ntriggers:\n  hook: { uses: webhook, with: { path: told, auth: none, reply: result } }\n\
        nodes:\n  tell: { uses: facts@1, with: { text: seven } }\noutputs: { gave: \"${{ nodes.tell.output.text }}\" }\n";
    serving.create_enabled("told", hook);
    serving.stop("-TERM");

    let serving = bench.serve();
    let knock = |serving: &Serving, status| serving.answer(serving.request("POST", "/hooks/local/told"), status);
    assert_eq!(knock(&serving, 200)["gave"], "seven");
    let listed = serving.get("plugins", 200);
    let facts = listed["items"].as_array().unwrap().iter().find(|one| one["name"] == "facts").unwrap();
    assert_eq!((&facts["origin"], &facts["digest"]), (&json!("upload"), &json!(digest)));
    assert!(listed["items"].as_array().unwrap().iter().any(|one| one["name"] == "http" && one["origin"] == "built_in"));
    serving.stop("-TERM");

    bench.run(&["plugins", "remove", "facts"]).with(0, &[]);
    let serving = bench.serve();
    knock(&serving, 404);
    serving.install(&package, &format!("digest={digest}"), 201);
    assert_eq!(knock(&serving, 200)["gave"], "seven");
}

#[test]
fn the_command_line_installs_at_a_server_once_somebody_agrees() {
    let bench = Bench::new();
    let file = bench.facts("1.0.0", |_| {});
    let grown = bench.facts("1.1.0", |manifest| {
        manifest.capabilities =
            asks(&json!({ "run_context": true, "cancellation": true, "http": ["api.example.org"] }));
    });
    let serving = bench.serve();
    let created =
        bench.run(&["token", "create", "--user", EMAIL, "--name", "ci", "--scope", "plugins:manage,workflows:read"]);
    std::fs::write(bench.path().join("key"), created.out).unwrap();
    let asking = |arguments: &[&str]| {
        let mut command = bench.command();
        command.env("WINDFLOW_DATA_DIR", bench.path().join("nothing")).args([
            "--server",
            &serving.url,
            "--token-file",
            "key",
        ]);
        super::support::Said::from(command.args(arguments).output().unwrap())
    };
    asking(&["plugins", "install", &file]).with(
        2,
        &["may touch   It may know which run, node and attempt it is", "sha256:", "nobody can be asked here", "--yes"],
    );
    asking(&["plugins", "show", "facts"]).with(2, &["no node type facts"]);
    asking(&["plugins", "install", &file, "--yes"]).with(0, &["installed facts 1.0.0"]);
    asking(&["plugins", "install", &file]).with(0, &["unchanged facts 1.0.0"]);
    asking(&["plugins", "install", &grown])
        .with(2, &["takes the place of version 1.0.0, and may do more", "+ send requests to api.example.org"]);
    asking(&["plugins", "install", &grown, "--yes"]).with(0, &["installed facts 1.1.0"]);
    asking(&["plugins", "show", "facts"]).with(0, &["facts 1.1.0"]);
    asking(&["plugins", "update"]).with(2, &["plugins install FILE|URL --server URL"]);
    asking(&["plugins", "remove", "facts"]).with(0, &["removed facts"]);
    asking(&["plugins", "remove", "facts"]).with(2, &["there is no installed plugin facts"]);
    assert!(!bench.path().join("nothing").exists(), "something was kept on the machine that only asks");
}

/// Plugins are everybody's: who only shares the server uses them, has no say in them, and tells nobody what their workflows are called.
#[test]
fn other_organisations_use_plugins_and_do_not_change_them() {
    let bench = Bench::new();
    let (package, digest) = bench.package(&bench.facts("1.0.0", |_| {}));
    let serving = bench.serve();
    serving.install(&package, &format!("digest={digest}"), 201);
    serving.stop("-TERM");
    let mut add = bench.command();
    add.args(["users", "add", "bob@example.com", "--organisation", "beta", "--role", "admin"]).stdin(Stdio::piped());
    let mut adding = add.spawn().unwrap();
    writeln!(adding.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(adding.wait().unwrap().success());

    let mut serving = bench.serve();
    let ours = serving.token.clone();
    serving.sign_in("bob@example.com");
    assert_eq!(serving.preview(&package, 403)["code"], "not_your_server");
    assert_eq!(serving.install(&package, &format!("digest={digest}"), 403)["code"], "not_your_server");
    let refused = serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 403);
    assert!(refused["remedy"].as_str().unwrap().contains("windflow plugins install"), "{refused}");
    let hook = "windflow: 1\nname: hidden\ntriggers: { hook: { uses: webhook, with: { path: told, auth: none } } }\n\
        nodes: { tell: { uses: facts@1, with: { text: seven } } }\n";
    serving.create_enabled("hidden", hook);

    let theirs = std::mem::replace(&mut serving.token, ours);
    let used = serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 409);
    let detail = used["detail"].as_str().unwrap();
    assert!(detail.contains("1 of other organisations") && !detail.contains("hidden"), "{used}");
    serving.get("node-types/facts@1", 200);
    serving.token = theirs;
    serving.post("workflows/hidden/disable", 200);
    serving.sign_in(EMAIL);
    serving.answer(serving.request("DELETE", "/api/v1/plugins/facts"), 204);
}

/// A text is asked about before it is kept: what it may reach, and, for whoever may manage credentials, where these go.
#[test]
fn what_a_text_may_reach_is_told() {
    let bench = Bench::new();
    let mut serving = bench.serve();
    let credential = json!({
        "bind": { "oauth2": { "token_url": "https://login.example.org/token", "client_id": "flow" } },
        "hosts": ["crm.example.org"], "value": "s3cret-of-the-client",
    });
    serving.answer(serving.request("PUT", "/api/v1/credentials/crm").json(&credential), 200);
    let part = "windflow: 1\nname: part\npermissions: { http: [crm.example.org], credentials: [crm] }\nnodes:\n  \
        ask: { uses: http@1, with: { url: \"https://crm.example.org/me\", credential: crm } }\n";
    serving.create_enabled("part", part);
    let whole = "windflow: 1\nname: whole\nnodes: { go: { uses: workflow@1, with: { name: part } } }\n";
    let validate = |serving: &Serving, text: &'static str| {
        let request = serving.request("POST", "/api/v1/validate").header("content-type", "application/yaml");
        serving.answer(request.body(text), 200)
    };
    let told = validate(&serving, whole);
    assert_eq!((&told["valid"], &told["reach"][0]["nodes"]), (&json!(true), &json!(["go › ask"])), "{told:#}");
    let kinds: Vec<_> = told["reach"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["http", "credential", "token_server", "run_context"], "{told:#}");
    let server = &told["reach"][2]["what"];
    assert!(server["en"].as_str().unwrap().starts_with("https://login.example.org, which the engine asks"), "{server}");
    assert!(server["fr"].as_str().unwrap().starts_with("https://login.example.org, à qui le moteur"), "{server}");
    assert!(!told.to_string().contains("s3cret"), "{told}");
    assert_eq!(validate(&serving, "windflow: 1\nname: broken\nnodes: { a: { uses: none@1 } }\n")["reach"], json!([]));

    // Where credentials go is no business of a reader's.
    let reader = json!({ "name": "reader", "scopes": ["workflows:read"] });
    let key = serving.answer(serving.request("POST", "/api/v1/api-keys").json(&reader), 201);
    serving.token = key["token"].as_str().unwrap().to_owned();
    let told = validate(&serving, whole);
    assert!(told.to_string().contains("the credential crm") && !told.to_string().contains("login."), "{told:#}");

    // The command line plans with what the server has.
    std::fs::write(bench.path().join("key"), &serving.token).unwrap();
    std::fs::write(bench.path().join("whole.yaml"), whole).unwrap();
    std::fs::write(bench.path().join("broken.yaml"), "windflow: 1\nname: broken\nnodes: { a: { uses: none@1 } }\n")
        .unwrap();
    let plan = |file: &str| bench.run(&["--server", &serving.url, "--token-file", "key", "plan", file]);
    plan("whole.yaml")
        .with(0, &["step 1", "workflow@1", "crm.example.org, by HTTP, from go › ask", "the credential crm, from"]);
    plan("broken.yaml").with(2, &["broken.yaml:3", "unknown_node_type", "is not valid at the server"]);
    bench.run(&["plan", "whole.yaml"]).with(2, &["invalid_child"]);
}
