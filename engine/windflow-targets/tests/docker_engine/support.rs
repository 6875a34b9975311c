use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use windflow_core::ports::host::CancelSignal;
use windflow_stacks::compose::{self, Context, no_files};
use windflow_stacks::containers::{Containers, With};
use windflow_stacks::driver::{Driver, Event, Job, Never, Outcome, RegistryLogin, Result, Verdict};
use windflow_stacks::plan::{Observed, State};
use windflow_stacks::project::Project;
use windflow_stacks::target::Credentials;
use windflow_targets::docker::{DockerTarget, Endpoint};
pub(super) use windflow_testkit::docker::{DockerEngine, free_port, get};

/// An engine and the driver for it.
pub(super) struct Place {
    pub(super) engine: DockerEngine,
    pub(super) target: DockerTarget,
    pub(super) events: Mutex<Vec<Event>>,
    pub(super) lines: Mutex<Vec<String>>,
    pub(super) registries: BTreeMap<String, RegistryLogin>,
}

/// A stack from its document.
pub(super) fn project(text: &str) -> Project {
    let context = Context { name: None, variables: &BTreeMap::new(), profiles: &[], files: &no_files };
    let loaded = compose::load(text, &context);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.project.unwrap()
}

impl Place {
    pub(super) async fn new() -> Self {
        Self::on(DockerEngine::start()).await
    }

    pub(super) async fn on(engine: DockerEngine) -> Self {
        let endpoint = Endpoint::parse(engine.address(), &Credentials::default()).unwrap();
        let target = DockerTarget::connect(endpoint).await.unwrap();
        Self { engine, target, events: Mutex::default(), lines: Mutex::default(), registries: BTreeMap::new() }
    }

    pub(super) async fn deploy(&self, deployment: &str, project: &Project) -> Result<Outcome> {
        self.deploy_within(deployment, project, Duration::from_secs(120)).await
    }

    pub(super) async fn deploy_within(
        &self,
        deployment: &str,
        project: &Project,
        timeout: Duration,
    ) -> Result<Outcome> {
        let events = |event| self.events.lock().unwrap().push(event);
        let job = Job { deployment, project, registries: &self.registries, timeout, cancel: &Never, events: &events };
        self.target.deploy(&job).await
    }

    /// Does something with single containers and images.
    pub(super) async fn with<T>(
        &self,
        seconds: u64,
        cancel: &dyn CancelSignal,
        what: impl AsyncFnOnce(&dyn Containers, &With<'_>) -> T,
    ) -> T {
        let told = |line: &str| self.lines.lock().unwrap().push(line.to_owned());
        let timeout = Duration::from_secs(seconds);
        let with = With { run: "test", registries: &self.registries, timeout, cancel, tell: &told };
        what(self.target.containers().unwrap(), &with).await
    }

    /// Names and states of all containers.
    pub(super) fn containers(&self) -> String {
        self.engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"])
    }

    /// Deploys what has to work.
    pub(super) async fn deployed(&self, deployment: &str, text: &str) -> Outcome {
        let outcome = self.deploy(deployment, &project(text)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Deployed, "{outcome:#?}");
        outcome
    }

    pub(super) async fn seen(&self, stack: &str) -> Observed {
        self.target.observe(stack).await.unwrap()
    }

    /// Names of containers that run, and whether anything was left aside.
    pub(super) async fn running(&self, stack: &str) -> Vec<String> {
        let seen = self.seen(stack).await;
        assert!(seen.containers.iter().all(|found| !found.retired), "{seen:#?}");
        seen.containers.into_iter().filter(|found| found.state == State::Running).map(|found| found.name).collect()
    }

    /// What was done with containers, as `service doing`, in order.
    pub(super) fn done(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.events.lock().unwrap());
        let of = |event| match event {
            Event::Container { service, doing, .. } => Some(format!("{service} {doing}")),
            _ => None,
        };
        told.into_iter().filter_map(of).collect()
    }
}

/// A web service over a database, as stand-ins.
pub(super) fn shop(version: u32, port: u16) -> String {
    format!(
        r#"
name: shop
services:
  web:
    image: stand-in:{version}
    stop_signal: SIGKILL
    ports: ["127.0.0.1:{port}:80"]
    depends_on: {{ db: {{ condition: service_healthy }} }}
    healthcheck: {{ test: wget -q -O /dev/null http://127.0.0.1/, interval: 500ms, timeout: 2s, retries: 3 }}
  db:
    image: stand-in:1
    command: sh -c "sleep 1; touch /tmp/ready; exec sleep 1000"
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    healthcheck: {{ test: test -f /tmp/ready, interval: 500ms, timeout: 2s, retries: 8 }}
volumes: {{ data: {{}} }}
"#
    )
}
