//! The host itself: plugins, the engine, and the core's ports.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use windflow_core::capability::Capability;
use windflow_core::failure::{Failure, FailureKind};
use windflow_core::id::{Digest, NodeTypeRef};
use windflow_core::ports::credentials::Credentials;
use windflow_core::ports::host::{Call, Emission, Host, InstalledNodeType, Registry};
use windflow_core::ports::store::BoxFuture;
use windflow_core::ports::targets::Targets;

use crate::attempt;
use crate::cache::Cache;
use crate::capability::credentials::Tokens;
use crate::capability::http::{Sender, TlsRoots};
use crate::code::{self, Code, Unloadable};
use crate::config::HostConfig;
use crate::limits::Limits;
use crate::load::{self, LoadError};
use crate::plugin::Plugin;
use crate::registry::Plugins;
use crate::ticker::Ticker;

/// Runs the node types of WebAssembly components, each attempt in a sandbox of its own. Cheap to clone.
///
/// Attempts run on the threads that poll them, and give way every few milliseconds. An attempt's time counts from when its
/// component is loaded and a sandbox is free.
#[derive(Clone)]
pub struct PluginHost(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    plugins: Plugins,
    slots: Semaphore,
    ticker: Ticker,
}

/// What attempts of all plugins use.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    pub(crate) cache: Option<Cache>,
    pub(crate) sender: Arc<Sender>,
    pub(crate) roots: TlsRoots,
    pub(crate) denied: BTreeSet<Capability>,
    pub(crate) targets: OnceLock<Arc<dyn Targets>>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) tokens: Arc<Tokens>,
}

/// A component that was read and compiled, and that is not offered yet.
pub struct Compiled(Arc<Plugin>);

/// The host could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// This machine cannot run WebAssembly, or has no memory for it.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// A thread could not be started.
    #[error("the host cannot start its thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl PluginHost {
    /// A host without plugins.
    ///
    /// # Errors
    /// Where the machine cannot run WebAssembly. A cache that cannot be used is only a warning.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let HostConfig { cache_dir, limits, http_policy, denied, credentials, resolver, tls_roots, dialler } = config;
        let engine = crate::engine::build(&limits).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let cache = cache_dir.and_then(|folder| Cache::open(&folder, &engine));
        let slots = crate::engine::slots(&engine, &limits);
        let ticker = Ticker::start(&engine)?;
        let roots = tls_roots.clone();
        let sender = Sender::new(http_policy, resolver, tls_roots, limits.http.clone());
        let sender = Arc::new(sender.over(dialler));
        let tokens = Arc::new(Tokens::new(Arc::clone(&sender), Arc::clone(&credentials)));
        let targets = OnceLock::new();
        let shared = Arc::new(Shared { engine, limits, cache, sender, roots, denied, credentials, tokens, targets });
        let inner = Inner { shared, plugins: Plugins::default(), slots: Semaphore::new(slots), ticker };
        Ok(Self(Arc::new(inner)))
    }

    /// Installs a component. It is read and checked, not compiled: that happens at its first attempt, or by
    /// [`PluginHost::prepare`]. Installing the same component again changes nothing; another version of a plugin takes over
    /// its node types, while runs that pinned the former one keep it.
    ///
    /// # Errors
    /// A [`LoadError`] that says what is wrong with the component.
    pub fn install(&self, component: impl Into<Bytes>) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, LoadError> {
        self.add(component.into(), None)
    }

    /// The same, of bytes whose digest is known, such as those that are part of a program: they need not be read whole.
    ///
    /// # Errors
    /// As [`PluginHost::install`].
    pub fn install_known(
        &self,
        component: impl Into<Bytes>,
        digest: Digest,
    ) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, LoadError> {
        self.add(component.into(), Some(digest))
    }

    fn add(&self, component: Bytes, known: Option<Digest>) -> Result<Vec<(NodeTypeRef, InstalledNodeType)>, LoadError> {
        let plugin = load::read(component, known, self.0.shared.limits.component_bytes)?;
        let plugin = self.0.plugins.add(plugin)?;
        Ok(plugin.node_types().collect())
    }

    /// Keeps a component for runs that pinned it, and for them only: it offers nothing to new runs.
    ///
    /// # Errors
    /// As [`PluginHost::install`].
    pub fn keep(&self, component: impl Into<Bytes>) -> Result<(), LoadError> {
        let plugin = load::read(component.into(), None, self.0.shared.limits.component_bytes)?;
        self.0.plugins.keep(plugin);
        Ok(())
    }

    /// Reads, checks and compiles a component, so that it can be offered at once, and offers it to nobody yet. Takes as long
    /// as compiling does: call it on a thread that may block.
    ///
    /// # Errors
    /// As [`PluginHost::install`], and where its code is not valid or does not fit the contract.
    pub fn compile_new(&self, component: impl Into<Bytes>) -> Result<Compiled, LoadError> {
        let mut plugin = load::read(component.into(), None, self.0.shared.limits.component_bytes)?;
        if let Some(known) = self.0.plugins.by_digest(&plugin.digest).filter(|known| known.code.get().is_some()) {
            return Ok(Compiled(known));
        }
        let Shared { engine, cache, .. } = &*self.0.shared;
        let code = code::load(engine, cache.as_ref(), &plugin).map_err(|why| LoadError::Code(why.to_string()))?;
        let _ = plugin.code.set(Ok(code));
        // Nobody needs them any more: a server may be given many.
        plugin.bytes = Bytes::new();
        Ok(Compiled(Arc::new(plugin)))
    }

    /// Whether a compiled component can be offered as it is now.
    ///
    /// # Errors
    /// [`LoadError::Taken`]: another plugin offers one of its node types.
    pub fn may_offer(&self, compiled: &Compiled) -> Result<(), LoadError> {
        self.0.plugins.refuse_taken(&compiled.0)
    }

    /// Offers a compiled component to whatever begins from now on, in the place of any other version of the same plugin and
    /// major number. What pinned that one keeps it.
    ///
    /// # Errors
    /// [`LoadError::Taken`]: another plugin offers one of its node types. Then nothing has changed.
    pub fn offer(&self, compiled: &Compiled) -> Result<(), LoadError> {
        self.0.plugins.put(&compiled.0)
    }

    /// Offers the node types of a plugin to nobody who begins from now on. What pinned it keeps it, as long as this host is.
    pub fn withdraw(&self, plugin: &str, major: u64) {
        self.0.plugins.withdraw(plugin, major);
    }

    /// Says who does what nodes ask of targets; whoever is said first. Until then, such nodes fail.
    pub fn set_targets(&self, targets: Arc<dyn Targets>) {
        let _ = self.0.shared.targets.set(targets);
    }

    /// Loads or compiles the code of components on threads that may block, so that their first attempts need not wait.
    /// Returns once all are done; failures are told by the attempts.
    pub async fn prepare(&self, components: impl IntoIterator<Item = Digest>) {
        let mut tasks = tokio::task::JoinSet::new();
        for plugin in components.into_iter().filter_map(|digest| self.0.plugins.by_digest(&digest)) {
            let host = self.clone();
            tasks.spawn(async move { host.0.code(&plugin).await.map(drop) });
        }
        tasks.join_all().await;
    }
}

impl PluginHost {
    /// Compiles an installed component, or loads what was compiled, and so tells whether it can run here.
    ///
    /// # Errors
    /// Why it cannot: its code is not valid, or it does not fit the contract.
    pub async fn compile(&self, component: &Digest) -> Result<(), String> {
        let plugin = self.0.plugins.by_digest(component).ok_or("the component is not installed")?;
        self.0.code(&plugin).await.map(drop).map_err(|error| error.to_string())
    }
}

impl Inner {
    async fn code(&self, plugin: &Arc<Plugin>) -> Result<Arc<Code>, Unloadable> {
        if let Some(code) = plugin.code.get() {
            return code.clone();
        }
        let load = || async {
            let (shared, loading) = (Arc::clone(&self.shared), Arc::clone(plugin));
            let task = tokio::task::spawn_blocking(move || code::load(&shared.engine, shared.cache.as_ref(), &loading));
            task.await.unwrap_or_else(|error| Err(Unloadable::panicked(&error)))
        };
        plugin.code.get_or_init(load).await.clone()
    }

    async fn execute(&self, call: Call) -> Result<Emission, Failure> {
        let Some(plugin) = self.plugins.by_digest(&call.component).filter(|plugin| plugin.offers(&call.uses)) else {
            return Err(not_installed(&call, self.plugins.by_name(&call.uses)));
        };
        let begin = async {
            let code = self.code(&plugin).await;
            let code = code.map_err(|error| Failure::new(FailureKind::Unavailable, error.to_string()))?;
            let slot = self.slots.acquire().await;
            Ok((code, slot.map_err(|_| Failure::new(FailureKind::Unavailable, "the host is shutting down"))?))
        };
        let Some(begun) = attempt::unless_cancelled(&*call.cancel, begin).await else {
            return Err(attempt::cancelled_before());
        };
        let (code, slot) = begun?;
        let active = self.ticker.active();
        let result = attempt::run(&self.shared, &plugin, &code, call).await;
        drop((active, slot));
        result
    }
}

fn not_installed(call: &Call, other: Option<InstalledNodeType>) -> Failure {
    let (uses, pinned) = (&call.uses, &call.component);
    let message = match other {
        Some(other) => format!(
            "the run began with the component {pinned} of {uses}, but {} is installed; install that version again, or start a new run",
            other.component
        ),
        None => format!("no installed plugin offers {uses} (component {pinned}); install it and resume the run"),
    };
    Failure::new(FailureKind::Unavailable, message)
}

impl Registry for PluginHost {
    fn get(&self, uses: &NodeTypeRef) -> Option<InstalledNodeType> {
        self.0.plugins.by_name(uses)
    }

    fn list(&self) -> Vec<(NodeTypeRef, InstalledNodeType)> {
        self.0.plugins.list()
    }

    fn snapshot(&self) -> Option<Arc<dyn Registry>> {
        Some(self.0.plugins.snapshot())
    }
}

impl Host for PluginHost {
    fn execute(&self, call: Call) -> BoxFuture<'_, Result<Emission, Failure>> {
        Box::pin(self.0.execute(call))
    }
}
