//! `windflow test`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use console::style;
use windflow_core::capability::Grants;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::run::Timestamp;
use windflow_host::PluginHost;
use windflow_runtime::{Config, RecordState, Runtime, SimulatedClock, Start, StartError};
use windflow_store::{MemoryFiles, MemoryStore};

use self::case::Case;
use self::mock::MockHost;
use super::document;
use crate::cli::{Global, TestArgs};
use crate::exit::{self, invalid};
use crate::render;

mod case;
mod expect;
pub(crate) mod export;
pub(crate) mod junit;
mod mock;
mod scrub;

/// Where simulated time begins: 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_767_225_600_000);

/// The longest that a case may take, in real time.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// How a case went.
pub(crate) struct Outcome {
    /// The file of the workflow or plugin.
    pub(crate) subject: PathBuf,
    /// The case's name: its file without the ending.
    pub(crate) name: String,
    pub(crate) took: Duration,
    /// What is not as the case expects.
    pub(crate) differences: Vec<String>,
}

pub(crate) fn run(global: &Global, args: &TestArgs) -> anyhow::Result<ExitCode> {
    let host = Arc::new(crate::engine::host(global)?);
    let mut outcomes = Vec::new();
    for path in &args.paths {
        if !path.exists() {
            return Err(invalid(format!("{}: there is no such file or folder", path.display())));
        }
        let workflow = if path.is_dir() { path.join("workflow.yaml") } else { path.clone() };
        let cases = find(&folder(&workflow), args.filter.as_deref())?;
        if cases.is_empty() && args.filter.is_none() {
            return Err(invalid(format!(
                "{} has no cases: write some into {}",
                workflow.display(),
                folder(&workflow).display()
            )));
        }
        for path in cases {
            let began = Instant::now();
            let differences = one(&host, &workflow, &path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let outcome = Outcome { subject: workflow.clone(), name, took: began.elapsed(), differences };
            show(&outcome);
            outcomes.push(outcome);
        }
    }
    if let Some(filter) = args.filter.as_ref().filter(|_| outcomes.is_empty()) {
        return Err(invalid(format!("no case fits --filter {filter}")));
    }
    if let Some(path) = &args.junit {
        std::fs::write(path, junit::report(&outcomes))
            .map_err(|error| invalid(format!("{}: {error}", path.display())))?;
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.differences.is_empty()).count();
    render::line(&format!("{} cases, {failed} failed", outcomes.len()));
    Ok(ExitCode::from(if failed == 0 { 0 } else { exit::FAILED }))
}

fn folder(workflow: &Path) -> PathBuf {
    workflow.parent().unwrap_or(Path::new("")).join("cases")
}

/// The cases of a folder, by name.
pub(crate) fn find(folder: &Path, filter: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"))
        .filter(|path| filter.is_none_or(|filter| path.to_string_lossy().contains(filter)))
        .collect();
    found.sort();
    Ok(found)
}

/// Runs a case offline, in simulated time, in a store that is gone afterwards; what is not as it expects.
fn one(host: &Arc<PluginHost>, workflow: &Path, path: &Path) -> anyhow::Result<Vec<String>> {
    let case = Case::read(path)?;
    let (text, parsed, children) = document::check(workflow, &**host)?.into_valid(workflow)?;
    if let Some(unknown) = case.mocked().find(|node| !parsed.nodes.contains_key(*node)) {
        return Ok(vec![format!("the workflow has no node `{unknown}`, which the case mocks")]);
    }
    let inputs = case.inputs(folder(workflow).parent().unwrap_or(Path::new("")))?;
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mocks = Arc::new(MockHost::new(host.clone(), &case));
    let store = Arc::new(MemoryStore::default());
    let config = Config {
        responder: Some(Arc::new(case.answers.clone())),
        state: Some(Arc::new(RecordState::new(store.clone()))),
        files: Some(Arc::new(MemoryFiles::new())),
        ..Config::new(threads.handle().clone())
    };
    let clock = Arc::new(SimulatedClock::new(BEGINNING));
    let runtime = Runtime::new(store, mocks.clone(), clock, config);
    let report = threads.block_on(async {
        let organisation = OrganisationId::local();
        let start = Start {
            organisation: organisation.clone(),
            document: text,
            inputs,
            extra_grants: Grants::default(),
            started_by: "test".into(),
            children,
            pinned: std::collections::BTreeMap::new(),
            trace: None,
        };
        let started = match runtime.start(start) {
            Ok(started) => started,
            Err(StartError::Invalid(error)) => return Ok(Err(error.problems)),
            Err(error) => return Err(anyhow::Error::new(error)),
        };
        let key = RunKey { organisation, run: started.run };
        let ended = tokio::time::timeout(LONGEST, runtime.wait(&key)).await;
        match ended {
            Ok(ended) => Ok(Ok(ended.map_err(|lost| anyhow::anyhow!("{lost}"))?)),
            Err(_) => Ok(Ok(Arc::new(runtime.report(&key)?))),
        }
    })?;
    threads.shutdown_background();
    Ok(expect::differences(&case, report, &mocks.calls()))
}

pub(crate) fn show(outcome: &Outcome) {
    let sign = if outcome.differences.is_empty() { style("✓").green() } else { style("✗").red() };
    let subject = outcome.subject.display();
    let took = style(format!("{} ms", outcome.took.as_millis())).dim().for_stderr();
    render::line(&format!("{} {subject} › {}  {took}", sign.for_stderr(), outcome.name));
    for difference in &outcome.differences {
        render::line(&format!("    {}", difference.replace('\n', "\n    ")));
    }
}
