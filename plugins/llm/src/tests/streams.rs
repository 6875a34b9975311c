//! Answers that come bit by bit.

use super::*;

/// A recorded stream in pieces of this size, whatever they cut through.
fn streamed(name: &str, kind: &str, size: usize) -> Reply {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recorded");
    let bytes = std::fs::read(folder.join(name)).unwrap();
    Reply::new(200).header("content-type", kind).pieces(bytes.chunks(size))
}

const EVENTS: &str = "text/event-stream; charset=utf-8";
const LINES: &str = "application/x-ndjson";

/// Each provider: what it is asked, its stream, the same answer as a whole.
fn all() -> [(Value, &'static str, &'static str, &'static str); 3] {
    [
        (json!({ "model": "gpt-5-mini", "prompt": "Hi" }), "openai-stream.txt", EVENTS, "openai-text.json"),
        (
            json!({ "provider": "anthropic", "model": "c", "prompt": "Hi", "schema": tasks() }),
            "anthropic-stream.txt",
            EVENTS,
            "anthropic-tool.json",
        ),
        (
            json!({ "provider": "ollama", "model": "llama3.2", "prompt": "Hi" }),
            "ollama-stream.txt",
            LINES,
            "ollama-text.json",
        ),
    ]
}

#[test]
fn a_stream_gives_what_the_whole_gives_and_shows_it_as_it_comes() {
    for (config, stream, kind, whole) in all() {
        let expect = run(config.clone(), vec![recorded(whole)]).1.unwrap();
        for size in [1, 7, 100, 100_000] {
            let _ = testing::take_progress();
            let (sent, result) = run(config.clone(), vec![streamed(stream, kind, size)]);
            assert_eq!(sent[0].2["stream"], true, "{stream}");
            let mut given = result.unwrap();
            if stream.starts_with("anthropic") {
                // The recorded whole says nothing beside its tool.
                assert_eq!(given["text"], expect["text"]);
                given["text"] = expect["text"].clone();
            }
            assert_eq!(given, expect, "{stream} in pieces of {size}");
            let shown: Vec<String> = testing::take_progress().into_iter().map(|(_, text)| text).collect();
            let last = shown.last().unwrap();
            assert!(
                expect["text"].as_str().unwrap().ends_with(last.trim_start_matches("Here they are."))
                    || last.contains("tasks"),
                "{shown:?}"
            );
            assert!(size > 100 || shown.len() >= 3, "{shown:?}");
        }
        let unlabelled = streamed(stream, "text/plain", 50);
        assert_eq!(run(config, vec![unlabelled]).1.unwrap()["usage"], expect["usage"], "{stream}");
    }
    assert_eq!(all()[0].0["stream"], Value::Null);
}

#[test]
fn what_is_shown_is_the_end_of_a_long_text() {
    let piece = |text: &str| format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": text } }] }));
    let mut pieces: Vec<String> = (0..1000).map(|number| piece(&format!("é{number} "))).collect();
    pieces.push("data: [DONE]".to_owned());
    let reply = Reply::new(200).header("content-type", EVENTS).pieces(pieces);
    let _ = testing::take_progress();
    let output = run(json!({ "model": "m", "prompt": "Hi" }), vec![reply]).1.unwrap();
    assert!(output["text"].as_str().unwrap().ends_with("é998 é999 "));
    let shown = testing::take_progress();
    assert!(shown.iter().all(|(_, text)| text.chars().count() <= 100) && shown.last().unwrap().1.ends_with("é999 "));
}

#[test]
fn providers_that_do_not_stream_are_asked_for_the_whole() {
    let config = json!({ "model": "m", "base_url": "http://127.0.0.1:8080/v1", "prompt": "Hi" });
    let refusal = Reply::new(400).body(r#"{"error":{"message":"Unrecognized request argument: stream_options"}}"#);
    let (sent, result) = run(config.clone(), vec![refusal, says("whole", "stop")]);
    assert_eq!(result.unwrap()["text"], "whole");
    assert_eq!((&*sent[0].1, &*sent[1].1), ("key", "key-whole"));
    assert_eq!((&sent[0].2["stream"], &sent[1].2["stream"]), (&json!(true), &Value::Null));
    // One that answers as a whole although it was asked for a stream is asked once.
    let (sent, result) = run(config.clone(), vec![says("whole", "stop").header("content-type", "application/json")]);
    assert_eq!((sent.len(), &result.unwrap()["text"]), (1, &json!("whole")));
    // Other refusals are what they are.
    let (sent, result) = run(config.clone(), vec![Reply::new(400).body("no such model")]);
    assert_eq!((sent.len(), &*result.unwrap_err().code), (1, "http_status"));

    let mut whole = config;
    whole["stream"] = json!(false);
    let (sent, result) = run(whole, vec![says("whole", "stop")]);
    assert_eq!((&sent[0].2["stream"], &result.unwrap()["text"]), (&Value::Null, &json!("whole")));
}

#[test]
fn streams_that_fail_are_told_apart() {
    let events = |text: &str| Reply::new(200).header("content-type", EVENTS).body(text.to_owned());
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let quota = "data: {\"error\":{\"code\":\"insufficient_quota\",\"message\":\"Pay\"}}\n\n";
    let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n";
    let filtered = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"},\"finish_reason\":\"content_filter\"}]}\n\n";
    let endless = || Reply::new(200).header("content-type", EVENTS).pieces(vec![": wait\n".repeat(20_000); 70]);
    let line = Reply::new(200).header("content-type", EVENTS).pieces(vec!["x".repeat(1 << 20); 9]);
    for (reply, code, retry) in [
        (events(begun), "stream_broken", Retry::MayHelp),
        (events(begun).breaks_off(), "connection", Retry::MayHelp),
        (events(""), "stream_broken", Retry::MayHelp),
        (events(overloaded), "stream_failed", Retry::MayHelp),
        (events(&[begun, quota].concat()), "stream_failed", Retry::Never),
        (events(filtered), "refused", Retry::Never),
        (events("data: {\"choi\n\n"), "invalid_answer", Retry::Never),
        (events("data: 7\n\ndata: [DONE]\n\n"), "invalid_answer", Retry::Never),
        (
            Reply::new(200).header("content-type", EVENTS).body(b"data: \xff\n\n".to_vec()),
            "invalid_answer",
            Retry::Never,
        ),
        (endless(), "too_large", Retry::Never),
        (line, "too_large", Retry::Never),
    ] {
        let shown = format!("{reply:?}").chars().take(150).collect::<String>();
        let error = run(json!({ "model": "m", "prompt": "Hi" }), vec![reply]).1.unwrap_err();
        assert_eq!((&*error.code, error.retry), (code, retry), "{shown}: {error}");
    }
    let ollama = json!({ "provider": "ollama", "model": "m", "prompt": "Hi" });
    let lines = |text: &str| Reply::new(200).header("content-type", LINES).body(text.to_owned());
    let died = "{\"message\":{\"content\":\"Hel\"},\"done\":false}\n{\"error\":\"the model runner has stopped\"}\n";
    let error = run(ollama.clone(), vec![lines(died)]).1.unwrap_err();
    assert!(error.code == "stream_failed" && error.message.ends_with("the model runner has stopped"), "{error}");
    let error = run(ollama, vec![lines("{\"message\":{\"content\":\"Hel\"},\"done\":false}\n")]).1.unwrap_err();
    assert_eq!(error.code, "stream_broken");
    // A tool's input that was cut off by the bound of tokens is told as that.
    let cut = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"input\":{}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"tas\"}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":9}}\n\n\
        data: {\"type\":\"message_stop\"}\n\n";
    let config = json!({ "provider": "anthropic", "model": "c", "prompt": "Hi", "schema": tasks() });
    assert_eq!(run(config, vec![events(cut)]).1.unwrap_err().code, "cut_off");
}
