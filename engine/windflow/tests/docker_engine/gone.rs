//! The engine goes in the middle of a deployment, and comes back.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windflow_testkit::docker::get;

use super::served::Serving;
use super::{Place, SHOP, stderr, stdout};

/// The shop with containers that begin again with their engine, and time to become healthy.
fn shop() -> String {
    SHOP.replace("    stop_signal: SIGKILL\n", "    stop_signal: SIGKILL\n    restart: unless-stopped\n")
        .replace("stop_signal: SIGKILL }", "stop_signal: SIGKILL, restart: unless-stopped }")
        .replace("RETRIES: { default: \"3\" }", "RETRIES: { default: \"16\" }")
}

/// The same with one service more.
fn with_cache() -> String {
    let cache =
        "  cache: { image: \"stand-in:1\", command: sleep 1000, stop_signal: SIGKILL, restart: unless-stopped }\n";
    shop().replace("services:\n", &format!("services:\n{cache}"))
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Services were made, and one was set aside for its successor, which is up and not healthy yet.
fn is_in_the_middle(place: &Place) -> bool {
    let there = place.containers();
    ["shop-web-1.previous exited", "shop-web-1 running", "shop-cache-1 running"].iter().all(|line| there.contains(line))
}

/// What the new web server is asked for by its check.
fn becomes_healthy(place: &Place) {
    wait_until("the new one is not up", || place.containers().lines().any(|line| line == "shop-web-1 running"));
    let _ = place.engine.docker(&["exec", "shop-web-1", "touch", "/www/later"]);
}

fn all_run(place: &Place, count: usize) {
    let there = place.containers();
    assert!(there.lines().count() == count && there.lines().all(|line| line.ends_with(" running")), "{there}");
}

/// Whatever is on the engine is listed.
fn nothing_is_hidden(place: &Place, listed: &str) {
    for line in place.containers().lines() {
        let name = line.split(' ').next().unwrap();
        assert!(listed.contains(name), "{name} is not listed: {listed}");
    }
}

#[test]
fn a_command_says_so_and_the_next_one_goes_on_or_undoes_it() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("shop.yaml"), shop()).unwrap();
    assert_eq!(place.deploy(&[]).1, Some(0));
    std::fs::write(place.folder.path().join("shop.yaml"), with_cache()).unwrap();
    let begin = |more: &[&str]| -> Child {
        let mut command = place.deploy_command(more);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let last = || -> Value {
        let listed = place.windflow(&["deployments", "list", "--json"]);
        serde_json::from_slice::<Value>(&listed.stdout).unwrap().as_array().unwrap()[0].clone()
    };
    let newer = ["--var", "TAG=2", "--var", "CHECK=later"];
    let cut_off = |more: &[&str]| {
        let child = begin(more);
        wait_until("it does not get to the middle", || is_in_the_middle(&place));
        let away = place.engine.leave();
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert!(output.status.code() == Some(1) && said.contains("unreachable"), "{said}");
        assert!(
            said.contains("the engine is gone") && said.contains("deploy again: it goes on where it was"),
            "{said}"
        );
        // It is told while the engine is gone, too.
        assert_eq!((&last()["status"], &last()["error"]["code"]), (&json!("failed"), &json!("unreachable")));
        away.come_back();
        nothing_is_hidden(&place, &stdout(&place.on(&["stacks", "status", "shop"])));
    };

    // The same again goes on.
    cut_off(&newer);
    let again = begin(&newer);
    becomes_healthy(&place);
    let output = again.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    all_run(&place, 5);

    // What was there before, asked for again, is brought back as it was.
    let web = || place.engine.docker(&["ps", "--filter", "name=^shop-web-1$", "--format", "{{.ID}}"]);
    let before = web();
    cut_off(&["--var", "TAG=1", "--var", "CHECK=never"]);
    assert_ne!(web(), before);
    assert_eq!(place.deploy(&newer).1, Some(0));
    assert_eq!((web(), get(place.port).as_deref()), (before, Some("version 2")));
    all_run(&place, 5);
}

#[test]
fn a_server_goes_on_or_undoes_it_by_itself() {
    let place = Place::new();
    let serving = Serving::start(&place);
    serving.ask("POST", "/targets", &json!({ "name": "edge", "address": place.engine.address() }), 201);
    serving.ask("POST", "/stacks", &json!({ "text": shop() }), 201);
    let port = place.port.to_string();
    let with = |tag: &str, check: &str| json!({ "variables": { "WEB_PORT": port, "TAG": tag, "CHECK": check } });
    let first = serving.deploy(&with("1", ""));
    assert_eq!(serving.ended(&first)["status"], "deployed");
    serving.ask("PUT", "/stacks/shop", &json!({ "text": with_cache() }), 200);
    let shown = |id: &str| serving.ask("GET", &format!("/deployments/{id}"), &Value::Null, 200);
    let cut_off = |body: &Value| {
        let id = serving.deploy(body);
        wait_until("it does not get to the middle", || is_in_the_middle(&place));
        let away = place.engine.leave();
        wait_until("nobody says that it is gone", || shown(&id)["error"]["code"] == "unreachable");
        let error = shown(&id)["error"].clone();
        assert!(error["message"].as_str().is_some_and(|why| why.contains("engine")), "{error}");
        away.come_back();
        let status = serving.ask("GET", &format!("/deployments/{id}/status"), &Value::Null, 200);
        nothing_is_hidden(&place, &status.to_string());
        id
    };
    let wait_for = |id: &str, status: &str| {
        wait_until(&format!("it is not {status}"), || shown(id)["status"] == status);
        assert_eq!(serving.run_of(id)["status"], "succeeded");
    };

    // One that cannot become healthy: what ran before is brought back.
    let broken = cut_off(&with("2", "nosuch"));
    wait_until("it is not undone", || shown(&broken)["status"] == "rolled_back");
    assert_eq!(shown(&broken)["error"]["code"], "unhealthy");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    all_run(&place, 4);

    let good = cut_off(&with("2", "later"));
    becomes_healthy(&place);
    wait_for(&good, "deployed");
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    all_run(&place, 5);
}
