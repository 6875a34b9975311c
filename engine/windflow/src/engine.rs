//! Wiring: the adapters that this binary consists of.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use windflow_core::ports::files::FileStore;
use windflow_core::ports::host::Registry;
use windflow_host::{HostConfig, PluginHost};
use windflow_runtime::{Config, RecordState, Runtime, SystemClock};
use windflow_store::{FileOptions, FolderFiles, Options, SledStore};
use windflow_targets::TargetService;

use crate::builtins::{self, BuiltIn};
use crate::cli::Global;
use crate::commands::serve::secrets_key;
use crate::credentials::FromUser;
use crate::exit::invalid;
use crate::installed::Installed;

/// How long a command waits for what is being undone on targets. What is left then is found by whoever asks for it again.
const UNDOING: Duration = Duration::from_secs(90);

/// Everything that commands which touch runs need.
pub(crate) struct Engine {
    pub(crate) store: Arc<SledStore>,
    pub(crate) runtime: Runtime,
    host: Arc<PluginHost>,
    targets: TargetService,
    main: tokio::runtime::Runtime,
    /// Run loops and guests have threads of their own, so that no guest keeps the command from hearing Ctrl-C.
    _guests: tokio::runtime::Runtime,
}

/// A host with all plugins, for runs.
///
/// # Errors
/// Where this machine cannot run WebAssembly, a built-in plugin is broken, or it cannot be read what is installed.
pub(crate) fn host(global: &Global) -> anyhow::Result<PluginHost> {
    let data_dir = data_dir(global)?;
    let cache_dir = Some(cache_dir(global, &data_dir));
    let credentials = Arc::new(FromUser::read(global.credentials.as_deref())?);
    host_of(HostConfig { cache_dir, credentials, ..HostConfig::default() }, Some(&data_dir))
}

/// A host with all plugins that keeps no compiled code: enough to check and show.
///
/// # Errors
/// As [`host`].
pub(crate) fn checker(global: &Global) -> anyhow::Result<PluginHost> {
    host_of(HostConfig::default(), data_dir(global).ok().as_deref())
}

/// A host with the built-in plugins and those that a data folder holds, made as a configuration says.
///
/// # Errors
/// As [`host`].
pub(crate) fn host_of(config: HostConfig, data_dir: Option<&Path>) -> anyhow::Result<PluginHost> {
    let host = PluginHost::new(config)?;
    for BuiltIn { name, digest, bytes } in builtins::COMPONENTS {
        host.install_known(*bytes, *digest).with_context(|| format!("the built-in plugin {name}"))?;
    }
    if let Some(data_dir) = data_dir {
        Installed::open(data_dir)?.load_into(&host)?;
    }
    Ok(host)
}

pub(crate) fn data_dir(global: &Global) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &global.data_dir {
        return Ok(folder.clone());
    }
    directories::ProjectDirs::from("", "", "windflow")
        .map(|folders| folders.data_dir().to_owned())
        .ok_or_else(|| invalid("no home folder is known; say where to keep runs: --data-dir FOLDER"))
}

/// Where compiled code is kept.
pub(crate) fn cache_dir(global: &Global, data_dir: &Path) -> PathBuf {
    global.cache_dir.clone().unwrap_or_else(|| data_dir.join("compiled"))
}

/// The store alone.
///
/// # Errors
/// Where it is in use, damaged, newer than this release or not writable; the message says which.
pub(crate) fn open_store(global: &Global) -> anyhow::Result<SledStore> {
    Ok(SledStore::open(data_dir(global)?.join("store"), Options::default())?)
}

/// The scratch folders of runs, beside the store that knows which runs there are.
pub(crate) fn run_files(data_dir: &Path) -> Arc<dyn FileStore> {
    Arc::new(FolderFiles::new(data_dir.join("files"), FileOptions::default()))
}

impl Engine {
    /// Opens the store and starts the threads.
    ///
    /// # Errors
    /// Where the store is in use, damaged, newer than this release or not writable; the message says which.
    pub(crate) fn open(global: &Global, host: PluginHost) -> anyhow::Result<Self> {
        let store = Arc::new(open_store(global)?);
        let main = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let guests = tokio::runtime::Builder::new_multi_thread().thread_name("guests").enable_all().build()?;
        let keys = secrets_key::read_or_make(&*store, &data_dir(global)?, None)?;
        let targets = crate::deploying::targets(store.clone(), &keys)?;
        host.set_targets(Arc::new(targets.clone()));
        let state = Arc::new(RecordState::new(store.clone()));
        let files = Some(run_files(&data_dir(global)?));
        let config = Config { state: Some(state), files, ..Config::new(guests.handle().clone()) };
        let host = Arc::new(host);
        let runtime = Runtime::new(store.clone(), host.clone(), Arc::new(SystemClock), config);
        runtime.sweep_files();
        Ok(Self { store, runtime, host, targets, main, _guests: guests })
    }

    /// The node types that are installed.
    pub(crate) fn registry(&self) -> &dyn Registry {
        &*self.host
    }

    /// Runs the command's own work. What attempts that were torn off had begun on targets is undone before this returns.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.main.block_on(async {
            let done = work.await;
            let _ = tokio::time::timeout(UNDOING, self.targets.settled()).await;
            done
        })
    }
}
