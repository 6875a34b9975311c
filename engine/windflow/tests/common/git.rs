//! Git's own server over HTTP, on loopback.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use tempfile::TempDir;

/// Who may read the repositories, as a header says it: `reader` with the password `s3cret`.
const READER: &str = "Basic cmVhZGVyOnMzY3JldA==";

/// `git http-backend`, over repositories in a folder; those below `private` want a password.
pub struct GitServer {
    pub url: String,
    pub folder: Arc<TempDir>,
    _runtime: tokio::runtime::Runtime,
}

impl GitServer {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(folder.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { url, folder, _runtime: runtime }
    }

    /// A repository that is worked on elsewhere, and what the server has of it.
    pub fn publish(&self, work: &Path, name: &str) {
        let there = self.folder.path().join(name);
        git(self.folder.path(), &["clone", "--quiet", "--bare", work.to_str().unwrap(), there.to_str().unwrap()]);
        // All in one pack, in which similar files are made of one another.
        git(&there, &["gc", "--quiet", "--aggressive"]);
    }
}

async fn answer(State(folder): State<Arc<TempDir>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if parts.uri.path().starts_with("/private/") && header("authorization") != READER {
        return Response::builder()
            .status(401)
            .header("www-authenticate", "Basic")
            .body("who are you?".into())
            .unwrap();
    }
    if let Some(rest) = parts.uri.to_string().strip_prefix("/moved/") {
        return Response::builder()
            .status(301)
            .header("location", format!("http://{}/{rest}", header("host")))
            .body("".into())
            .unwrap();
    }
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut command = Command::new("git");
    command.arg("http-backend").stdin(Stdio::piped()).stdout(Stdio::piped());
    command
        .env("GIT_PROJECT_ROOT", folder.path())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str());
    command.env("PATH_INFO", parts.uri.path()).env("QUERY_STRING", parts.uri.query().unwrap_or_default());
    command.env("CONTENT_TYPE", header("content-type")).env("CONTENT_LENGTH", body.len().to_string());
    command.env("GIT_PROTOCOL", header("git-protocol")).env("REMOTE_ADDR", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&body).unwrap();
        child.wait_with_output().unwrap().stdout
    });
    let output = output.await.unwrap();
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(output[end + 4..].to_vec().into()).unwrap()
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args([
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.org",
        "-c",
        "init.defaultBranch=main",
    ]);
    let output = command.args(arguments).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
