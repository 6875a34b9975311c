//! What all handlers share.

use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, watch};
use windflow_core::ports::fetch::Fetch;
use windflow_core::ports::host::Registry;
use windflow_core::ports::plugins::Plugins;
use windflow_core::ports::records::Records;
use windflow_core::ports::store::Store;
use windflow_core::ports::traces::Traces;
use windflow_core::run::Timestamp;
use windflow_marketplace::bundle::Bundle;
use windflow_runtime::{Clock, Runtime};
use windflow_stacks::driver::Drivers;
use windflow_stacks::keys::Keys;

use crate::active::Active;
use crate::credentials::CredentialStore;
use crate::deploying::Books;
use crate::limits::Limits;
use crate::live::Feed;
use crate::marketplace::Marketplace;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::people::People;
use crate::presence::Presence;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::watching::Watching;

/// What a server stands on. The binary says which adapters these are.
#[derive(Clone)]
pub struct Ports {
    /// Runs.
    pub store: Arc<dyn Store>,
    /// Everything beside runs.
    pub records: Arc<dyn Records>,
    /// The installed node types.
    pub registry: Arc<dyn Registry>,
    /// Changes which they are.
    pub plugins: Arc<dyn Plugins>,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
    /// Starts runs; over the same store, registry and clock.
    pub runtime: Runtime,
    /// Reach targets.
    pub drivers: Arc<dyn Drivers>,
    /// The credentials that the host of the runtime adds to requests.
    pub credentials: CredentialStore,
    /// The templates that the binary brings along.
    pub templates: Bundle,
    /// Gets the templates of other registries.
    pub fetch: Arc<dyn Fetch>,
    /// Encrypt secrets at rest.
    pub secrets_keys: Keys,
    /// Is told what runs did, as the runtime has it; none where nobody collects traces.
    pub traces: Option<Arc<dyn Traces>>,
}

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<dyn Held>);

/// The state behind a name: that all in it may be shared between threads is proven once, and not by each handler that holds it.
pub(crate) trait Held: Send + Sync {
    fn inner(&self) -> &Inner;
}

impl Held for Inner {
    fn inner(&self) -> &Inner {
        self
    }
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) plugins: Arc<dyn Plugins>,
    /// Places for plugins that are sent.
    pub(crate) packages: Arc<Semaphore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runtime: Runtime,
    pub(crate) people: People,
    pub(crate) secrets: Secrets,
    pub(crate) drivers: Arc<dyn Drivers>,
    pub(crate) books: Books,
    pub(crate) credentials: CredentialStore,
    pub(crate) marketplace: Marketplace,
    pub(crate) traces: Option<Arc<dyn Traces>>,
    pub(crate) active: Active,
    pub(crate) feed: Feed,
    pub(crate) notices: Notices,
    pub(crate) presence: Presence,
    pub(crate) watching: Watching,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    /// Places for live streams.
    pub(crate) streams: Arc<Semaphore>,
    /// Every unfinished run was taken up and every trigger is watched.
    pub(crate) started: AtomicBool,
    /// True once the server is to stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        self.0.inner()
    }
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// For what the state itself holds.
    pub(crate) fn weak(&self) -> Weak<dyn Held> {
        Arc::downgrade(&self.0)
    }

    /// The state, as long as there is one.
    pub(crate) fn of_weak(weak: &Weak<dyn Held>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns once the server is to stop.
    pub(crate) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // The sender is gone only when the server is.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// Does work that may wait for the disk or compute for a while, where it holds up nobody else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, crate::problem::Problem> {
    tokio::task::spawn_blocking(work).await.map_err(crate::problem::Problem::internal)
}
