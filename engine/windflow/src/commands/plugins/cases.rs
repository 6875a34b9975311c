//! `windflow plugins test`: the cases of a plugin, in the real sandbox, offline.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;
use windflow_core::capability::Grants;
use windflow_core::failure::Failure;
use windflow_core::id::{NodeId, NodeTypeRef, OrganisationId, RunKey};
use windflow_core::json::Json;
use windflow_core::ports::files::FileStore;
use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, LogLevel, Observer, Registry};
use windflow_core::ports::store::BoxFuture;
use windflow_host::{HostConfig, PluginHost};
use windflow_package::Package;
use windflow_runtime::{Config, RecordState, Runtime, SimulatedClock, Start, StartError};
use windflow_store::{MemoryFiles, MemoryStore};

use self::case::Case;
use self::servers::{Network, Servers};
use super::{build, fetch};
use crate::cli::{Global, TestPluginArgs};
use crate::commands::test::{BEGINNING, LONGEST, Outcome, find, junit, show};
use crate::engine::{cache_dir, data_dir};
use crate::exit::{self, invalid};
use crate::render;

mod case;
mod servers;

/// The node that is tested, and the one that gives it its input.
const TESTED: &str = "tested";
const GIVEN: &str = "given";

pub(super) fn run(global: &Global, args: &TestPluginArgs) -> anyhow::Result<ExitCode> {
    let (package, bytes, beside) = if args.path.is_dir() {
        let built = build::from_folder(global, &args.path, None)?;
        (built.package, built.bytes, args.path.clone())
    } else {
        let bytes = fetch::read(&args.path)?;
        let package = windflow_package::read(&bytes);
        let package = package.map_err(|error| invalid(format!("{}: {error}", args.path.display())))?;
        (package, bytes, args.path.parent().unwrap_or(Path::new("")).to_owned())
    };
    let folder = args.cases.clone().unwrap_or_else(|| beside.join("cases"));
    let cases = find(&folder, args.filter.as_deref())?;
    if cases.is_empty() && args.filter.is_none() {
        return Err(invalid(format!(
            "there are no cases in {}: `windflow plugins test --help` says how one looks",
            folder.display()
        )));
    }
    let servers = Arc::new(Servers::default());
    let host = host(global, bytes, &servers)?;
    let mut outcomes = Vec::new();
    for path in cases {
        let (case, began) = (Case::read(&path)?, Instant::now());
        let differences =
            one(&host, &servers, &package, &case).map_err(|error| error.context(path.display().to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let subject = package.manifest.plugin.name.clone().into();
        let outcome = Outcome { subject, name, took: began.elapsed(), differences };
        show(&outcome);
        outcomes.push(outcome);
    }
    if let Some(path) = &args.junit {
        let written = std::fs::write(path, junit::report(&outcomes));
        written.map_err(|error| invalid(format!("{}: {error}", path.display())))?;
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    render::line(&format!("{} cases, {failed} failed", outcomes.len()));
    Ok(ExitCode::from(if failed == 0 { 0 } else { exit::FAILED }))
}

/// The plugin with the built-in ones, in a sandbox that lets nothing out: what answers is what the cases say.
fn host(global: &Global, bytes: Vec<u8>, servers: &Arc<Servers>) -> anyhow::Result<Arc<PluginHost>> {
    let network = Arc::new(Network(servers.clone()));
    let cache_dir = data_dir(global).ok().map(|folder| cache_dir(global, &folder));
    let config = HostConfig {
        cache_dir,
        http_policy: network.clone(),
        credentials: network.clone(),
        resolver: network.clone(),
        dialler: Some(network),
        ..HostConfig::default()
    };
    let host = crate::engine::host_of(config, None)?;
    // Before the clocks of the cases run: of a component that carries a language's engine this takes a while.
    if let Some((_, installed)) = host.install(bytes)?.into_iter().next() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(host.compile(&installed.component)).map_err(invalid)?;
    }
    Ok(Arc::new(host))
}

/// Runs a case; what is not as it expects.
fn one(host: &Arc<PluginHost>, servers: &Servers, package: &Package, case: &Case) -> anyhow::Result<Vec<String>> {
    servers.begin(&case.answers, &case.credentials);
    let document = document(package, case)?;
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let logs = Arc::new(Logs::default());
    let given = Arc::new(GivenHost { real: host.clone(), input: case.input.clone().into(), logs: logs.clone() });
    let clock = Arc::new(SimulatedClock::new(BEGINNING));
    let store = Arc::new(MemoryStore::default());
    let state = Arc::new(RecordState::new(store.clone()));
    let files = Some(Arc::new(MemoryFiles::new()) as Arc<dyn FileStore>);
    let config = Config { state: Some(state), files, ..Config::new(threads.handle().clone()) };
    let runtime = Runtime::new(store, given, clock, config);
    let report = threads.block_on(async {
        let organisation = OrganisationId::local();
        let start = Start {
            organisation: organisation.clone(),
            document,
            inputs: serde_json::Map::new(),
            extra_grants: Grants::default(),
            started_by: "test".into(),
            children: windflow_core::workflow::Children::default(),
            pinned: std::collections::BTreeMap::new(),
            trace: None,
        };
        let started = match runtime.start(start) {
            Ok(started) => started,
            Err(StartError::Invalid(error)) => {
                return Ok(Err(case.refused(&error.problems)));
            }
            Err(error) => return Err(anyhow::Error::new(error)),
        };
        let key = RunKey { organisation, run: started.run };
        match tokio::time::timeout(LONGEST, runtime.wait(&key)).await {
            Ok(ended) => Ok(Ok(ended.map_err(|lost| anyhow::anyhow!("{lost}"))?)),
            Err(_) => Ok(Ok(Arc::new(runtime.report(&key)?))),
        }
    })?;
    threads.shutdown_background();
    let report = match report {
        Ok(report) => report,
        Err(problems) => return Ok(problems),
    };
    let lines = logs.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(case.differences(report.nodes.get(TESTED), &lines, &servers.sent()))
}

/// A workflow of two nodes: one that gives what comes in, and the one that is tested.
fn document(package: &Package, case: &Case) -> anyhow::Result<String> {
    let manifest = &package.manifest;
    let name = match &case.node {
        Some(name) if manifest.nodes.contains_key(name) => name,
        Some(name) => return Err(invalid(format!("the plugin has no node type {name}: correct `node:`"))),
        None if manifest.nodes.len() > 1 => {
            let names = windflow_core::problem::list(manifest.nodes.keys().map(String::as_str));
            return Err(invalid(format!("the plugin has several node types ({names}): say which one, `node: NAME`")));
        }
        None => manifest.nodes.keys().next().map_or(&manifest.plugin.name, |name| name),
    };
    let uses = format!("{name}@{}", manifest.plugin.version.major);
    Ok(serde_json::to_string_pretty(&json!({
        "windflow": 1,
        "name": "case",
        "permissions": case.permissions,
        "nodes": {
            GIVEN: { "uses": "log@1", "with": { "message": "given" } },
            TESTED: { "uses": uses, "needs": [GIVEN], "with": case.with },
        },
    }))?)
}

/// The real host, but for the node that gives the input.
struct GivenHost {
    real: Arc<PluginHost>,
    input: Json,
    logs: Arc<Logs>,
}

/// What the tested node logged.
#[derive(Default)]
struct Logs(Mutex<Vec<String>>);

impl Observer for Logs {
    fn log(&self, _: &NodeId, _: u32, _: LogLevel, message: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
    }

    fn progress(&self, _: &NodeId, _: u32, _: Option<f64>, _: &str) {}
}

impl Registry for GivenHost {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.real.get(uses)
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.real.list()
    }
}

impl Host for GivenHost {
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
        match call.ports.first() {
            Some(port) if call.node.as_str() == GIVEN => {
                let emission = Emission { port: port.clone(), output: self.input.clone() };
                Box::pin(std::future::ready(Ok(emission)))
            }
            _ => self.real.execute(Call { observer: self.logs.clone(), ..call }),
        }
    }
}
