//! Traces: what is taken from outside, and when what runs did is told. What a collector understands of it is tested with a real one, in the binary.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::Expected;
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::traces::Traces;
use windflow_core::trace::{Span, TraceState};
use windflow_server::Role;
use windflow_testkit::host::Outcome;

use crate::support::{self, Client, PURE, Served, eventually, scripted, serve_traced};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const WAITS: &str = "windflow: 1\nname: waits\nnodes:\n  before: { uses: effect@1 }\n  \
    ask: { uses: approval@1, needs: [before], with: { message: Go on? } }\n  after: { uses: effect@1, needs: [ask.approved] }\n";

const OUTER: &str = "windflow: 1\nname: outer\nnodes:\n  inner: { uses: workflow@1, with: { name: pure } }\n";

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<Span>>);

impl Traces for Heard {
    fn tell(&self, spans: Vec<Span>) -> BoxFuture<'_, Result<(), String>> {
        self.0.lock().unwrap().extend(spans);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Heard {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.lock().unwrap().iter().map(|span| span.name.clone()).collect();
        names.sort();
        names
    }
}

async fn serve(dir: &Path, heard: &Arc<Heard>) -> Served {
    serve_traced(dir, scripted(&[("before", Outcome::Emit("out".to_owned()))]), heard.clone()).await
}

/// What the journal of a run says about where it belongs.
async fn kept(client: &Client, run: &str) -> (Value, Value) {
    let events = client.get(&format!("/api/v1/runs/{run}/events")).await.expect(200);
    let started = &events["items"][0]["event"]["run_started"];
    assert!(started["workflow"].is_string(), "{events}");
    (started["trace"].clone(), started["trace_state"].clone())
}

async fn started(client: &Client, path: &str, headers: &[(&str, &str)]) -> String {
    let mut request = client.request("POST", path).json(&json!({}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await.expect(201)["run"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_beside_a_trace_is_kept_where_it_is_well_formed() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), &Arc::default()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let start = async |headers: &[(&str, &str)]| {
        let run = started(&editor, "/api/v1/workflows/pure/runs", headers).await;
        kept(&editor, &run).await
    };
    let parent = ("traceparent", PARENT);
    let many = (0..33).map(|number| format!("k{number}=1")).collect::<Vec<_>>().join(",");
    let long = (0..32).map(|number| format!("k{number:02}={number:016}")).collect::<Vec<_>>().join(",");
    let good = (json!(PARENT), json!("a=1,b=2"));
    let alone = (json!(PARENT), Value::Null);
    assert_eq!(start(&[parent, ("tracestate", "a=1,b=2")]).await, good);
    assert_eq!(start(&[parent, ("tracestate", "a=1"), ("tracestate", ""), ("tracestate", " b=2 ")]).await, good);
    assert_eq!(start(&[parent]).await, alone);
    for bad in ["", "A=1", "a", "a=1,b", &many] {
        assert_eq!(start(&[parent, ("tracestate", bad)]).await, alone, "{bad}");
    }
    assert_eq!(start(&[parent, ("tracestate", "a=1"), ("tracestate", "b")]).await, alone);
    let (_, kept) = start(&[parent, ("tracestate", &long)]).await;
    assert_eq!(kept.as_str().unwrap(), &long[..503], "whole members, as many as go");
    // Of no trace, or of one that nobody understands.
    let none = (Value::Null, Value::Null);
    assert_eq!(start(&[("tracestate", "a=1")]).await, none);
    assert_eq!(start(&[("traceparent", "00-1-2-01"), ("tracestate", "a=1")]).await, none);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_say_beside_a_trace_goes_on_to_runs_that_a_run_starts() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::default();
    let served = serve(dir.path(), &heard).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    editor.create(OUTER).await;
    let headers = [("traceparent", PARENT), ("tracestate", "a=1")];
    let run = started(&editor, "/api/v1/workflows/outer/runs", &headers).await;
    assert_eq!(editor.ended(&run).await["status"], "succeeded");
    let runs = editor.get("/api/v1/runs?workflow=pure").await.expect(200);
    let (parent, state) = kept(&editor, runs["items"][0]["run"].as_str().unwrap()).await;
    assert_eq!((&parent.as_str().unwrap()[..35], state), (&PARENT[..35], json!("a=1")));
    assert_ne!(parent, PARENT, "it is part of the attempt that started it");
    // Who repeats a run says what that is part of.
    let again = started(&editor, &format!("/api/v1/runs/{run}/rerun"), &[headers[0], ("tracestate", "b=2")]).await;
    assert_eq!(kept(&editor, &again).await, (json!(PARENT), json!("b=2")));
    editor.ended(&again).await;
    served.stop().await;
    let spans = heard.0.lock().unwrap();
    let states: Vec<_> = spans.iter().map(|span| span.state.as_ref().map(TraceState::as_str)).collect();
    assert!(states.contains(&Some("a=1")) && states.contains(&Some("b=2")), "{spans:?}");
    assert!(!states.contains(&None), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_is_told_as_far_as_it_is_and_after_a_restart_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let served = serve(dir.path(), &heard).await;
    let operator = served.person("local", Role::Operator).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(WAITS).await;
    let run = started(&operator, "/api/v1/workflows/waits/runs", &[]).await;
    let early = ["attempt before", "node before"];
    eventually(async || heard.names() == early).await;
    // It is kept how far it was told, a moment after it was.
    let records = served.records.clone().unwrap();
    let installation = OrganisationId::installation();
    let marks = || records.scan(&installation, "traces/", None, 10).unwrap().items.len();
    eventually(async || marks() == 1).await;
    drop(records);
    served.abandon().await;

    let served = serve(dir.path(), &heard).await;
    let operator = served.signed_in("operator@local.example").await;
    let path = format!("/api/v1/runs/{run}/answers");
    eventually(async || operator.get(&format!("/api/v1/runs/{run}")).await.body["nodes"]["ask"]["status"] == "waiting")
        .await;
    operator.post(&path, &json!({ "node": "ask", "approved": true })).await.expect(200);
    operator.ended(&run).await;
    let records = served.records.clone().unwrap();
    let marks = || records.scan(&installation, "traces/", None, 10).unwrap().items.len();
    eventually(async || marks() == 0).await;
    drop(records);
    served.stop().await;
    let all = ["attempt after", "attempt ask", "attempt before", "node after", "node ask", "node before", "run waits"];
    assert_eq!(heard.names(), all, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_to_tell_of_a_run_that_ended_is_told_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let served = support::serve(dir.path(), scripted(&[])).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    let run = editor.start("pure", json!({})).await;
    editor.ended(&run).await;
    // What a process leaves that told of a run while it went on, and was killed when it had ended; and of one that was deleted since.
    let records = served.records.clone().unwrap();
    let installation = OrganisationId::installation();
    for (run, told) in [(run.as_str(), 2), ("0198c0de-0000-7000-8000-000000000000", 5)] {
        let mark = serde_json::to_vec(&json!({ "organisation": "local", "run": run, "told": told })).unwrap();
        records.put(&installation, &format!("traces/local/{run}"), Expected::Any, mark).unwrap();
    }
    drop(records);
    served.stop().await;

    let served = serve(dir.path(), &heard).await;
    let records = served.records.clone().unwrap();
    eventually(async || records.scan(&installation, "traces/", None, 10).unwrap().items.is_empty()).await;
    drop(records);
    served.stop().await;
    assert_eq!(heard.names(), ["run pure"], "what was told before is not told again");
}
