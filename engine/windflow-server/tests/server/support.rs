//! A server of one's own, and a client that says what it expects.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use windflow_core::id::OrganisationId;
use windflow_core::ports::host::{Host, Registry};
use windflow_core::ports::plugins::NoPlugins;
use windflow_core::ports::records::Records;
use windflow_core::ports::traces::Traces;
use windflow_core::run::Timestamp;
use windflow_core::trace::Sampling;
use windflow_host::{GuardedFetch, HostConfig, PluginHost, PublicHosts, SystemResolver, TlsRoots};
use windflow_marketplace::bundle::Bundle;
use windflow_marketplace::files::from_folder;
use windflow_marketplace::index::make;
use windflow_runtime::{Config, Runtime, SystemClock};
use windflow_server::{CredentialStore, NewUser, Ports, Role, Server, Settings, add_user};
use windflow_store::{Options, SledStore};
use windflow_testkit::host::{Outcome, ScriptedHost};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// The compiled code of plugins, which all tests share.
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

/// The built-in plugins in the real sandbox.
pub(crate) fn real_host() -> Arc<PluginHost> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins");
    let host = PluginHost::new(HostConfig { cache_dir: Some(COMPILED.into()), ..HostConfig::default() }).unwrap();
    let mut found = 0;
    for entry in std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask plugins`", folder.display()))
    {
        let path = entry.unwrap().path();
        // Compiling each of them takes a while: only what the workflows here use.
        if ["transform.wasm", "log.wasm", "condition.wasm", "publish-event.wasm"]
            .iter()
            .any(|name| path.ends_with(name))
        {
            host.install(std::fs::read(&path).unwrap()).unwrap();
            found += 1;
        }
    }
    assert_eq!(found, 4, "run `cargo xtask plugins`");
    Arc::new(host)
}

/// Nodes `pure@1` and `effect@1` that do what a script says.
pub(crate) fn scripted(script: &[(&str, Outcome)]) -> Arc<ScriptedHost> {
    let script: HashMap<String, Vec<Outcome>> =
        script.iter().map(|(node, outcome)| ((*node).to_owned(), vec![outcome.clone()])).collect();
    Arc::new(ScriptedHost::new(script))
}

/// The templates of `tests/templates`, packed and signed as the binary's are.
pub(crate) fn templates() -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let folders = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let made = folders.map(|folder| make(&from_folder(&folder).unwrap()).unwrap_or_else(|faults| panic!("{faults:?}")));
    Bundle::made("windflow", 1, made.collect()).unwrap()
}

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) setup_token: Option<String>,
    pub(crate) records: Option<Arc<dyn Records>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// The server's own threads, and those of guests.
    threads: Vec<tokio::runtime::Runtime>,
}

/// Settings on a free port.
pub(crate) fn settings() -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        shutdown_timeout: Duration::from_secs(2),
        ..Settings::default()
    }
}

pub(crate) async fn serve<H: Host + 'static>(dir: &Path, host: Arc<H>) -> Served {
    serve_with(dir, host, settings()).await
}

pub(crate) async fn serve_with<H: Host + 'static>(dir: &Path, host: Arc<H>, settings: Settings) -> Served {
    serve_on(dir, host, settings, Options::default()).await
}

pub(crate) async fn serve_on<H: Host + 'static>(
    dir: &Path,
    host: Arc<H>,
    settings: Settings,
    options: Options,
) -> Served {
    serve_all(dir, host, settings, options, None).await
}

/// With somebody who collects traces.
pub(crate) async fn serve_traced<H: Host + 'static>(dir: &Path, host: Arc<H>, traces: Arc<dyn Traces>) -> Served {
    serve_all(dir, host, settings(), Options::default(), Some(traces)).await
}

async fn serve_all<H: Host + 'static>(
    dir: &Path,
    host: Arc<H>,
    settings: Settings,
    options: Options,
    traces: Option<Arc<dyn Traces>>,
) -> Served {
    let store = Arc::new(SledStore::open(dir, options).unwrap());
    let threads = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (main, guests) = (threads(), threads());
    let clock = Arc::new(SystemClock);
    let config = Config { traces: traces.as_ref().map(|_| Sampling::ALL), ..Config::new(guests.handle().clone()) };
    let runtime = Runtime::new(store.clone(), host.clone(), clock.clone(), config);
    let registry: Arc<dyn Registry> = host;
    let records: Arc<dyn Records> = store.clone();
    let drivers = Arc::new(windflow_targets::AllDrivers);
    let credentials = CredentialStore::new(records.clone(), &[7; 32].into()).unwrap();
    let ports = Ports {
        store,
        records: records.clone(),
        registry,
        plugins: Arc::new(NoPlugins),
        clock,
        runtime,
        drivers,
        credentials,
        templates: templates(),
        fetch: Arc::new(GuardedFetch::new(
            Arc::new(PublicHosts::default()),
            Arc::new(SystemResolver),
            TlsRoots { system: false, also: Vec::new() },
        )),
        secrets_keys: [7; 32].into(),
        traces,
    };
    let server = main.spawn(Server::open(settings, ports)).await.unwrap().unwrap();
    let (address, setup_token) = (server.address(), server.setup_token());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = main.spawn(server.run(async move {
        let _ = stopped.await;
    }));
    let served =
        Served { address, setup_token, records: Some(records), stop: Some(stop), task, threads: vec![main, guests] };
    let client = served.anonymous();
    eventually(async || client.get("/startupz").await.status == 200).await;
    served
}

impl Served {
    /// Stops it as a signal does, and waits until the store is closed.
    pub(crate) async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.task).await.unwrap();
        self.abandon().await;
    }

    /// Stops it in the middle of everything: nothing of it gets to run any further.
    pub(crate) async fn abandon(mut self) {
        self.records = None;
        let threads = std::mem::take(&mut self.threads);
        let ended = tokio::task::spawn_blocking(move || {
            threads.into_iter().for_each(|threads| threads.shutdown_timeout(Duration::from_secs(5)));
        });
        ended.await.unwrap();
    }

    pub(crate) fn anonymous(&self) -> Client {
        windflow_testkit::choose_tls();
        Client { base: format!("http://{}", self.address), token: None, http: reqwest::Client::new() }
    }

    /// Somebody with a role in an organisation, signed in.
    pub(crate) async fn person(&self, organisation: &str, role: Role) -> Client {
        let email = format!("{}@{organisation}.example", role.word());
        let new = NewUser {
            organisation: organisation.parse::<OrganisationId>().unwrap(),
            email: email.clone(),
            name: role.word().to_owned(),
            role,
            password: PASSWORD.to_owned(),
        };
        add_user(&**self.records.as_ref().unwrap(), &new, Timestamp(1)).unwrap();
        self.signed_in(&email).await
    }

    pub(crate) async fn signed_in(&self, email: &str) -> Client {
        let mut client = self.anonymous();
        let answer = client.post("/api/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.token = Some(answer.body["access_token"].as_str().unwrap().to_owned());
        client
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        for threads in std::mem::take(&mut self.threads) {
            threads.shutdown_background();
        }
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    pub(crate) http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// JSON as such, everything else as text.
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json");
            for field in ["type", "title", "status", "code", "detail"] {
                assert!(!self.body[field].is_null(), "a problem without {field}: {}", self.body);
            }
        }
        self.body
    }

    /// A problem of a code.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.timeout(Duration::from_secs(30)).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    pub(crate) async fn yaml(&self, method: &str, path: &str, text: &str, if_match: Option<&str>) -> Answer {
        let mut request = self.request(method, path).header("content-type", "application/yaml").body(text.to_owned());
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        self.send(request).await
    }

    /// Creates a workflow.
    pub(crate) async fn create(&self, text: &str) -> Value {
        self.yaml("POST", "/api/v1/workflows", text, None).await.expect(201)
    }

    /// Starts a run and gives its id.
    pub(crate) async fn start(&self, workflow: &str, inputs: Value) -> String {
        let started = self.post(&format!("/api/v1/workflows/{workflow}/runs"), &json!({ "inputs": inputs })).await;
        started.expect(201)["run"].as_str().unwrap().to_owned()
    }

    /// Waits until a run has ended, and gives it.
    pub(crate) async fn ended(&self, run: &str) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.get(&format!("/api/v1/runs/{run}")).await.expect(200);
            if !found["finished_at"].is_null() {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "run {run} did not end: {found}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until something holds.
pub(crate) async fn eventually(holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came to that");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A workflow of scripted nodes.
pub(crate) const PURE: &str = "windflow: 1\nname: pure\ninputs:\n  n: { type: integer, default: 1 }\nnodes:\n  a: { uses: pure@1, with: { n: \"${{ inputs.n }}\" } }\noutputs: { n: \"${{ nodes.a.output.n }}\" }\n";

/// A workflow whose node `slow` does what the script says.
pub(crate) const SLOW: &str = "windflow: 1\nname: slow\nnodes:\n  slow: { uses: effect@1 }\n";
