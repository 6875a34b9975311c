//! Traces, read from a real collector.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Answer, Tool, Witness};
use crate::serving::{Serving, add_user};

/// What another program sends along.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const STATE: &str = "rojo=00f067aa0ba902b7,1t@congo=t61rcWkgMzE";

/// One node calls out and has to try twice, one runs another workflow, which calls out as well.
const PARENT: &str = "windflow: 1\nname: parent\ninputs:\n  to: { type: string }\n  word: { type: string }\npermissions: { http: [\"127.0.0.1:*\"] }\n\
triggers:\n  hook:\n    uses: webhook\n    with: { path: in, auth: none, reply: result }\n    \
inputs: { to: \"${{ trigger.body.to }}\", word: \"${{ trigger.body.word }}\" }\n\
nodes:\n  before: { uses: transform@1, with: { input: \"${{ inputs.word }}\", jq: \".\" } }\n  \
call:\n    uses: http@1\n    with: { method: POST, url: \"${{ inputs.to }}/call\", text: \"${{ nodes.before.output }}\" }\n    \
retry: { attempts: 2, initial: 10ms }\n  \
inside: { uses: workflow@1, needs: [call], with: { name: child, inputs: { to: \"${{ inputs.to }}\" } } }\n  \
never: { uses: log@1, if: \"${{ false }}\", with: { message: no } }\n";

const CHILD: &str = "windflow: 1\nname: child\ninputs:\n  to: { type: string }\npermissions: { http: [\"127.0.0.1:*\"] }\nnodes:\n  \
ask: { uses: http@1, with: { url: \"${{ inputs.to }}/ask\" } }\n";

const BROKEN: &str =
    "windflow: 1\nname: broken\nnodes:\n  stop: { uses: fail@1, with: { message: \"hunter2 was wrong\" } }\n";

const WAITS: &str = "windflow: 1\nname: waits\ninputs:\n  to: { type: string }\npermissions: { http: [\"127.0.0.1:*\"] }\nnodes:\n  \
before: { uses: http@1, with: { url: \"${{ inputs.to }}/before\" } }\n  \
ask: { uses: approval@1, needs: [before], with: { message: \"Go on?\" } }\n  \
after: { uses: http@1, needs: [ask.approved], with: { url: \"${{ inputs.to }}/after\" } }\n";

struct Collector {
    tool: Tool,
    url: String,
}

impl Collector {
    fn start() -> Self {
        let tool = Tool::start("trace-collector", &[]);
        let url = format!("http://127.0.0.1:{}", tool.begun());
        Self { tool, url }
    }

    /// The spans that it was told until one of this name ended, and a moment longer: whatever comes twice is to be seen.
    fn until(&self, name: &str) -> Vec<Value> {
        let begun = Instant::now();
        let mut spans = Vec::new();
        let mut there = false;
        while begun.elapsed() < Duration::from_secs(30) {
            let patience = if there { Duration::from_millis(1500) } else { Duration::from_secs(30) };
            let Some(line) = self.tool.line(patience) else { break };
            let span: Value = serde_json::from_str(&line).unwrap();
            there |= span["name"] == name;
            spans.push(span);
        }
        assert!(there, "no {name} in {spans:#?}");
        spans
    }
}

fn server(data: &Path, more: &[&str]) -> Serving {
    let mut serving = Serving::start(data, &[&["--allow-host", "127.0.0.1:*"], more].concat());
    serving.sign_in("op@example.org");
    serving
}

/// The one span of this name.
fn one<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn times(span: &Value) -> (u64, u64) {
    let time = |field: &str| span[field].as_str().unwrap().parse().unwrap();
    (time("startTimeUnixNano"), time("endTimeUnixNano"))
}

/// What a server was told of the trace: its id, and the span that asked.
fn heard(traceparent: Option<&str>) -> (String, String) {
    let parts: Vec<&str> = traceparent.expect("a traceparent").split('-').collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "00", "01"), "{traceparent:?}");
    (parts[1].to_owned(), parts[2].to_owned())
}

#[test]
fn what_runs_did_is_told_to_a_collector_within_the_trace_of_whoever_asked() {
    let collector = Collector::start();
    let witness = Witness::start(vec![Answer { status: 503, ..Answer::ok("not now") }, Answer::ok("ok")]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let serving = server(&data, &["--traces-endpoint", &collector.url]);
    serving.create_enabled("child", CHILD);
    serving.create_enabled("parent", PARENT);
    let ask = serving.http.post(format!("{}/hooks/local/in", serving.url));
    let ask = ask.header("traceparent", format!("00-{TRACE}-{CALLER}-01")).header("tracestate", STATE);
    serving.answer(ask.json(&json!({ "to": witness.url(), "word": "hunter2" })), 200);

    let spans = collector.until("run parent");
    let seen = witness.seen();
    assert!(spans.iter().all(|span| span["traceId"] == TRACE), "{spans:#?}");
    // What others said beside the trace goes along, to the collector and to all that is asked.
    assert!(spans.iter().all(|span| span["traceState"] == STATE), "{spans:#?}");
    assert!(seen.len() == 3 && seen.iter().all(|seen| seen.tracestate.as_deref() == Some(STATE)), "{seen:#?}");
    let run = one(&spans, "run parent");
    assert_eq!((&run["parentSpanId"], &run["kind"]), (&json!(CALLER), &json!("SPAN_KIND_SERVER")));
    assert_eq!(run["attributes"]["windflow.trigger"], "webhook");
    assert_eq!(
        (&run["attributes"]["windflow.workflow"], &run["attributes"]["windflow.status"]),
        (&json!("parent"), &json!("succeeded"))
    );
    let id = run["attributes"]["windflow.run"].as_str().unwrap();
    assert_eq!(serving.answer(serving.request("GET", &format!("/api/v1/runs/{id}")), 200)["status"], "succeeded");
    for node in ["before", "call", "inside"] {
        let span = one(&spans, &format!("node {node}"));
        assert_eq!(span["parentSpanId"], run["spanId"], "{node}");
        let attempts = named(&spans, &format!("attempt {node}"));
        assert_eq!(attempts.len(), if node == "call" { 2 } else { 1 }, "{node}");
        for attempt in attempts {
            assert_eq!(attempt["parentSpanId"], span["spanId"]);
            let (inner, outer, whole) = (times(attempt), times(span), times(run));
            assert!(whole.0 <= outer.0 && outer.0 <= inner.0 && inner.1 <= outer.1 && outer.1 <= whole.1, "{spans:#?}");
        }
    }
    assert!(named(&spans, "node never").is_empty(), "what did not run has no span");
    assert_eq!(one(&spans, "node call")["attributes"]["windflow.node_type"], "http@1");

    // The attempt that failed says so, and the server that was asked heard of each attempt by itself.
    let tries = named(&spans, "attempt call");
    assert_eq!(
        (&tries[0]["status"]["code"], &tries[1]["status"]["code"]),
        (&json!("STATUS_CODE_ERROR"), &json!("STATUS_CODE_UNSET"))
    );
    assert_eq!(tries[0]["attributes"]["error.type"], tries[0]["status"]["message"]);
    for (attempt, seen) in tries.iter().zip(&seen) {
        assert_eq!(
            heard(seen.traceparent.as_deref()),
            (TRACE.to_owned(), attempt["spanId"].as_str().unwrap().to_owned())
        );
    }

    // The run that a node started is part of that node, and what it asks of others as well.
    let child = one(&spans, "run child");
    assert_eq!(child["parentSpanId"], one(&spans, "attempt inside")["spanId"]);
    let ask = one(&spans, "attempt ask");
    assert_eq!(heard(seen[2].traceparent.as_deref()), (TRACE.to_owned(), ask["spanId"].as_str().unwrap().to_owned()));

    // What went in, came out or was said is nobody's business there.
    serving.create_enabled("broken", BROKEN);
    serving.answer(serving.request("POST", "/api/v1/workflows/broken/runs").json(&json!({})), 201);
    let failed = collector.until("run broken");
    let run = one(&failed, "run broken");
    assert_eq!((&run["status"]["code"], &run["parentSpanId"]), (&json!("STATUS_CODE_ERROR"), &json!("")));
    assert_eq!((&run["kind"], &run["attributes"]["windflow.trigger"]), (&json!("SPAN_KIND_INTERNAL"), &json!("user")));
    assert_ne!(run["traceId"], TRACE);
    assert_eq!(run["traceState"], "");
    let told = format!("{spans:?}{failed:?}");
    assert!(!told.contains("hunter2") && !told.contains("op@example.org"), "{told}");
    // Nobody who asks badly is told off for it, and nobody's trace is taken over.
    let bad =
        serving.request("POST", "/api/v1/workflows/broken/runs").header("traceparent", format!("00-{TRACE}-zz-01"));
    serving.answer(bad.json(&json!({})), 201);
    assert_ne!(one(&collector.until("run broken"), "run broken")["traceId"], TRACE);
    assert_eq!(serving.stop("-TERM").0, 0);
}

/// Starts a run that waits, within a trace from outside: where the API has it.
fn waits(serving: &Serving, witness: &Witness) -> String {
    serving.create_enabled("waits", WAITS);
    let ask = serving
        .request("POST", "/api/v1/workflows/waits/runs")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .header("tracestate", STATE);
    let started = serving.answer(ask.json(&json!({ "inputs": { "to": witness.url() } })), 201);
    format!("/api/v1/runs/{}", started["run"].as_str().unwrap())
}

#[test]
fn a_run_that_outlives_its_process_stays_in_its_trace_and_is_told_once() {
    let collector = Collector::start();
    let witness = Witness::start(vec![Answer::ok("ok")]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let mut serving = server(&data, &["--traces-endpoint", &collector.url]);
    let path = waits(&serving, &witness);
    let asks = |serving: &Serving| {
        let run = serving.answer(serving.request("GET", &path), 200);
        run["nodes"]["ask"]["status"] == "waiting" || run.to_string().contains("Go on?")
    };
    serving.until(asks);
    serving.kill();

    let mut serving = server(&data, &["--traces-endpoint", &collector.url]);
    serving.until(asks);
    let yes = json!({ "node": "ask", "approved": true });
    serving.answer(serving.request("POST", &format!("{path}/answers")).json(&yes), 200);
    let spans = collector.until("run waits");
    // The collector hears of what ended right before a stop, too.
    assert_eq!(serving.stop("-TERM").0, 0);
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for span in &spans {
        *all.entry(span["name"].as_str().unwrap()).or_default() += 1;
    }
    let each = ["attempt after", "attempt ask", "attempt before", "node after", "node ask", "node before", "run waits"];
    assert_eq!(all, each.into_iter().map(|name| (name, 1)).collect());
    assert!(spans.iter().all(|span| span["traceId"] == TRACE), "{spans:#?}");
    let asked = |path: &str| witness.seen().iter().find(|seen| seen.path == path).unwrap().traceparent.clone();
    for (path, attempt) in [("/before", "attempt before"), ("/after", "attempt after")] {
        let (trace, span) = heard(asked(path).as_deref());
        assert_eq!((trace.as_str(), json!(span)), (TRACE, one(&spans, attempt)["spanId"].clone()));
    }
}

#[test]
fn what_is_over_of_a_run_that_waits_is_told_at_once_and_the_rest_after_a_restart() {
    let collector = Collector::start();
    let witness = Witness::start(vec![Answer::ok("ok")]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let mut serving = server(&data, &["--traces-endpoint", &collector.url]);
    let path = waits(&serving, &witness);

    let early = collector.until("node before");
    assert_eq!(early.len(), 2, "{early:#?}");
    let before = one(&early, "node before");
    assert_eq!(one(&early, "attempt before")["parentSpanId"], before["spanId"]);
    assert_eq!(before["attributes"]["windflow.status"], "succeeded");
    let run = serving.answer(serving.request("GET", &path), 200);
    assert_eq!((&run["status"], &run["nodes"]["ask"]["status"]), (&json!("running"), &json!("waiting")));
    // It is counted once it is kept how far the run was told.
    serving.until(|serving| {
        let metrics = serving.request("GET", "/metrics").send().unwrap().text().unwrap();
        metrics.contains("windflow_trace_spans_total{outcome=\"told\"} 2")
    });
    serving.kill();

    let mut serving = server(&data, &["--traces-endpoint", &collector.url]);
    serving.until(|serving| serving.answer(serving.request("GET", &path), 200)["nodes"]["ask"]["status"] == "waiting");
    let yes = json!({ "node": "ask", "approved": true });
    serving.answer(serving.request("POST", &format!("{path}/answers")).json(&yes), 200);
    let rest = collector.until("run waits");
    let mut names: Vec<_> = rest.iter().map(|span| span["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["attempt after", "attempt ask", "node after", "node ask", "run waits"]);
    let run = one(&rest, "run waits");
    assert_eq!(run["parentSpanId"], CALLER);
    for node in [before, one(&rest, "node ask"), one(&rest, "node after")] {
        assert_eq!(node["parentSpanId"], run["spanId"], "{node:#}");
        let (inner, whole) = (times(node), times(run));
        assert!(whole.0 <= inner.0 && inner.1 <= whole.1, "{node:#} {run:#}");
    }
    for span in early.iter().chain(&rest) {
        assert_eq!((&span["traceId"], &span["traceState"]), (&json!(TRACE), &json!(STATE)), "{span:#}");
    }
    assert_eq!(serving.stop("-TERM").0, 0);
}

#[test]
fn a_collector_that_does_not_answer_slows_no_run_and_is_told_of_once() {
    // It accepts connections, as the system does for it, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for (collector, seconds) in [(silent, 10), (crate::common::closed_address(), 10)] {
        let witness = Witness::start(vec![Answer::ok("ok")]);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        add_user(&data, "op@example.org");
        let mut serving = server(&data, &["--traces-endpoint", &collector]);
        serving.create_enabled("child", CHILD);
        serving.create_enabled("parent", PARENT);
        let begun = Instant::now();
        for _ in 0..20 {
            let ask = serving.http.post(format!("{}/hooks/local/in", serving.url));
            serving.answer(ask.json(&json!({ "to": witness.url(), "word": "a" })), 200);
        }
        assert!(begun.elapsed() < Duration::from_secs(seconds), "{:?}", begun.elapsed());
        serving.until(|serving| serving.said().contains("collector of traces cannot be told"));
        let metrics = serving.request("GET", "/metrics").send().unwrap().text().unwrap();
        assert!(metrics.contains("windflow_trace_spans_total{outcome=\"failed\"}"), "{metrics}");
        let stopping = Instant::now();
        let (code, said) = serving.stop("-TERM");
        assert_eq!(code, 0, "{said}");
        assert!(stopping.elapsed() < Duration::from_secs(10), "{:?}", stopping.elapsed());
        assert_eq!(said.matches("cannot be told").count(), 1, "{said}");
    }
}

#[test]
fn without_a_collector_nothing_is_told_to_anybody() {
    let witness = Witness::start(vec![Answer::ok("ok")]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "op@example.org");
    let serving = server(&data, &[]);
    serving.create_enabled("child", CHILD);
    let ask = serving
        .request("POST", "/api/v1/workflows/child/runs")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    let started = serving.answer(ask.json(&json!({ "inputs": { "to": witness.url() } })), 201);
    let run = started["run"].as_str().unwrap().to_owned();
    let mut serving = serving;
    serving.until(|serving| serving.runs("&status=succeeded").iter().any(|found| found["run"] == run.as_str()));
    assert_eq!(witness.seen()[0].traceparent, None);
    let events = serving.answer(serving.request("GET", &format!("/api/v1/runs/{run}/events")), 200);
    assert!(!events.to_string().contains(TRACE), "{events}");
}
