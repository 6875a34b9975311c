//! Live streams: whole, resumable, and no burden to anybody.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windflow_server::{Role, Settings};
use windflow_testkit::host::Outcome;

use crate::support::{Client, PURE, SLOW, eventually, real_host, scripted, serve, serve_with, settings};

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    kind: String,
    id: Option<String>,
    data: Value,
}

struct Reader {
    response: reqwest::Response,
    text: String,
}

impl Reader {
    async fn open(client: &Client, path: &str, last: Option<&str>) -> Self {
        let mut request = client.request("GET", path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none where the stream has ended.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let sent = parse(block);
                self.text = rest.to_owned();
                if let Some(sent) = sent {
                    return Some(sent);
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await.unwrap();
            // A connection that is cut when the server stops ends the stream as well.
            self.text.push_str(std::str::from_utf8(&chunk.ok().flatten()?).unwrap());
        }
    }

    async fn all(mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        while let Some(sent) = self.next().await {
            let end = sent.kind == "end";
            all.push(sent);
            if end {
                break;
            }
        }
        all
    }
}

fn parse(block: &str) -> Option<Sent> {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    let data = field("data:")?;
    Some(Sent { kind: field("event:")?, id: field("id:"), data: serde_json::from_str(&data).unwrap() })
}

fn sequences(sent: &[Sent]) -> Vec<u64> {
    let events = sent.iter().filter(|sent| sent.kind == "event");
    events
        .map(|sent| {
            assert_eq!(sent.id.as_deref(), Some(sent.data["sequence"].to_string().as_str()));
            sent.data["sequence"].as_u64().unwrap()
        })
        .collect()
}

/// A chain of nodes that say something.
fn chatty(nodes: usize) -> String {
    let mut text = "windflow: 1\nname: chatty\nnodes:\n".to_owned();
    for node in 0..nodes {
        let before = if node == 0 { String::new() } else { format!(", needs: [n{}]", node - 1) };
        text.push_str(&format!("  n{node}: {{ uses: log@1, with: {{ message: \"line {node}\" }}{before} }}\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_whole_and_from_wherever_a_reader_left() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(&chatty(20)).await;
    let run = editor.start("chatty", json!({})).await;
    let path = format!("/api/v1/runs/{run}/live");
    let all = Reader::open(&editor, &path, None).await.all().await;
    let last = editor.ended(&run).await["sequence"].as_u64().unwrap();
    assert_eq!(sequences(&all), (1..=last).collect::<Vec<_>>());
    assert_eq!(all.last().unwrap().kind, "end");
    let after = Reader::open(&editor, &path, Some("7")).await.all().await;
    assert_eq!(sequences(&after), (8..=last).collect::<Vec<_>>());
    let nothing = Reader::open(&editor, &path, Some(&last.to_string())).await.all().await;
    assert_eq!(nothing.iter().map(|sent| sent.kind.as_str()).collect::<Vec<_>>(), ["end"]);
    let bad = editor.request("GET", &path).header("last-event-id", "x");
    editor.send(bad).await.problem(400, "invalid_last_event_id");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_while_it_is_read_is_told_whole() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(SLOW).await;
    for round in 0..30 {
        let run = operator.start("slow", json!({})).await;
        let reader = Reader::open(&operator, &format!("/api/v1/runs/{run}/live"), None).await;
        let told = tokio::spawn(reader.all());
        // At another moment of the reading each time.
        tokio::time::sleep(Duration::from_millis(round * 3)).await;
        operator.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect(202);
        let told = told.await.unwrap();
        let last = operator.ended(&run).await["sequence"].as_u64().unwrap();
        assert_eq!(sequences(&told), (1..=last).collect::<Vec<_>>(), "round {round}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_told_while_it_goes_on_and_no_earlier_than_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[("slow", Outcome::Hang)])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(SLOW).await;
    let run = operator.start("slow", json!({})).await;
    let mut reader = Reader::open(&operator, &format!("/api/v1/runs/{run}/live"), None).await;
    let mut seen = Vec::new();
    while !seen.iter().any(|sent: &Sent| sent.data["event"]["attempt_started"].is_object()) {
        seen.push(reader.next().await.unwrap());
    }
    operator.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await.expect(202);
    seen.extend(reader.all().await);
    let kinds: Vec<String> = seen
        .iter()
        .filter(|sent| sent.kind == "event")
        .map(|sent| sent.data["event"].as_object().unwrap().keys().next().unwrap().clone())
        .collect();
    assert_eq!(kinds, ["run_started", "attempt_started", "cancel_requested", "attempt_cancelled", "run_finished"]);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_hears_of_its_runs_and_of_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let ours = served.person("local", Role::Editor).await;
    let theirs = served.person("other", Role::Editor).await;
    ours.create(PURE).await;
    theirs.create(PURE).await;
    let mut reader = Reader::open(&ours, "/api/v1/live", None).await;
    // The first byte of the stream says that it is subscribed.
    let foreign = theirs.start("pure", json!({})).await;
    theirs.ended(&foreign).await;
    let run = ours.start("pure", json!({})).await;
    let (first, second) = (reader.next().await.unwrap(), reader.next().await.unwrap());
    assert_eq!((first.kind.as_str(), &first.data["run"]), ("run", &json!(run)));
    assert_eq!((&second.data["run"], &second.data["status"]), (&json!(run), &json!("succeeded")));
    let mut again = Reader::open(&ours, "/api/v1/live", first.id.as_deref()).await;
    assert_eq!(again.next().await.unwrap(), second);
    let mut lost = Reader::open(&ours, "/api/v1/live", Some("1-1")).await;
    assert_eq!(lost.next().await.unwrap().kind, "reset");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_who_do_not_read_hold_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), real_host()).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(&chatty(150)).await;
    // Warm: what the sandbox compiles once is no matter of readers.
    let run = editor.start("chatty", json!({})).await;
    editor.ended(&run).await;
    let alone = Instant::now();
    let run = editor.start("chatty", json!({})).await;
    editor.ended(&run).await;
    let alone = alone.elapsed();

    let watched = Instant::now();
    let run = editor.start("chatty", json!({})).await;
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(Reader::open(&editor, &format!("/api/v1/runs/{run}/live"), None).await);
    }
    editor.ended(&run).await;
    let watched = watched.elapsed();
    assert!(watched < alone * 10 + Duration::from_secs(2), "{alone:?} alone, {watched:?} watched");
    // Who reads late still gets every event.
    let last = editor.ended(&run).await["sequence"].as_u64().unwrap();
    let late = idle.pop().unwrap().all().await;
    assert_eq!(sequences(&late), (1..=last).collect::<Vec<_>>());
    drop(idle);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_end_with_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { max_streams: 3, ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), settings).await;
    let viewer = served.person("local", Role::Viewer).await;
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(Reader::open(&viewer, "/api/v1/live", None).await);
    }
    viewer.get("/api/v1/live").await.problem(503, "too_many_streams");
    readers.pop();
    // The place of one who left is free again.
    eventually(async || {
        let again = viewer.request("GET", "/api/v1/live").send().await.unwrap();
        again.status() == 200
    })
    .await;
    let begun = Instant::now();
    served.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "open streams held up the stop");
    assert!(readers.pop().unwrap().next().await.is_none());
}
