//! `windflow doctor`: whether this machine and this data folder are fit to work with, and what to do where they are not.

use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use console::style;
use serde::Serialize;
use windflow_core::capability::Grants;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::ports::host::Registry;
use windflow_core::ports::store::StoreError;
use windflow_runtime::{Config, Runtime, Start, SystemClock};
use windflow_server::is_known_key;
use windflow_stacks::driver::Drivers;
use windflow_stacks::target::Credentials;
use windflow_store::{MemoryStore, Options, SledStore};
use windflow_targets::AllDrivers;

use crate::cli::{DoctorArgs, Global};
use crate::commands::serve::secrets_key;
use crate::engine::{data_dir, host};
use crate::installed::Installed;
use crate::{exit, render};

/// A store needs room for a second copy of itself, and runs need some.
const ROOM: u64 = 1 << 30;
/// Each stream of events and each connection is an open file.
const OPEN_FILES: u64 = 4096;
/// How long anything outside may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    /// It works, with something to know.
    Note,
    Bad,
}

/// What was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Good, detail: detail.into(), remedy: None }
    }

    fn note(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Note, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    fn bad(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Bad, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

pub(crate) fn run(global: &Global, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let data_dir = data_dir(global)?;
    let mut findings = vec![Finding::good("release", format!("windflow {}", env!("CARGO_PKG_VERSION")))];
    findings.extend(folder(&data_dir));
    let (finding, store) = store(&data_dir);
    findings.push(finding);
    findings.push(secrets(&data_dir, store.as_ref()));
    drop(store);
    findings.push(plugins(&data_dir));
    findings.push(sandbox(global));
    findings.push(editor());
    findings.push(open_files());
    findings.push(docker());
    if args.json {
        render::json(&findings)?;
    } else {
        findings.iter().for_each(show);
    }
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if bad { ExitCode::from(exit::FAILED) } else { ExitCode::SUCCESS })
}

fn show(finding: &Finding) {
    let sign = match finding.verdict {
        Verdict::Good => style("✓").green(),
        Verdict::Note => style("!").yellow(),
        Verdict::Bad => style("✗").red(),
    };
    render::line(&format!("{} {:<12} {}", sign.for_stderr(), finding.what, finding.detail));
    if let Some(remedy) = &finding.remedy {
        render::line(&format!("  {:<12} = {remedy}", ""));
    }
}

fn folder(data_dir: &Path) -> Vec<Finding> {
    let shown = data_dir.display();
    let probe = || -> std::io::Result<()> {
        std::fs::create_dir_all(data_dir)?;
        let file = data_dir.join(".doctor");
        std::fs::write(&file, "x")?;
        std::fs::remove_file(file)
    };
    if let Err(error) = probe() {
        let remedy = "make it a folder that this user may write, or name another one with --data-dir";
        return vec![Finding::bad("data folder", format!("{shown} cannot be written: {error}"), remedy)];
    }
    let room = rustix::fs::statvfs(data_dir).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    let room = match room {
        Ok(room) if room >= ROOM => Finding::good("room", format!("{} free", render::bytes(room))),
        Ok(room) => Finding::note(
            "room",
            format!("only {} free", render::bytes(room)),
            "make room on the disk: a full one makes the store read-only, and a compaction needs room for a copy",
        ),
        Err(error) => Finding::note("room", format!("cannot be told: {error}"), "look after the disk yourself"),
    };
    vec![Finding::good("data folder", shown.to_string()), room]
}

/// How the store is, and the store where it is to be had.
fn store(data_dir: &Path) -> (Finding, Option<SledStore>) {
    let dir = data_dir.join("store");
    if !dir.exists() {
        return (Finding::good("store", "none yet; the first run makes it"), None);
    }
    let looked = SledStore::open(&dir, Options::default()).and_then(|store| Ok((store.stats()?, store)));
    let (stats, store) = match looked {
        Ok((stats, store)) => (Ok(stats), Some(store)),
        Err(error) => (Err(error), None),
    };
    let finding = match stats {
        Ok(stats) => Finding::good(
            "store",
            format!(
                "{} runs, {} of them not ended; {} on disk",
                stats.runs,
                stats.unfinished,
                render::bytes(stats.disk_bytes)
            ),
        ),
        Err(StoreError::Unavailable(why)) if why.contains("another windflow") => {
            Finding::good("store", "in use by a server or another command")
        }
        Err(error) => Finding::bad("store", error.to_string(), "`windflow store check` says how far it goes"),
    };
    (finding, store)
}

fn secrets(data_dir: &Path, store: Option<&SledStore>) -> Finding {
    let keys = secrets_key::read(data_dir, None);
    if let (Ok(keys), Some(store)) = (&keys, store)
        && matches!(is_known_key(store, keys.as_ref()), Ok(false))
    {
        return Finding::bad(
            "secrets",
            "what is kept was encrypted with another key",
            "put back the key that it was encrypted with",
        );
    }
    match keys {
        Ok(None) => Finding::good("secrets", "no key yet; the server makes one at its first start"),
        Ok(Some(keys)) => match others_may_read(&data_dir.join("secrets.key")) {
            true => Finding::bad("secrets", "others on this machine may read the key", "chmod 600 secrets.key"),
            false if !keys.former().is_empty() => Finding::note(
                "secrets",
                "getting another key was cut off; everything can be read",
                "`windflow secrets rotate-key` goes on with it",
            ),
            false => Finding::good("secrets", "there is a key; keep a copy of it somewhere else"),
        },
        Err(error) => Finding::bad("secrets", format!("{error:#}"), "put the key back from where you keep its copy"),
    }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Ok(file) => file.permissions().mode() & 0o077 != 0,
        // It comes from the environment.
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

/// Whether what was installed is still what was agreed to.
fn plugins(data_dir: &Path) -> Finding {
    let remedy = "install it again, or `windflow plugins remove` it";
    let installed = match Installed::open(data_dir) {
        Ok(installed) => installed,
        Err(error) => {
            return Finding::bad("plugins", format!("{error:#}"), "move the record away, and install them again");
        }
    };
    for entry in installed.entries() {
        if let Err(error) = installed.read(&entry.component) {
            return Finding::bad("plugins", format!("{}: {error:#}", entry.name), remedy);
        }
    }
    Finding::good(
        "plugins",
        match installed.entries().len() {
            0 => "none installed beside those of this binary".to_owned(),
            count => format!("{count} installed, as they were agreed to"),
        },
    )
}

/// Runs a node for real, and keeps nothing of it.
fn sandbox(global: &Global) -> Finding {
    let tried = || -> anyhow::Result<usize> {
        let host = Arc::new(host(global)?);
        let types = host.list().len();
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let store = Arc::new(MemoryStore::default());
        let runtime = Runtime::new(store, host, Arc::new(SystemClock), Config::new(threads.handle().clone()));
        let organisation = OrganisationId::local();
        let document = "windflow: 1\nname: doctor\nnodes:\n  say: { uses: condition@1, with: { if: true } }\n";
        let start = Start {
            organisation: organisation.clone(),
            document: document.to_owned(),
            inputs: serde_json::Map::new(),
            extra_grants: Grants::default(),
            started_by: "doctor".to_owned(),
            children: windflow_core::workflow::Children::default(),
            pinned: std::collections::BTreeMap::new(),
            trace: None,
        };
        let run = runtime.start(start)?.run;
        let key = RunKey { organisation, run };
        let report = threads.block_on(async { tokio::time::timeout(PATIENCE, runtime.wait(&key)).await });
        threads.shutdown_background();
        let report = report.context("a node did not end in time")?.map_err(|lost| anyhow::anyhow!("{lost}"))?;
        if let Some(failure) = &report.error {
            bail!("a node failed: {}", failure.failure.message);
        }
        Ok(types)
    };
    match tried() {
        Ok(types) => Finding::good("sandbox", format!("a node ran; {types} node types are installed")),
        Err(error) => Finding::bad(
            "sandbox",
            format!("{error:#}"),
            "WebAssembly needs memory that may be executed: look at what confines this process (seccomp, SELinux, ulimit -v)",
        ),
    }
}

fn editor() -> Finding {
    match windflow_server::has_editor() {
        true => Finding::good("editor", "in the binary"),
        false => Finding::note("editor", "not in this build", "build it with `make editor`, then the binary again"),
    }
}

fn open_files() -> Finding {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    if most >= OPEN_FILES {
        return Finding::good(
            "open files",
            if most == u64::MAX { "no limit".to_owned() } else { format!("{most} at most") },
        );
    }
    let remedy = format!("raise it before you serve many people: ulimit -n {OPEN_FILES}, or LimitNOFILE of systemd");
    Finding::note("open files", format!("{most} at most"), remedy)
}

fn docker() -> Finding {
    const ADDRESS: &str = "unix:///var/run/docker.sock";
    let asked = || -> anyhow::Result<String> {
        let main = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let facts = async {
            let driver = AllDrivers.connect(ADDRESS, &Credentials::default()).await?;
            driver.facts().await
        };
        let asked = main.block_on(async { tokio::time::timeout(PATIENCE, facts).await });
        Ok(asked.context("it does not answer")?.map_err(|error| anyhow::anyhow!("{error}"))?.engine)
    };
    match asked() {
        Ok(engine) => Finding::good("docker", format!("{engine} on this machine")),
        Err(error) => Finding::note(
            "docker",
            format!("{error:#}"),
            "needed only to deploy to this machine; other targets are described with `windflow targets add`",
        ),
    }
}
