//! The server under those who watch over it, and those who mean it ill.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use windflow_server::{Role, Settings};
use windflow_store::{Disk, Options};

use crate::support::{PURE, eventually, scripted, serve, serve_on, serve_with, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_browsers_to_trust_it_with_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { public_url: Some("https://flows.example.org".to_owned()), ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), settings).await;
    let anybody = served.anonymous();
    for path in ["/healthz", "/nothing", "/api/v1/workflows", "/api/v1/openapi.json", "/hooks/local/x"] {
        let answer = anybody.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    }
    assert!(anybody.get("/api/v1/openapi.json").await.body["paths"].is_object());
    served.stop().await;
}

/// The rest of a body that nobody reads ends the connection: a client that took it up again would lose its next request.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_before_the_body_was_read_is_told_that_the_connection_ends() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let (anybody, viewer) = (served.anonymous(), served.person("local", Role::Viewer).await);
    for (who, status) in [(&anybody, 401), (&viewer, 403)] {
        for _ in 0..20 {
            let request = who.request("POST", "/api/v1/plugins/preview").header("content-type", "application/wasm");
            let answer = who.send(request.body(vec![0; 16_000])).await;
            assert_eq!(answer.header("connection"), "close");
            answer.expect(status);
        }
    }
    assert_eq!(viewer.get("/api/v1/workflows").await.header("connection"), "");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened_and_are_not_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    served.anonymous().get("/metrics").await.problem(401, "unauthorized");
    let operator = served.person("local", Role::Operator).await;
    operator.create(PURE).await;
    let run = operator.start("pure", json!({})).await;
    operator.ended(&run).await;
    operator.get("/api/v1/no/such/place").await;
    operator.send(operator.request("BREW", "/healthz")).await;
    eventually(async || {
        let text = operator.get("/metrics").await.expect(200).as_str().unwrap().to_owned();
        text.contains("windflow_runs_finished_total{status=\"succeeded\"} 1")
    })
    .await;
    let answer = operator.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.expect(200).as_str().unwrap().to_owned();
    for line in [
        "windflow_runs_started_total{by=\"user\"} 1",
        "windflow_http_requests_total{method=\"POST\",route=\"/api/v1/workflows/{name}/runs\",status=\"2xx\"} 1",
        "windflow_http_request_duration_seconds_count",
        "windflow_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("no/such/place") && !text.contains("BREW"), "what anybody makes up became a label");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok() && name.starts_with("windflow_"), "{line}");
    }
    served.stop().await;

    let open = serve_with(dir.path(), scripted(&[]), Settings { public_metrics: true, ..settings() }).await;
    open.anonymous().get("/metrics").await.expect(200);
    open.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_send_slowly_hold_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { request_timeout: Duration::from_millis(700), ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), settings).await;
    let editor = served.person("local", Role::Editor).await;
    // A body that never comes.
    let mut slow = TcpStream::connect(served.address).unwrap();
    let token = editor.token.clone().unwrap();
    let head = format!(
        "POST /api/v1/validate HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/yaml\r\ncontent-length: 1000\r\n\r\nwind"
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let begun = Instant::now();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = vec![0; 4096];
        let read = slow.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    });
    // Others are answered meanwhile.
    editor.get("/api/v1/workflows").await.expect(200);
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"timeout\""), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_send_no_request_are_let_go_of_when_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let idle: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(served.address).unwrap()).collect();
    served.anonymous().get("/healthz").await.expect(200);
    let begun = Instant::now();
    served.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "idle connections held up the stop");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_no_requests_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let address = served.address;
    tokio::task::spawn_blocking(move || {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(500));
        let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20));
        for bad in ["\r\n\r\n", "GET\r\n\r\n", "\0\0\0\0", "GET / HTTP/9\r\n\r\n", &many, &long] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
            let _ = stream.write_all(bad.as_bytes());
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    })
    .await
    .unwrap();
    served.anonymous().get("/healthz").await.expect(200);
    served.stop().await;
}

/// A disk that is full on request.
#[derive(Default)]
struct FullDisk(AtomicBool);

impl Disk for FullDisk {
    fn sync_data(&self, file: &File, _: &Path) -> std::io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        file.sync_data()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_acknowledged_that_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FullDisk::default());
    let options = Options { disk: disk.clone(), ..Options::default() };
    let served = serve_on(dir.path(), scripted(&[]), settings(), options).await;
    let editor = served.person("local", Role::Editor).await;
    editor.create(PURE).await;
    editor.get("/readyz").await.expect(200);
    disk.0.store(true, Ordering::SeqCst);
    let refused = editor.post("/api/v1/workflows/pure/runs", &json!({})).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(503, "store_unavailable");
    editor
        .yaml("POST", "/api/v1/workflows", &PURE.replace("name: pure", "name: other"), None)
        .await
        .problem(503, "store_unavailable");
    editor.get("/readyz").await.problem(503, "store_unavailable");
    // It still answers, and what was kept can be read.
    editor.get("/healthz").await.expect(200);
    editor.get("/api/v1/workflows/pure/document").await.expect(200);
    served.abandon().await;

    let served = serve(dir.path(), scripted(&[])).await;
    let editor = served.signed_in("editor@local.example").await;
    let run = editor.start("pure", json!({})).await;
    assert_eq!(editor.ended(&run).await["status"], "succeeded");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboards_and_alerts_name_metrics_that_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), scripted(&[])).await;
    let operator = served.person("local", Role::Operator).await;
    operator.create(PURE).await;
    let run = operator.start("pure", json!({})).await;
    operator.ended(&run).await;
    let told = operator.get("/metrics").await.expect(200).as_str().unwrap().to_owned();
    // Counted once somebody knocks, a schedule is due, or a collector is told.
    let known = format!(
        "{told} windflow_webhook_requests_total windflow_cron_ticks_total windflow_runs_finished_total windflow_trace_spans_total"
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let mut named = 0;
    for file in ["alerts.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for word in
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("windflow_"))
        {
            assert!(known.contains(word), "{file} names {word}, which the server does not tell");
            named += 1;
        }
    }
    assert!(named > 15);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_that_the_operator_names_may_ask() {
    let dir = tempfile::tempdir().unwrap();
    let ours = "https://app.example.org";
    let preflight = |client: &crate::support::Client, path: &str, origin: &str| {
        client
            .request("OPTIONS", path)
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,if-match")
    };
    let served = serve(dir.path(), scripted(&[])).await;
    let anybody = served.anonymous();
    let answer = anybody.send(preflight(&anybody, "/api/v1/workflows", ours)).await;
    assert!(answer.status == 405 && answer.header("access-control-allow-origin").is_empty(), "{answer:?}");
    served.stop().await;

    let settings = Settings { allow_origins: vec![ours.parse().unwrap()], ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), settings).await;
    let editor = served.person("local", Role::Editor).await;
    let anybody = served.anonymous();
    // Browsers ask first, without a token.
    let answer = anybody.send(preflight(&anybody, "/api/v1/workflows/pure/document", ours)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ours));
    assert!(answer.header("access-control-allow-methods").contains("PUT"));
    let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
    assert!(["authorization", "if-match", "content-type"].iter().all(|name| headers.contains(name)), "{headers}");
    let answer = editor.send(editor.request("GET", "/api/v1/workflows").header("origin", ours)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ours));
    assert!(answer.header("access-control-expose-headers").to_ascii_lowercase().contains("etag"));
    assert!(answer.header("vary").to_ascii_lowercase().contains("origin"));
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    // A refusal is read by the page, too.
    let answer = anybody.send(anybody.request("GET", "/api/v1/workflows").header("origin", ours)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, ours));
    for other in ["https://app.example.org:444", "https://evil.example", "null", "https://app.example.org.evil.example"]
    {
        let answer = anybody.send(preflight(&anybody, "/api/v1/workflows", other)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{other}");
        let answer = editor.send(editor.request("GET", "/api/v1/workflows").header("origin", other)).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{other}");
    }
    let answer = anybody.send(anybody.request("POST", "/hooks/local/x").header("origin", ours)).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_ask_too_often_wait_and_hold_up_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { rate_limit: 20, trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..settings() };
    let served = serve_with(dir.path(), scripted(&[]), settings).await;
    let admin = served.person("local", Role::Admin).await;
    let other = served.person("other", Role::Viewer).await;
    let made = admin.post("/api/v1/api-keys", &json!({ "name": "x", "scopes": ["workflows:read"] })).await.expect(201);
    let key = crate::support::Client { token: Some(made["token"].as_str().unwrap().to_owned()), ..admin.clone() };
    let mut refused = admin.get("/api/v1/workflows").await;
    for _ in 0..25 {
        refused = admin.get("/api/v1/workflows").await;
    }
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    refused.problem(429, "too_many_requests");
    // Another session of the same person is the same caller; a key, and other people, are not.
    let again = served.signed_in("admin@local.example").await;
    again.get("/api/v1/workflows").await.problem(429, "too_many_requests");
    key.get("/api/v1/workflows").await.expect(200);
    other.get("/api/v1/workflows").await.expect(200);
    // Health, streams and the editor are not counted.
    for _ in 0..30 {
        served.anonymous().get("/healthz").await.expect(200);
    }
    let live = admin.request("GET", "/api/v1/live").send().await.unwrap();
    assert_eq!(live.status(), 200);
    drop(live);

    // Without a token, or with one that is none, it is the address that counts: the one that the proxy names.
    let guess = async |from: &str| {
        let anybody = crate::support::Client { token: Some("guessed".to_owned()), ..served.anonymous() };
        anybody.send(anybody.request("GET", "/api/v1/workflows").header("x-forwarded-for", from)).await.status
    };
    for _ in 0..20 {
        assert_eq!(guess("192.0.2.1").await, 401);
    }
    assert_eq!(guess("192.0.2.1").await, 429);
    assert_eq!(guess("192.0.2.2").await, 401);
    let sign_in = served.anonymous();
    let body = json!({ "email": "admin@local.example", "password": "wrong" });
    let request = sign_in.request("POST", "/api/v1/auth/login").header("x-forwarded-for", "192.0.2.1").json(&body);
    sign_in.send(request).await.problem(429, "too_many_requests");
    served.stop().await;
}
