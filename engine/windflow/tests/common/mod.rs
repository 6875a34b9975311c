//! What the tests of the binary share: the binary, and a server that counts.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test uses its part")]

pub mod git;
mod tool;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tempfile::TempDir;
use windflow_core::yaml as document;

pub use self::tool::Tool;

/// The compiled code of plugins, which all tests share: each compiles what nobody has compiled before.
pub const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

/// The binary, with a data folder of its own and nothing of the user's.
pub fn windflow(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windflow"));
    command.env_clear().env("WINDFLOW_DATA_DIR", data).env("WINDFLOW_CACHE_DIR", COMPILED);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A workflow's file in a folder of its own, with a store beside it.
pub struct Place {
    pub folder: TempDir,
    pub file: PathBuf,
}

impl Place {
    pub fn new(document: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workflow.yaml");
        std::fs::write(&file, document).unwrap();
        Self { folder, file }
    }

    /// The path of the file, as an argument.
    pub fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }

    pub fn windflow(&self, arguments: &[&str]) -> Output {
        windflow(&self.folder.path().join("data")).args(arguments).output().unwrap()
    }

    /// Runs a command that prints a report; what it prints and its exit status.
    pub fn report(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.windflow(&[arguments, &["--json"]].concat());
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code())
    }
}

/// A YAML text as a value.
pub fn yaml(text: &str) -> Value {
    let (node, problems) = document::parse(text, document::Limits::default());
    assert!(problems.is_empty(), "{problems:?}");
    node.unwrap().to_json()
}

/// An address of this machine that nothing listens to.
pub fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// What the server answers once.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(String, String)>,
    pub after: Duration,
}

impl Answer {
    pub fn ok(body: &str) -> Self {
        Self { status: 200, body: body.to_owned(), headers: Vec::new(), after: Duration::ZERO }
    }

    pub fn from_case(case: &Value) -> Self {
        let headers = case["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        Self { status, body: case["body"].as_str().unwrap().to_owned(), headers, after: Duration::ZERO }
    }
}

/// A request that the server saw.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub key: Option<String>,
    pub authorization: Option<String>,
    pub traceparent: Option<String>,
    pub tracestate: Option<String>,
    pub body: String,
}

/// A server on loopback that answers as it is told, the last answer for all further requests, and remembers what it saw.
pub struct Witness {
    address: SocketAddr,
    state: Arc<Inner>,
    _runtime: tokio::runtime::Runtime,
}

struct Inner {
    answers: Vec<Answer>,
    seen: Mutex<Vec<Seen>>,
}

impl Witness {
    pub fn start(answers: Vec<Answer>) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), answers)
    }

    /// The same, at an address that was chosen.
    pub fn at(listener: TcpListener, answers: Vec<Answer>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = Arc::new(Inner { answers, seen: Mutex::default() });
        listener.set_nonblocking(true).unwrap();
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) }).unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(answer).with_state(state.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, state, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

async fn answer(State(state): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (key, authorization, traceparent) = (header("idempotency-key"), header("authorization"), header("traceparent"));
    let tracestate = header("tracestate");
    let number = {
        let mut seen = state.seen.lock().unwrap();
        seen.push(Seen {
            path: parts.uri.to_string(),
            key,
            authorization,
            traceparent,
            tracestate,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        seen.len()
    };
    let Some(answer) = state.answers.get(number - 1).or(state.answers.last()).cloned() else {
        return (http::StatusCode::NOT_FOUND, "no answer is scripted").into_response();
    };
    tokio::time::sleep(answer.after).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).unwrap()
}
