//! Deployments that a server makes for the command line of a machine that has nothing but a key.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use windflow_testkit::docker::{free_port, get};

use super::served::Serving;
use super::{Place, SHOP, stderr, stdout};

struct Elsewhere {
    place: Place,
    serving: Serving,
    port: String,
}

impl Elsewhere {
    fn new() -> Self {
        let place = Place::new();
        let serving = Serving::start(&place);
        serving.ask("POST", "/targets", &json!({ "name": "edge", "address": place.engine.address() }), 201);
        let port = format!("WEB_PORT={}", place.port);
        Self { place, serving, port }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.place.command(arguments);
        command.env("WINDFLOW_SERVER", &self.serving.url).env("WINDFLOW_TOKEN", &self.serving.token);
        command.output().unwrap()
    }

    /// What it says where it is refused.
    #[track_caller]
    fn refused(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stderr(&output)
    }

    fn deploy(&self, what: &str, more: &[&str]) -> Output {
        self.run(&[&["deploy", what, "--target", "edge", "--var", &self.port], more].concat())
    }
}

#[test]
fn a_server_deploys_what_the_command_line_hands_it() {
    let elsewhere = Elsewhere::new();
    let Elsewhere { place, serving, .. } = &elsewhere;
    let planned = elsewhere.deploy("shop.yaml", &["--plan"]);
    assert!(stdout(&planned).ends_with("6 created\n"), "{}{}", stdout(&planned), stderr(&planned));
    assert_eq!(serving.ask("GET", "/stacks", &Value::Null, 200)["items"], json!([]), "a plan keeps nothing");

    let first = elsewhere.deploy("shop.yaml", &[]);
    assert!(first.status.success() && stdout(&first).contains("shop is deployed to edge"), "{}", stderr(&first));
    assert_eq!(get(place.port).as_deref(), Some("version 1"));

    // The same again makes no version; the stack that is kept is deployed by its name, and what breaks is undone.
    let again = elsewhere.deploy("shop.yaml", &["--json"]);
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&report["status"], &report["version"]), (&json!("unchanged"), &json!(1)), "{report:#}");
    let second = elsewhere.deploy("shop", &["--var", "TAG=2"]);
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    let broken = elsewhere.deploy("shop", &["--var", "CHECK=nosuch"]);
    assert_eq!(broken.status.code(), Some(1), "{}", stderr(&broken));
    assert!(stdout(&broken).contains("rolled back"), "{}", stdout(&broken));
    assert_eq!(get(place.port).as_deref(), Some("version 2"));

    looked_after(&elsewhere);

    // What reaches beyond containers is confirmed by its name, here as well.
    let risky = SHOP.replace("  worker: {", "  worker: { network_mode: host,").replace("name: shop", "name: risky");
    std::fs::write(place.folder.path().join("risky.yaml"), risky).unwrap();
    let said = elsewhere.refused(&["deploy", "risky.yaml", "--target", "edge", "--var", &elsewhere.port], 2);
    assert!(said.contains("--confirm worker:host_network"), "{said}");
    assert_eq!(serving.ask("GET", "/stacks", &Value::Null, 200)["items"].as_array().unwrap().len(), 1);

    assert!(elsewhere.refused(&["deploy", "nosuch.yaml", "--target", "edge"], 2).contains("nosuch.yaml"));
    assert!(elsewhere.refused(&["deploy", "shop", "--target", "nowhere"], 2).contains("/targets"));
    let gone = json!({ "name": "gone", "address": "tcp://127.0.0.1:1" });
    serving.ask("POST", "/targets", &gone, 201);
    elsewhere.refused(&["targets", "test", "gone"], 1);
    elsewhere.refused(&["targets", "test", "nowhere"], 2);
    assert!(elsewhere.refused(&["deploy", "shop", "--timeout", "1m"], 2).contains("--timeout"));
}

/// What is deployed is looked after from elsewhere as on the server's own machine.
fn looked_after(elsewhere: &Elsewhere) {
    let Elsewhere { place, .. } = elsewhere;
    let on = |arguments: &[&str]| {
        let output = elsewhere.run(&[arguments, &["--target", "edge"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
        stdout(&output)
    };
    assert!(on(&["stacks", "status", "shop"]).contains("shop-web-1"));
    assert!(on(&["stacks", "scale", "shop", "worker=2"]).contains("shop is deployed to edge"));
    let status = on(&["stacks", "status", "shop"]);
    assert!(status.contains("shop-worker-2") && status.contains("stand-in:2"), "all else stays as it was: {status}");
    assert!(on(&["stacks", "stop", "shop", "worker"]).contains("shop-worker-1 stopped"));
    assert!(on(&["stacks", "start", "shop", "worker"]).contains("shop-worker-2 started"));
    assert!(on(&["stacks", "restart", "shop", "web"]).contains("shop-web-1 restarted"));
    let unknown = elsewhere.refused(&["stacks", "stop", "shop", "nosuch", "--target", "edge"], 2);
    assert!(unknown.contains("unknown_service"), "{unknown}");

    let password = place.engine.docker(&["logs", "shop-db-1"]);
    assert_eq!(on(&["stacks", "logs", "shop", "db"]).trim(), format!("db | {password}"));
    let mut following = place.command(&["deployments", "logs", "last", "db", "--follow"]);
    following.env("WINDFLOW_SERVER", &elsewhere.serving.url).env("WINDFLOW_TOKEN", &elsewhere.serving.token);
    let mut following = following.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().unwrap(), format!("db | {password}"));
    let _ = place.engine.docker(&["exec", "shop-db-1", "sh", "-c", "echo later >/proc/1/fd/1"]);
    assert_eq!(lines.next().unwrap(), "db | later");
    let _ = place.engine.docker(&["kill", "shop-db-1"]);
    assert_eq!(lines.next(), None, "it ends with the container");
    assert!(following.wait().unwrap().success());
    let _ = on(&["stacks", "start", "shop", "db"]);

    // To the version before, and to one that is named.
    assert!(on(&["stacks", "rollback", "shop"]).contains("shop is deployed to edge"));
    let all: Value = serde_json::from_str(&stdout(&elsewhere.run(&["deployments", "list", "--json"]))).unwrap();
    let first = all.as_array().unwrap().iter().rev().find(|one| one["status"] == "deployed").unwrap();
    assert!(on(&["stacks", "rollback", "shop", "--to", first["id"].as_str().unwrap()]).contains("deployed to edge"));
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    let broken = all.as_array().unwrap().iter().find(|one| one["status"] == "rolled_back").unwrap();
    let said = elsewhere
        .refused(&["stacks", "rollback", "shop", "--target", "edge", "--to", broken["id"].as_str().unwrap()], 2);
    assert!(said.contains("did not end well"), "{said}");

    assert!(on(&["stacks", "remove", "shop", "--yes"]).contains("its volumes stay"));
    assert_eq!(place.containers(), "");
    assert_eq!(place.engine.docker(&["volume", "ls", "-q"]), "shop_data");
    let said = elsewhere.refused(&["stacks", "status", "shoes", "--target", "edge"], 2);
    assert!(said.contains("deployed no stack shoes"), "{said}");
}

#[test]
fn a_server_shows_and_installs_its_templates_for_the_command_line() {
    let elsewhere = Elsewhere::new();
    let Elsewhere { place, serving, .. } = &elsewhere;
    serving.ask("POST", "/stacks", &json!({ "text": SHOP }), 201);
    let template = json!({ "name": "market-shop", "version": "1.0.0", "category": "web",
        "title": { "en": "Shop", "fr": "Boutique" }, "summary": { "en": "A shop", "fr": "Une boutique" } });
    serving.ask("POST", "/templates", &json!({ "from": { "stack": "shop" }, "template": template }), 201);

    let shown = elsewhere.run(&["templates", "show", "market-shop"]);
    let (shown, said) = (stdout(&shown), stderr(&shown));
    assert!(shown.starts_with("market-shop 1.0.0 (stack, private)\nA shop\n"), "{shown}{said}");
    assert!(shown.contains("service   web  stand-in:") && shown.contains("variable  TAG [1]"), "{shown}");
    let text = stdout(&elsewhere.run(&["templates", "show", "market-shop@1.0.0", "--text"]));
    assert!(text.contains("services:"), "{text}");
    assert!(elsewhere.refused(&["templates", "show", "market-shop@2.0.0"], 2).contains("2.0.0"));

    let kept = elsewhere.run(&["templates", "install", "market-shop", "--as", "later"]);
    assert!(stderr(&kept).contains("windflow deploy later"), "{}", stderr(&kept));
    assert!(elsewhere.refused(&["templates", "install", "market-shop", "--as", "later"], 2).contains("later"));
    let install = |name: &str, check: &str| {
        let (port, check) = (format!("WEB_PORT={}", free_port()), format!("CHECK={check}"));
        let fixed = ["templates", "install", "market-shop", "--as", name, "--deploy", "--target", "edge"];
        elsewhere.run(&[&fixed[..], &["--var", &port, "--var", &check]].concat())
    };
    let broken = install("shoes", "nosuch");
    assert_eq!(broken.status.code(), Some(1), "{}{}", stdout(&broken), stderr(&broken));
    assert!(!place.containers().contains("shoes"), "{}", place.containers());
    let good = install("boots", "");
    assert!(good.status.success() && stdout(&good).contains("boots is deployed to edge"), "{}", stderr(&good));
    let workflow = elsewhere.run(&["templates", "install", "site-check", "--as", "mine"]);
    assert!(stderr(&workflow).contains("windflow workflows enable mine"), "{}", stderr(&workflow));
}
