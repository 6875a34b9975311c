//! Servers that are killed under load, and started again.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Answer, Witness};
use crate::serving::{Serving, add_user};

const CALLS: &str = "windflow: 1\nname: calls\ninputs:\n  to: { type: string }\n  n: { type: integer }\npermissions: { http: [\"127.0.0.1:*\"] }\n\
triggers:\n  hook:\n    uses: webhook\n    with: { path: in, auth: none }\n    inputs: { to: \"${{ trigger.body.to }}\", n: \"${{ trigger.body.n }}\" }\n\
nodes:\n  before: { uses: transform@1, with: { input: \"${{ inputs.n }}\", jq: \". * 2\" } }\n  \
call:\n    uses: http@1\n    with: { method: POST, url: \"${{ inputs.to }}/${{ inputs.n }}\", text: \"n ${{ nodes.before.output }}\" }\n    \
retry: { attempts: 3, initial: 10ms }\noutputs: { doubled: \"${{ nodes.before.output }}\" }\n";

#[test]
fn kill_9_under_load_loses_no_acknowledged_run() {
    let witness = Witness::start(vec![Answer { after: Duration::from_millis(3), ..Answer::ok("ok") }]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let allow = ["--allow-host", "127.0.0.1:*"];
    let mut serving = Serving::start(&data, &allow);
    serving.sign_in("op@example.org");
    serving.create_enabled("calls", CALLS);
    let mut acknowledged = Vec::new();
    for round in 0..5_u64 {
        let stop = AtomicBool::new(false);
        let heard = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (serving, stop, heard, witness) = (&serving, &stop, &heard, &witness);
                scope.spawn(move || {
                    for number in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            return;
                        }
                        let n = round * 1_000_000 + thread * 100_000 + number;
                        let body = json!({ "to": witness.url(), "n": n });
                        let sent = serving.http.post(format!("{}/hooks/local/in", serving.url)).json(&body).send();
                        // Only what was answered counts.
                        let Ok(answer) = sent.and_then(reqwest::blocking::Response::error_for_status) else { return };
                        if let Ok(answer) = answer.json::<Value>() {
                            heard.lock().unwrap().push(answer["run"].as_str().unwrap().to_owned());
                        }
                    }
                });
            }
            // In the middle of the load, at another moment each time, however slow the machine is.
            let begun = Instant::now();
            while heard.lock().unwrap().len() < 20 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(round * 37));
            let id = serving.child.id().to_string();
            assert!(Command::new("kill").args(["-9", &id]).status().unwrap().success());
            stop.store(true, Ordering::SeqCst);
        });
        let heard = heard.into_inner().unwrap();
        assert!(heard.len() >= 20, "no load: {} runs", heard.len());
        acknowledged.extend(heard);
        serving.kill();
        serving = Serving::start(&data, &allow);
        serving.sign_in("op@example.org");
    }
    serving.until(|serving| serving.runs("&status=running").is_empty());
    let ended = serving.runs("");
    for run in &acknowledged {
        let found = ended.iter().find(|found| found["run"] == **run);
        let found = found.unwrap_or_else(|| panic!("run {run} was acknowledged and is lost"));
        assert_eq!(found["status"], "succeeded", "{found}");
    }
    eprintln!("{} acknowledged, {} ended", acknowledged.len(), ended.len());
    // Each effect carries the one key of its run: whoever heard it twice could tell.
    let mut keys = std::collections::BTreeMap::<String, std::collections::BTreeSet<String>>::new();
    for seen in witness.seen() {
        keys.entry(seen.path).or_default().insert(seen.key.unwrap());
    }
    assert!(keys.values().all(|keys| keys.len() == 1), "an effect was repeated under another key");
}

const TICKS: &str = "windflow: 1\nname: ticks\ninputs:\n  at: { type: string }\ntriggers:\n  clock:\n    uses: cron\n    \
with: { schedule: \"* * * * * *\", overlap: allow, catch_up: all }\n    inputs: { at: \"${{ trigger.scheduled_at }}\" }\n\
nodes:\n  say: { uses: log@1, with: { message: \"${{ inputs.at }}\" } }\noutputs: { at: \"${{ inputs.at }}\" }\n";

#[test]
fn kill_9_lets_every_instant_of_a_schedule_fire_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let mut serving = Serving::start(&data, &[]);
    serving.sign_in("op@example.org");
    serving.create_enabled("ticks", TICKS);
    for round in 0..3_u64 {
        std::thread::sleep(Duration::from_millis(1400 + round * 370));
        serving.kill();
        std::thread::sleep(Duration::from_millis(1100));
        serving = Serving::start(&data, &[]);
        serving.sign_in("op@example.org");
    }
    serving.until(|serving| serving.runs("").len() >= 8);
    serving.answer(serving.request("POST", "/api/v1/workflows/ticks/disable"), 200);
    serving.until(|serving| serving.runs("&status=running").is_empty());
    let mut instants: Vec<String> = serving
        .runs("")
        .iter()
        .map(|run| {
            let shown =
                serving.answer(serving.request("GET", &format!("/api/v1/runs/{}", run["run"].as_str().unwrap())), 200);
            shown["outputs"]["at"].as_str().unwrap().to_owned()
        })
        .collect();
    instants.sort();
    let seconds: Vec<i64> = instants.iter().map(|at| at.parse::<jiff::Timestamp>().unwrap().as_second()).collect();
    for pair in seconds.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "an instant fired twice or never: {instants:?}");
    }
}
