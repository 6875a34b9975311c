use std::cell::RefCell;
use std::rc::Rc;

use windflow_sdk::serde_json::{from_slice, json};
use windflow_sdk::testing::http::{Answer as Reply, set_transport};
use windflow_sdk::{Retry, testing};

use super::*;

mod streams;

/// What was sent: address, idempotency key and body.
type Sent = Vec<(String, String, Value)>;

fn run(config: Value, answers: Vec<Reply>) -> (Sent, Result<Value, NodeError>) {
    let sent = Rc::new(RefCell::new(Vec::new()));
    let (seen, mut answers) = (sent.clone(), answers.into_iter());
    set_transport(move |request: &Request| {
        let key = request.header("idempotency-key").unwrap().to_owned();
        seen.borrow_mut().push((request.url.to_string(), key, from_slice(request.body.as_deref().unwrap()).unwrap()));
        Ok(answers.next().unwrap())
    });
    let result = testing::run(llm::NODE, config).map(|emitted| emitted.value);
    (sent.take(), result)
}

fn recorded(name: &str) -> Reply {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recorded");
    Reply::new(200).body(std::fs::read(folder.join(name)).unwrap())
}

fn tasks() -> Value {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    json!({ "type": "object", "properties": { "tasks": list }, "required": ["tasks"], "additionalProperties": false })
}

#[test]
fn openai() {
    let config = json!({
        "model": "gpt-5-mini", "system": "Be brief.", "prompt": "Hi", "price": { "input": 0.25, "output": 2.0 },
    });
    let (sent, result) = run(config, vec![recorded("openai-text.json")]);
    assert_eq!(sent[0].0, "https://api.openai.com/v1/chat/completions");
    assert_eq!(
        sent[0].2,
        json!({
            "model": "gpt-5-mini", "max_completion_tokens": 2048, "stream": true, "stream_options": { "include_usage": true },
            "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hi" }],
        })
    );
    assert_eq!(
        result.unwrap(),
        json!({
            "text": "Hello! How can I assist you today?", "json": null, "model": "gpt-5-mini-2025-08-07", "finish": "stop",
            "usage": { "input_tokens": 19, "output_tokens": 10 }, "cost": 0.000_024_75, "repaired": false,
        })
    );
}

#[test]
fn anthropic() {
    let config = json!({ "provider": "anthropic", "model": "claude-sonnet-4-5", "system": "S", "prompt": "Hi", "schema": tasks() });
    let (sent, result) = run(config, vec![recorded("anthropic-tool.json")]);
    assert_eq!(sent[0].0, "https://api.anthropic.com/v1/messages");
    assert_eq!((&sent[0].2["system"], &sent[0].2["tools"][0]["input_schema"]), (&json!("S"), &tasks()));
    assert_eq!(sent[0].2["tool_choice"], json!({ "type": "tool", "name": "answer" }));
    let output = result.unwrap();
    assert_eq!((&output["json"], &output["finish"]), (&json!({ "tasks": ["a", "b"] }), &json!("stop")));
    assert_eq!(output["usage"], json!({ "input_tokens": 412, "output_tokens": 47 }));
}

#[test]
fn ollama() {
    let messages = json!([{ "role": "user", "content": "Hi" }, { "role": "assistant", "content": "Hello" }]);
    let config = json!({ "provider": "ollama", "model": "llama3.2", "messages": messages, "prompt": "And?", "temperature": 0.0 });
    let (sent, result) = run(config, vec![recorded("ollama-text.json")]);
    assert_eq!(sent[0].0, "http://localhost:11434/api/chat");
    assert_eq!((&sent[0].2["stream"], &sent[0].2["messages"][2]["content"]), (&json!(true), &json!("And?")));
    assert_eq!(sent[0].2["options"], json!({ "num_predict": 2048, "temperature": 0.0 }));
    assert_eq!(result.unwrap()["usage"], json!({ "input_tokens": 26, "output_tokens": 298 }));
}

fn says(text: &str, finish: &str) -> Reply {
    let choice = json!({ "message": { "role": "assistant", "content": text }, "finish_reason": finish });
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5 });
    Reply::new(200).body(json!({ "choices": [choice], "usage": usage }).to_string())
}

#[test]
fn what_does_not_fit_is_mended_once() {
    let config = json!({ "model": "m", "base_url": "http://127.0.0.1:8080/v1/", "prompt": "Hi", "schema": tasks() });
    let good = says("{\"tasks\":[\"a\"]}", "stop");
    let (sent, result) = run(config.clone(), vec![says("{\"tasks\":[1]}", "stop"), good]);
    assert_eq!((&*sent[0].0, &sent[0].2["max_tokens"]), ("http://127.0.0.1:8080/v1/chat/completions", &json!(2048)));
    assert_eq!((&*sent[0].1, &*sent[1].1), ("key", "key-repair"));
    let asked = sent[1].2["messages"][2]["content"].as_str().unwrap();
    assert!(asked.starts_with("This does not fit: /tasks/0: it is not of the type string."), "{asked}");
    let output = result.unwrap();
    assert_eq!((&output["json"], &output["repaired"]), (&json!({ "tasks": ["a"] }), &json!(true)));
    assert_eq!(output["usage"], json!({ "input_tokens": 20, "output_tokens": 10 }));

    let (sent, result) = run(config.clone(), vec![says("no", "stop"), says("never", "stop")]);
    let error = result.unwrap_err();
    assert_eq!((sent.len(), &*error.code, error.details.as_deref()), (2, "does_not_fit", Some(&b"\"never\""[..])));

    let (sent, result) = run(config, vec![says("{\"tasks\":[\"a", "length")]);
    assert_eq!((sent.len(), &*result.unwrap_err().code), (1, "cut_off"));
}

#[test]
fn providers_that_fail_are_told_apart() {
    let config = json!({ "model": "m", "prompt": "Hi" });
    let refusal =
        json!({ "choices": [{ "message": { "content": null, "refusal": "I'm sorry." }, "finish_reason": "stop" }] });
    for (answer, code, retry) in [
        (
            Reply::new(429).header("retry-after", "20").body(r#"{"error":{"message":"Rate limit"}}"#),
            "http_status",
            Retry::After(20_000),
        ),
        (
            Reply::new(529).body(r#"{"type":"error","error":{"type":"overloaded_error"}}"#),
            "http_status",
            Retry::MayHelp,
        ),
        (Reply::new(401).body(r#"{"error":{"message":"Incorrect API key"}}"#), "http_status", Retry::Never),
        (Reply::new(200).body("<html>"), "invalid_answer", Retry::Never),
        (Reply::new(200).body("{\"choices\":[]}"), "invalid_answer", Retry::Never),
        (Reply::new(200).body("{\"choices\":[{\"mess"), "invalid_answer", Retry::Never),
        (Reply::new(200).body(refusal.to_string()), "refused", Retry::Never),
        (says("half", "content_filter"), "refused", Retry::Never),
        (Reply::new(200).body("x".repeat(9 << 20)), "too_large", Retry::Never),
    ] {
        let error = run(config.clone(), vec![answer]).1.unwrap_err();
        assert_eq!((&*error.code, error.retry), (code, retry), "{error}");
    }
    for wrong in [json!({ "model": "m" }), json!({ "model": "m", "prompt": "Hi", "base_url": "openai" })] {
        assert_eq!(run(wrong, Vec::new()).1.unwrap_err().code, "invalid_config");
    }
}
