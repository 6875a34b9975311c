//! How targets are, told while somebody looks.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use super::Place;
use super::served::Serving;

/// Somebody who looks, and what was told last of each target: what is no news is told once.
struct Looking {
    lines: std::io::Lines<BufReader<Response>>,
    last: HashMap<String, Value>,
}

impl Looking {
    fn new(serving: &Serving) -> Self {
        // A stream that says nothing for so long has failed.
        let http = Client::builder().timeout(Duration::from_secs(90)).build().unwrap();
        let answer =
            http.get(format!("{}/api/v1/target-status/live", serving.url)).bearer_auth(&serving.token).send().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { lines: BufReader::new(answer).lines(), last: HashMap::new() }
    }

    /// The first thing that is told from now on and fits. A target that could not be reached may be told of before all are.
    fn until(&mut self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut kind = String::new();
        loop {
            let line = self.lines.next().expect("the stream goes on").unwrap();
            if let Some(told) = line.strip_prefix("event: ") {
                told.clone_into(&mut kind);
            }
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let data: Value = serde_json::from_str(data).unwrap();
            if let ("target", Some(name)) = (&*kind, data["target"].as_str()) {
                self.last.insert(name.to_owned(), data.clone());
            }
            if kind == event && fits(&data) {
                return data;
            }
        }
    }

    /// How a target is, once it is so.
    fn target(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        match self.last.get(name).filter(|last| fits(last)) {
            Some(last) => last.clone(),
            None => self.until("target", |data| data["target"] == name && fits(data)),
        }
    }
}

#[test]
fn whoever_looks_is_told_how_targets_are_as_it_changes() {
    let place = Place::new();
    let serving = Serving::start(&place);
    serving.ask("POST", "/targets", &json!({ "name": "edge", "address": place.engine.address() }), 201);
    let gone = json!({ "name": "gone", "address": "tcp://127.0.0.1:9" });
    serving.ask("POST", "/targets", &gone, 201);
    let mut looking = Looking::new(&serving);
    looking.until("all", |_| true);
    let error = looking.target("gone", |told| told["status"] == "unreached");
    assert_eq!(error["error"]["code"], "unreachable", "{error}");
    let told = looking.target("edge", |told| told["status"] == "reached" && !told["usage"]["cores"].is_null());
    assert!(told["facts"]["engine"].as_str().unwrap().starts_with("Docker ") && told["error"].is_null(), "{told}");
    assert!(told["usage"]["disk"].as_u64().unwrap() > 100_000, "{told}");

    // Another who looks is told at once, and one watcher is enough for both.
    let mut other = Looking::new(&serving);
    other.target("edge", |told| told["status"] == "reached");
    let metrics = || {
        let text = serving.metrics();
        let of = |status: &str| {
            let line = format!("windflow_targets_watched{{status=\"{status}\"}} ");
            text.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u32>().ok()).unwrap_or(0)
        };
        (of("reached"), of("unreached"), of("checking"))
    };
    assert_eq!(metrics(), (1, 1, 0));

    // What begins and ends is told by the engine.
    let _ = place.engine.docker(&["run", "--detach", "--name", "new", "stand-in:1"]);
    for one in [&mut looking, &mut other] {
        one.target("edge", |told| told["facts"]["running"] == 1);
    }
    let _ = place.engine.docker(&["rm", "--force", "new"]);
    looking.target("edge", |told| told["facts"]["containers"] == 0);

    // So is what becomes of the list.
    serving.ask("POST", "/targets", &json!({ "name": "late", "address": place.engine.address() }), 201);
    looking.target("late", |told| told["status"] == "reached");
    let moved = json!({ "address": "unix:///nosuch/docker.sock" });
    serving.ask("PUT", "/targets/late", &moved, 200);
    looking.target("late", |told| told["status"] == "unreached");
    serving.ask("DELETE", "/targets/late", &Value::Null, 204);
    looking.until("removed", |told| told["target"] == "late");
    assert_eq!(metrics(), (1, 1, 0));

    // The engine goes.
    place.engine.stop();
    let told = looking.target("edge", |told| told["status"] == "unreached");
    assert!(told["usage"].is_null() && told["error"]["message"].as_str().is_some_and(|why| !why.is_empty()), "{told}");
    assert_eq!(metrics(), (0, 2, 0));
}
