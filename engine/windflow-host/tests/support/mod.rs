//! Guests made of WAT, a host to run them in, and what the host tells while it does. Two suites share it.
#![allow(dead_code, reason = "each suite uses a part")]

pub(crate) mod requests;
pub(crate) mod server;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windflow_core::capability::Grants;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{NodeId, NodeTypeRef, OrganisationId, PortName, RunId};
use windflow_core::ports::events::Events;
use windflow_core::ports::files::FileStore;
use windflow_core::ports::host::{Call, CancelSignal, Emission, Host, LogLevel, Observer, Registry};
use windflow_core::ports::state::StateStore;
use windflow_core::ports::store::BoxFuture;
use windflow_core::run::Timestamp;
use windflow_host::{HostConfig, PluginHost};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A version of the contract between engine and guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contract {
    /// Its folder in `sdk/wit`.
    pub(crate) folder: &'static str,
    /// What its package is versioned as.
    pub(crate) version: &'static str,
}

/// All that the host keeps, the newest last.
pub(crate) const CONTRACTS: &[Contract] = &[Contract { folder: "v1", version: "1.0.0" }];

const NEWEST: Contract = CONTRACTS[CONTRACTS.len() - 1];

impl Contract {
    /// A component of a guest in `tests/guests` that was built against this version, with a manifest that asks for
    /// `capabilities`. Nothing is checked here, so that it may lie.
    pub(crate) fn guest(self, name: &str, capabilities: &Value) -> Vec<u8> {
        let mut component = self.component(name);
        add_section(&mut component, "windflow:manifest", manifest(name, capabilities).to_string().as_bytes());
        component
    }

    /// A host with one such guest, allowed everything.
    pub(crate) fn host_with(self, config: HostConfig, name: &str) -> PluginHost {
        let host = PluginHost::new(config).unwrap();
        host.install(self.guest(name, &everything())).unwrap();
        host
    }

    /// The component without its manifest.
    pub(crate) fn component(self, name: &str) -> Vec<u8> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        // The guests are written for the first version; a later one takes the same imports under its own number.
        let text = |path: String| {
            let text = std::fs::read_to_string(tests.join(path)).unwrap();
            let words =
                text.split("windflow:node/").map(|word| word.replacen("@1.0.0", &format!("@{}", self.version), 1));
            words.collect::<Vec<_>>().join("windflow:node/")
        };
        let module = text(format!("guests/{name}.wat")).replace(";; prelude", &text("guests/prelude.wat".to_owned()));
        let mut module = wat::parse_str(&module).unwrap_or_else(|error| panic!("{name}: {error}"));

        let mut resolve = Resolve::default();
        resolve.push_dir(tests.join("../../../sdk/wit").join(self.folder)).unwrap();
        let mut world = None;
        for file in ["io", "cli", "clocks", "filesystem", "random", "sockets", "http", "guest"] {
            let file = format!("wit/{file}.wit");
            world = Some(resolve.push_str(tests.join(&file), &text(file)).unwrap());
        }
        let world = resolve.select_world(&[world.unwrap()], Some("guest")).unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let encoder = ComponentEncoder::default().validate(true).module(&module);
        encoder.and_then(|mut encoder| encoder.encode()).unwrap_or_else(|error| panic!("{name}: {error:#}"))
    }
}

/// [`Contract::guest`] of the newest.
pub(crate) fn guest(name: &str, capabilities: &Value) -> Vec<u8> {
    NEWEST.guest(name, capabilities)
}

/// The manifest of a plugin with one node type, both of the guest's name.
pub(crate) fn manifest(name: &str, capabilities: &Value) -> Value {
    let name = name.replace('_', "-");
    let node = json!({
        "title": { "en": name }, "description": { "en": "A test." }, "category": "other", "icon": "lucide:box",
        "config": {},
    });
    json!({
        "plugin": { "name": name, "version": "1.0.0", "description": { "en": "A test." } },
        "capabilities": capabilities,
        "node": { name: node },
    })
}

/// [`Contract::component`] of the newest.
pub(crate) fn component(name: &str) -> Vec<u8> {
    NEWEST.component(name)
}

/// Appends a custom section.
pub(crate) fn add_section(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut body = leb(name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    component.push(0);
    component.extend(leb(body.len()));
    component.extend(body);
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// What the guests of the tests may ask for, all of it.
pub(crate) fn everything() -> Value {
    json!({ "http": ["*"], "credentials": true, "run_context": true, "cancellation": true })
}

/// A host with default limits and no cache.
pub(crate) fn host() -> PluginHost {
    PluginHost::new(HostConfig::default()).unwrap()
}

/// [`Contract::host_with`] of the newest.
pub(crate) fn host_with(config: HostConfig, name: &str) -> PluginHost {
    NEWEST.host_with(config, name)
}

/// One attempt of the guest, and what it is told and tells.
pub(crate) struct Attempt {
    pub(crate) uses: NodeTypeRef,
    pub(crate) config: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) grants: Grants,
    pub(crate) key: String,
    pub(crate) pretended: Option<Timestamp>,
    pub(crate) state: Option<Arc<dyn StateStore>>,
    pub(crate) files: Option<Arc<dyn FileStore>>,
    pub(crate) events: Option<Arc<dyn Events>>,
    pub(crate) ports: Vec<PortName>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) cancel: Arc<Cancel>,
}

impl Attempt {
    pub(crate) fn of(name: &str) -> Self {
        Self {
            uses: format!("{}@1", name.replace('_', "-")).parse().unwrap(),
            config: b"{}".to_vec(),
            timeout: Duration::from_secs(20),
            grants: Grants::default(),
            key: "run/node".to_owned(),
            pretended: None,
            state: None,
            files: None,
            events: None,
            ports: vec!["out".parse().unwrap()],
            heard: Arc::default(),
            cancel: Arc::default(),
        }
    }

    pub(crate) fn config(mut self, config: &str) -> Self {
        self.config = config.as_bytes().to_vec();
        self
    }

    pub(crate) fn timeout(mut self, milliseconds: u64) -> Self {
        self.timeout = Duration::from_millis(milliseconds);
        self
    }

    pub(crate) fn grant(mut self, http: &[&str]) -> Self {
        self.grants.http = http.iter().map(|pattern| pattern.parse().unwrap()).collect();
        self
    }

    pub(crate) async fn run(&self, host: &PluginHost) -> Result<Emission, Failure> {
        let call = Call {
            uses: self.uses.clone(),
            component: host.get(&self.uses).unwrap().component,
            config: self.config.clone(),
            ports: self.ports.as_slice().into(),
            organisation: OrganisationId::local(),
            workflow: "test".into(),
            state: self.state.clone(),
            files: self.files.clone(),
            events: self.events.clone(),
            run: RunId(uuid::Uuid::parse_str("01890000-0000-7000-8000-000000000000").unwrap()),
            node: "node".parse().unwrap(),
            item: None,
            attempt: 1,
            key: self.key.as_str().into(),
            timeout: self.timeout,
            grants: Arc::new(self.grants.clone()),
            pretended: self.pretended,
            trace: None,
            observer: Arc::clone(&self.heard) as _,
            cancel: Arc::clone(&self.cancel) as _,
        };
        host.execute(call).await
    }

    /// Runs it and expects a failure of this kind, in bounded time, with this in its message.
    pub(crate) async fn fails(&self, host: &PluginHost, kind: FailureKind, says: &str) -> Failure {
        let begun = Instant::now();
        let failure = self.run(host).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.message.contains(says), "{failure}");
        assert!(begun.elapsed() < self.timeout + Duration::from_secs(5), "took {:?}", begun.elapsed());
        failure
    }

    /// Runs it and expects this output.
    pub(crate) async fn gives(&self, host: &PluginHost, output: &str) {
        let emission = self.run(host).await.unwrap();
        assert_eq!(emission.output.text(), output);
    }
}

/// Remembers what an attempt said.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) lines: Mutex<Vec<(LogLevel, String)>>,
    pub(crate) progress: Mutex<Vec<(Option<f64>, String)>>,
}

impl Observer for Heard {
    fn log(&self, _: &NodeId, _: u32, level: LogLevel, message: &str) {
        self.lines.lock().unwrap().push((level, message.to_owned()));
    }

    fn progress(&self, _: &NodeId, _: u32, fraction: Option<f64>, message: &str) {
        self.progress.lock().unwrap().push((fraction, message.to_owned()));
    }
}

/// A signal that a test gives.
#[derive(Default)]
pub(crate) struct Cancel {
    given: AtomicBool,
    told: tokio::sync::Notify,
}

impl Cancel {
    pub(crate) fn give(&self) {
        self.given.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }
}

impl CancelSignal for Cancel {
    fn is_cancelled(&self) -> bool {
        self.given.load(Ordering::SeqCst)
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            loop {
                let told = self.told.notified();
                if self.is_cancelled() {
                    return;
                }
                told.await;
            }
        })
    }
}
