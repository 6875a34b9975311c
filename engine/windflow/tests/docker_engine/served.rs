//! Deployments by the server's API, which is killed in the middle.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use windflow_testkit::docker::get;

use super::{Place, SHOP};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";

pub(super) struct Serving {
    child: Child,
    pub(super) url: String,
    http: Client,
    pub(super) token: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    pub(super) fn start(place: &Place) -> Self {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("WINDFLOW_OWNER_EMAIL", EMAIL).env("WINDFLOW_OWNER_PASSWORD", PASSWORD);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let found = lines.find_map(|line| Some(line.split_once("listens on ")?.1.trim().to_owned()));
        let url = found.expect("it says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        windflow_testkit::choose_tls();
        let http = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let mut serving = Self { child, url, http, token: String::new() };
        let begun = Instant::now();
        while !serving.http.get(format!("{}/startupz", serving.url)).send().is_ok_and(|answer| answer.status() == 200) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        let tokens = serving.ask("POST", "/auth/login", &json!({ "email": EMAIL, "password": PASSWORD }), 200);
        serving.token = tokens["access_token"].as_str().unwrap().to_owned();
        serving
    }

    pub(super) fn metrics(&self) -> String {
        let request = self.http.get(format!("{}/metrics", self.url));
        request.bearer_auth(&self.token).send().unwrap().text().unwrap()
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let request = self.http.request(method.parse().unwrap(), format!("{}/api/v1{path}", self.url));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.bearer_auth(&self.token).send().unwrap();
        let found = answer.status().as_u16();
        let text = answer.text().unwrap();
        assert_eq!(found, status, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null, 200)
    }

    /// Deploys; the id of the deployment.
    pub(super) fn deploy(&self, body: &Value) -> String {
        let begun = self.ask("POST", "/stacks/shop/deploy/edge", body, 202);
        begun["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn ended(&self, id: &str) -> Value {
        self.over(&format!("/deployments/{id}"))
    }

    /// The run of a deployment, once it is over: it ends after it has told how the deployment did.
    pub(super) fn run_of(&self, id: &str) -> Value {
        self.over(&format!("/runs/{id}"))
    }

    fn over(&self, path: &str) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.get(path);
            if found["status"] != "running" {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "it does not end: {found:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Waits until the new version of a service runs beside the one before, which is kept until the new one is healthy.
fn until_replaced(place: &Place) {
    let begun = Instant::now();
    let both = |containers: &str| containers.contains(".previous") && containers.contains("shop-web-1 running");
    while !both(&place.containers()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", place.containers());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_api_deploys_and_a_killed_server_goes_on() {
    let place = Place::new();
    let mut serving = Serving::start(&place);
    let target = json!({ "name": "edge", "address": place.engine.address(), "tags": ["lab"] });
    serving.ask("POST", "/targets", &target, 201);
    let facts = serving.ask("POST", "/targets/edge/test", &Value::Null, 200);
    assert!(facts["engine"].as_str().unwrap().starts_with("Docker"), "{facts}");
    assert_eq!(serving.get("/targets?tag=lab")["items"].as_array().unwrap().len(), 1);
    serving.ask("POST", "/stacks", &json!({ "text": "services: { web: { imagee: x } }" }), 422);
    serving.ask("POST", "/stacks", &json!({ "text": SHOP }), 201);
    let missing = serving.ask("POST", "/stacks/shop/deploy/edge", &json!({}), 422);
    assert_eq!(missing["code"], "invalid_stack", "{missing}");

    let port = place.port.to_string();
    let with = |tag: &str, check: &str| json!({ "variables": { "WEB_PORT": port, "TAG": tag, "CHECK": check } });
    let plan = serving.ask("POST", "/stacks/shop/plan/edge", &with("1", ""), 200);
    assert_eq!(plan["steps"].as_array().unwrap().len(), 6, "{plan:#}");
    let first = serving.deploy(&with("1", ""));
    assert_eq!(serving.ended(&first)["status"], "deployed");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    let run = serving.run_of(&first);
    assert_eq!(run["status"], "succeeded");
    let run = run.to_string();
    let password = place.engine.docker(&["logs", "shop-db-1"]);
    assert!(password.len() == 32 && !run.contains(&password), "no secret is in a run");
    let logs = serving.get(&format!("/deployments/{first}/logs?service=db"));
    assert_eq!(logs[0]["text"].as_str(), Some(password.as_str()));

    // What was said, to begin the next one with: neither what took its default nor passwords.
    assert_eq!(serving.get(&format!("/deployments/{first}/variables")), json!({ "WEB_PORT": port }));

    // The same again, and a broken one.
    let again = serving.deploy(&with("1", ""));
    assert_eq!(serving.ended(&again)["status"], "unchanged");
    let broken = serving.deploy(&with("2", "nosuch"));
    let taken = serving.ask("POST", "/stacks/shop/deploy/edge", &with("2", ""), 409);
    assert_eq!(taken["code"], "under_way", "{taken}");
    let ended = serving.ended(&broken);
    assert_eq!(
        (ended["status"].as_str(), ended["error"]["code"].as_str()),
        (Some("rolled_back"), Some("unhealthy")),
        "{ended:#}"
    );
    assert_eq!(get(place.port).as_deref(), Some("version 1"));

    // Killed in the middle: the next server goes on with it. It is the middle for as long as the test wants.
    let lasting = |check: &str| {
        let mut body = with("2", check);
        body["variables"]["RETRIES"] = json!("300");
        body
    };
    let cut = serving.deploy(&lasting("later"));
    until_replaced(&place);
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    serving = Serving::start(&place);
    assert_eq!(serving.get(&format!("/deployments/{cut}"))["status"], "running");
    let _ = place.engine.docker(&["exec", "shop-web-1", "touch", "/www/later"]);
    assert_eq!(serving.ended(&cut)["status"], "deployed");
    assert_eq!(get(place.port).as_deref(), Some("version 2"));
    assert!(!place.containers().contains(".previous"));

    // Rolled back, stopped while under way, removed.
    let back = serving.ask("POST", &format!("/deployments/{cut}/rollback"), &Value::Null, 202);
    let back = back["id"].as_str().unwrap().to_owned();
    assert_eq!(serving.ended(&back)["status"], "deployed");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    let slow = serving.deploy(&lasting("nosuch"));
    until_replaced(&place);
    serving.ask("DELETE", &format!("/deployments/{slow}"), &Value::Null, 202);
    let ended = serving.ended(&slow);
    assert_eq!(ended["status"], "rolled_back", "{ended:#}");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    let in_use = serving.ask("DELETE", "/targets/edge", &Value::Null, 409);
    assert_eq!(in_use["code"], "in_use");
    serving.ask("DELETE", &format!("/deployments/{back}?volumes=true"), &Value::Null, 202);
    assert_eq!(place.containers(), "");
    assert_eq!(place.engine.docker(&["volume", "ls", "-q"]), "");
    serving.ask("DELETE", "/targets/edge", &Value::Null, 204);
}

/// From a template to a healthy stack in one request, and in one command.
#[test]
fn a_template_is_installed_and_deployed_at_once() {
    let place = Place::new();
    let serving = Serving::start(&place);
    serving.ask("POST", "/targets", &json!({ "name": "edge", "address": place.engine.address() }), 201);
    serving.ask("POST", "/stacks", &json!({ "text": SHOP }), 201);
    let template = json!({ "name": "market-shop", "version": "1.0.0", "category": "web",
        "title": { "en": "Shop", "fr": "Boutique" }, "summary": { "en": "A shop", "fr": "Une boutique" } });
    serving.ask("POST", "/templates", &json!({ "from": { "stack": "shop" }, "template": template }), 201);

    let port = place.port.to_string();
    let wish = json!({ "as": "boots", "target": "edge", "deploy": true, "variables": { "WEB_PORT": port } });
    let made = serving.ask("POST", "/templates/market-shop/install", &wish, 201);
    assert_eq!(serving.ended(made["deployment"].as_str().unwrap())["status"], "deployed");
    assert_eq!(get(place.port).as_deref(), Some("version 1"));
    assert_eq!(place.engine.docker(&["logs", "boots-db-1"]).len(), 32, "its password was made");
    assert_eq!(serving.get("/templates/installed")["items"][0]["as"], "boots");

    // One that does not become healthy leaves nothing behind but that it was tried; from there it is tried again.
    let free = windflow_testkit::docker::free_port();
    let broken = json!({ "as": "coats", "target": "edge", "deploy": true,
        "variables": { "WEB_PORT": free.to_string(), "CHECK": "nosuch" } });
    let made = serving.ask("POST", "/templates/market-shop/install", &broken, 201);
    assert_ne!(serving.ended(made["deployment"].as_str().unwrap())["status"], "deployed");
    let is_there = || serving.get("/stacks")["items"].as_array().unwrap().iter().any(|it| it["name"] == "coats");
    while is_there() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let installs = || serving.get("/templates?q=market-shop")["items"][0]["installs"].clone();
    while installs() != 1 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(serving.get("/templates/installed")["items"].as_array().unwrap().len(), 1);
    assert!(!place.containers().contains("coats"), "{}", place.containers());
    let tried = serving.get(&format!("/deployments/{}", made["deployment"].as_str().unwrap()));
    assert_eq!(tried["left"], json!([]), "its volume is gone");
    assert!(!place.engine.docker(&["volume", "ls", "-q"]).contains("coats"));
    assert!(!place.engine.docker(&["network", "ls"]).contains("coats"));
    let again = json!({ "version": 1, "variables": { "WEB_PORT": free.to_string() } });
    let made = serving.ask("POST", "/stacks/coats/deploy/edge", &again, 202);
    assert_eq!(serving.ended(made["id"].as_str().unwrap())["status"], "deployed");
    assert_eq!(get(free).as_deref(), Some("version 1"));
    assert!(is_there());
    assert_eq!((installs(), serving.get("/stacks/coats")["description"].clone()), (json!(2), json!("A shop")));
    drop(serving);

    // By a command; one that does not become healthy leaves nothing behind.
    let free = windflow_testkit::docker::free_port();
    let by_command = |name: &str, check: &str| {
        let (port, check) = (format!("WEB_PORT={free}"), format!("CHECK={check}"));
        let fixed = ["templates", "install", "market-shop", "--as", name, "--deploy", "--yes"];
        place.windflow(&[&fixed[..], &["--target", "edge", "--var", &port, "--var", &check]].concat())
    };
    let broken = by_command("shoes", "nosuch");
    assert_eq!(broken.status.code(), Some(1), "{}", super::stderr(&broken));
    assert!(!place.containers().contains("shoes"), "{}", place.containers());
    assert!(!super::stdout(&place.windflow(&["stacks", "list"])).contains("shoes"));
    assert!(!super::stdout(&place.windflow(&["templates", "installed"])).contains("shoes"));
    assert!(!place.engine.docker(&["volume", "ls", "-q"]).contains("shoes"));
    let good = by_command("shoes", "");
    assert_eq!(good.status.code(), Some(0), "{}", super::stderr(&good));
    assert_eq!(get(free).as_deref(), Some("version 1"));
}
