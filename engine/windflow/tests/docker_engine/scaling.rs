//! The workflow that is shipped and scales a service by what Prometheus says, on a real engine.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Place, path, stderr};

/// A server that answers queries as Prometheus does.
struct Metrics {
    port: u16,
    /// The value that it has, and none for a query that finds nothing.
    value: Arc<Mutex<Option<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Metrics {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (value, asked) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
        let (shown, heard) = (Arc::clone(&value), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                heard.lock().unwrap().push(lines.next().unwrap_or_default());
                lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
                let found: Option<String> = shown.lock().unwrap().clone();
                let found = found.map(|value| json!({ "metric": {}, "value": [1_795_271_000, value] }));
                let result: Vec<Value> = found.into_iter().collect();
                let body =
                    json!({ "status": "success", "data": { "resultType": "vector", "result": result } }).to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
                let _ = write!(&stream, "{head} {}\r\n\r\n{body}", body.len());
            }
        });
        Self { port, value, asked }
    }
}

#[test]
fn a_service_grows_and_shrinks_with_what_there_is_to_do() {
    let place = Place::new();
    assert!(place.windflow(&["targets", "add", "production", place.engine.address()]).status.success());
    let port = format!("WEB_PORT={}", place.port);
    let deployed = place.windflow(&["deploy", "shop.yaml", "--target", "production", "--var", &port]);
    assert!(deployed.status.success(), "{}", stderr(&deployed));
    let metrics = Metrics::start();
    // As it is shipped, but for where Prometheus is.
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows/auto-scaling/workflow.yaml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let file = place.folder.path().join("auto-scaling.yaml");
    std::fs::write(&file, text.replace("127.0.0.1:9090", &format!("127.0.0.1:{}", metrics.port))).unwrap();
    let scale = |work: Option<&str>| -> Value {
        *metrics.value.lock().unwrap() = work.map(str::to_owned);
        let output = place.windflow(&["run", path(&file), "-i", "stack=shop", "-i", "most=3", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };
    // Each container by its name, with its id.
    let containers = || {
        let listed = place.engine.docker(&["ps", "--format", "{{.Names}} {{.ID}}"]);
        let mut listed: Vec<_> = listed.lines().map(str::to_owned).collect();
        listed.sort();
        listed
    };
    let deployments = || {
        let listed = place.windflow(&["deployments", "list", "--json"]);
        serde_json::from_slice::<Value>(&listed.stdout).unwrap().as_array().unwrap().len()
    };
    let first = containers();
    let workers = |listed: &[String]| listed.iter().filter(|line| line.starts_with("shop-worker-")).count();
    assert_eq!((workers(&first), deployments()), (1, 1));

    // By how much there is to do: how many there are then, and whether anything is deployed for that.
    for (work, want, is_scaled) in [
        ("8", 1, false),
        ("17", 3, true),
        ("17", 3, false),
        // Two would be filled to nine tenths.
        ("14.5", 3, false),
        ("3", 2, true),
        ("12", 2, false),
        ("0", 1, true),
        ("0", 1, false),
        // No more than the most.
        ("1000", 3, true),
    ] {
        let (before, so_far) = (containers(), deployments());
        let run = scale(Some(work));
        assert_eq!((&run["status"], &run["outputs"]["want"]), (&json!("succeeded"), &json!(want)), "{work}: {run:#}");
        assert_eq!(run["outputs"]["have"], json!(workers(&before)), "{work}: {run:#}");
        let after = containers();
        assert_eq!(workers(&after), want, "{work}: {after:?}");
        assert_eq!(deployments() - so_far, usize::from(is_scaled), "{work}");
        if is_scaled {
            // Whatever else there is runs on as it was.
            assert!(first.iter().all(|line| after.contains(line)), "{work}: {after:?}");
        } else {
            assert_eq!(after, before, "{work}: nothing is done");
        }
    }

    // Blind, nothing is scaled.
    let before = containers();
    for nothing in [None, Some("NaN")] {
        let run = scale(nothing);
        assert_eq!(run["nodes"]["blind"]["error"]["code"], "blind", "{run:#}");
        assert_eq!(containers(), before);
    }
    let asked = metrics.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|line| line.starts_with("GET /api/v1/query?query=sum")
                && line.contains("rabbitmq_queue_messages_ready")),
        "{asked:?}"
    );
}
