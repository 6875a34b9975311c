//! The node type `llm` against a real model: SmolLM2 with 135 million parameters, served by llama.cpp on this machine. It is too small to
//! be right, so that only schema, plumbing and counts are looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;
#[path = "serve/serving.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test uses its part")]
mod serving;

use std::time::Duration;

use common::{Place, Tool, windflow};
use serde_json::{Value, json};
use serving::{Serving, add_user};

struct Model {
    address: String,
    _tool: Tool,
}

impl Model {
    fn start() -> Self {
        let tool = Tool::start("model-server", &[]);
        let mut lines = std::iter::from_fn(|| tool.line(Duration::from_secs(90)));
        let address =
            lines.find(|line| line.starts_with("http://")).expect("the model server starts within 90 seconds");
        Self { address, _tool: tool }
    }
}

fn run(address: &str, with: &Value) -> Value {
    let host = address.strip_prefix("http://").unwrap();
    let document = json!({
        "windflow": 1, "name": "ask", "permissions": { "http": [format!("http://{host}")] },
        "nodes": { "ask": { "uses": "llm@1", "with": with, "timeout": "4m" } },
        "outputs": { "answer": "${{ nodes.ask.output }}" },
    });
    let place = Place::new(&document.to_string());
    let output = windflow(&place.folder.path().join("data")).args(["run", place.path(), "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_real_model_answers_in_text_and_in_json_that_fits() {
    let model = Model::start();
    let mut with = json!({
        "base_url": format!("{}/v1", model.address), "model": "smollm2", "prompt": "Say hello.", "max_tokens": 12,
        "temperature": 0.0, "price": { "input": 1.0, "output": 2.0 },
    });
    let report = run(&model.address, &with);
    let answer = &report["outputs"]["answer"];
    assert!(!answer["text"].as_str().unwrap_or_default().is_empty(), "{report:#}");
    let (read, written) = (&answer["usage"]["input_tokens"], &answer["usage"]["output_tokens"]);
    assert!(read.as_u64().unwrap() > 0 && (1..=12).contains(&written.as_u64().unwrap()), "{answer}");
    let cost = (read.as_f64().unwrap() + 2.0 * written.as_f64().unwrap()) / 1e6;
    assert!((answer["cost"].as_f64().unwrap() - cost).abs() < 1e-12, "{answer}");

    with["max_tokens"] = json!(60);
    with["schema"] = json!({
        "type": "object", "additionalProperties": false, "required": ["mood", "score"],
        "properties": { "mood": { "enum": ["good", "bad"] }, "score": { "type": "integer", "minimum": 0, "maximum": 9 } },
    });
    let report = run(&model.address, &with);
    let json = &report["outputs"]["answer"]["json"];
    assert!(json["mood"] == "good" || json["mood"] == "bad", "{report:#}");
    assert!((0..=9).contains(&json["score"].as_i64().unwrap()), "{report:#}");

    // What is cut off is told as such, and not asked for again.
    with["max_tokens"] = json!(3);
    let report = run(&model.address, &with);
    assert_eq!(report["nodes"]["ask"]["status"], "failed");
    assert!(report["error"].to_string().contains("cut_off"), "{report:#}");
}

#[test]
fn what_a_real_model_writes_is_told_while_it_writes_it() {
    let model = Model::start();
    let data = tempfile::tempdir().unwrap();
    add_user(data.path(), "ada@example.org");
    let mut serving = Serving::start(data.path(), &["--allow-host", &model.address]);
    serving.sign_in("ada@example.org");
    let with = json!({
        "base_url": format!("{}/v1", model.address), "model": "smollm2", "prompt": "Count from one to twenty.",
        "max_tokens": 24, "temperature": 0.0,
    });
    let document = json!({
        "windflow": 1, "name": "ask", "permissions": { "http": [model.address] },
        "nodes": { "ask": { "uses": "llm@1", "with": with, "timeout": "4m" } },
        "outputs": { "answer": "${{ nodes.ask.output }}" },
    });
    serving.create_enabled("ask", &document.to_string());
    let started = serving.request("POST", "/api/v1/workflows/ask/runs").json(&json!({}));
    let run = serving.answer(started, 201)["run"].as_str().unwrap().to_owned();
    let live = serving.request("GET", &format!("/api/v1/runs/{run}/live")).timeout(Duration::from_secs(240));
    let told = live.send().unwrap().text().unwrap();

    let shown = serving.answer(serving.request("GET", &format!("/api/v1/runs/{run}")), 200);
    let answer = &shown["outputs"]["answer"];
    let text = answer["text"].as_str().unwrap_or_else(|| panic!("{shown:#}"));
    let progress =
        told.split("\n\n").filter(|event| event.contains("event: progress") || event.contains("event:progress"));
    let progress: Vec<String> = progress
        .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data:")))
        .map(|data| serde_json::from_str::<Value>(data).unwrap()["message"].as_str().unwrap().to_owned())
        .filter(|message| !message.starts_with("asking "))
        .collect();
    // Piece by piece, each a part of what it was in the end.
    assert!(progress.len() >= 3, "{told}");
    assert!(progress.iter().all(|part| text.contains(&**part)), "{progress:?} of {text:?}");
    assert!(progress[0].len() < text.len() && text.ends_with(progress.last().unwrap()), "{progress:?} of {text:?}");
    let written = answer["usage"]["output_tokens"].as_u64().unwrap();
    assert!(answer["usage"]["input_tokens"].as_u64().unwrap() > 0 && (1..=24).contains(&written), "{answer}");
}
