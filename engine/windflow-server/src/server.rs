//! The server as a whole: opened, running, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use windflow_core::ports::retention::{self, Keep};
use windflow_core::ports::store::Position;
use windflow_core::run::Timestamp;

use crate::active::Active;
use crate::deploying::Books;
use crate::limits::Limits;
use crate::live::Feed;
use crate::marketplace::{Marketplace, registries};
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::people::People;
use crate::plugins;
use crate::presence::Presence;
use crate::problem::Problem;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::state::{App, Inner, Ports, blocking};
use crate::traces::Telling;
use crate::watching::Watching;
use crate::{accept, api, audit, events, known_key, live, recovery, scheduler};

/// How often what nobody needs any more is taken away.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Runs that are deleted in one go.
const PRUNED_TOGETHER: usize = 500;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened to.
    #[error("cannot listen to {address}: {error}. Is another server running there? Name another address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// What is kept cannot be read or written.
    #[error("{0}")]
    Open(String),
}

impl From<Problem> for ServerError {
    fn from(problem: Problem) -> Self {
        Self::Open(problem.to_string())
    }
}

/// A server that listens and has not begun to answer.
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Opens what the server keeps, and listens.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn open(settings: Settings, ports: Ports) -> Result<Self, ServerError> {
        let address = settings.listen;
        let listen = |error| ServerError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopping) = watch::channel(false);
        let Ports { store, records, registry, plugins, clock, runtime, drivers, credentials, .. } = ports;
        let Ports { templates, fetch, secrets_keys, traces, .. } = ports;
        known_key::keep(&*records, &secrets_keys, false).await?;
        let app = App::new(Inner {
            people: People::open(Arc::clone(&records)).await?,
            secrets: Secrets::new(Arc::clone(&records), &secrets_keys)?,
            books: Books::new(Arc::clone(&records), &secrets_keys)?,
            drivers,
            credentials,
            marketplace: Marketplace::open(templates, fetch)?,
            traces,
            active: Active::default(),
            feed: Feed::new(clock.now()),
            notices: Notices::default(),
            presence: Presence::default(),
            watching: Watching::default(),
            metrics: Metrics::new()?,
            limits: Limits::new(settings.rate_limit),
            streams: Arc::new(Semaphore::new(settings.max_streams)),
            started: AtomicBool::new(false),
            stopping,
            settings,
            store,
            records,
            registry,
            plugins,
            packages: Arc::new(Semaphore::new(plugins::AT_ONCE)),
            clock,
            runtime,
        });
        app.runtime.tell_events(Arc::new(events::Publisher::of(&app)));
        Ok(Self { app, listener, address, stop })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The one-time token that makes the first person, where there is nobody yet.
    #[must_use]
    pub fn setup_token(&self) -> Option<String> {
        self.app.people.setup_token()
    }

    /// Answers until `until` returns, then stops: no new connection, no new run by a trigger; requests and runs that are
    /// under way end within the bound of the settings. What has not ended goes on after the next start.
    pub async fn run(self, until: impl Future<Output = ()> + Send) {
        let Self { app, listener, stop, .. } = self;
        let mut tasks = tokio::task::JoinSet::new();
        let starting = app.clone();
        tasks.spawn(live::watch(app.clone()));
        let traces = Telling::start(&app);
        tasks.spawn(async move {
            match recovery::recover(&starting).await {
                Ok(()) => {
                    starting.started.store(true, Ordering::Release);
                    tokio::join!(
                        scheduler::watch(starting.clone()),
                        events::watch(starting.clone()),
                        recovery::grow_steady(&starting),
                        prune(starting.clone())
                    );
                }
                Err(problem) => tracing::error!(%problem, "the server could not take up what it had left"),
            }
        });
        let router = api::router(app.clone());
        let accepting = accept::serve(listener, router, app.clone());
        tokio::pin!(accepting);
        tokio::select! {
            () = &mut accepting => {}
            () = until => {}
        }
        tracing::info!("stopping");
        stop.send_replace(true);
        let bound = tokio::time::sleep(app.settings.shutdown_timeout);
        tokio::pin!(bound);
        let end = async {
            accepting.await;
            while tasks.join_next().await.is_some() {}
            drain(&app).await;
            readers_are_gone(&app).await;
        };
        tokio::select! {
            () = end => {}
            () = &mut bound => tracing::warn!(runs = app.runtime.working_runs().len(), "what has not ended goes on after the next start"),
        }
        if let Some(traces) = traces {
            traces.finish().await;
        }
        // What was acknowledged is durable already; this is for what nobody waited for.
        if let Err(error) = app.store.durable(Position::LATEST).await {
            tracing::error!(%error, "the store could not be brought up to date");
        }
    }
}

/// Waits until no run is under way.
async fn drain(app: &App) {
    let mut turns = app.runtime.turns();
    while !app.runtime.working_runs().is_empty() {
        let _ = tokio::time::timeout(Duration::from_millis(200), turns.next()).await;
    }
}

/// Waits until all that watch were told why they hear no more. WebSockets have left their connections, which therefore wait for none.
async fn readers_are_gone(app: &App) {
    let all = u32::try_from(app.settings.max_streams).unwrap_or(u32::MAX);
    // It is never closed.
    let _ = app.streams.acquire_many(all).await;
}

/// Takes away, from time to time, what nobody needs any more.
async fn prune(app: App) {
    loop {
        let all = app.clone();
        if let Err(problem) = blocking(move || prune_all(&all)).await.and_then(|pruned| pruned) {
            tracing::warn!(%problem, "what is out of date could not be taken away");
        }
        let rest = async {
            if let Err(problem) = registries::refresh_all(&app).await {
                tracing::warn!(%problem, "registries could not be brought up to date");
            }
            tokio::time::sleep(PRUNE_EVERY).await;
        };
        tokio::select! {
            () = rest => {}
            () = app.stopped() => return,
        }
    }
}

fn prune_all(app: &App) -> Result<(), Problem> {
    let now = app.now();
    let before = |keep: Duration| {
        let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        (keep > 0).then(|| Timestamp(now.0.saturating_sub(keep)))
    };
    for organisation in crate::people::organisations(&*app.records)? {
        app.people.prune(&organisation.id, now)?;
        crate::launch::prune(app, &organisation.id)?;
        crate::dead_letters::prune(app, &organisation.id)?;
        if let Some(before) = before(app.settings.keep_audit) {
            audit::prune(app, &organisation.id, before)?;
        }
        let Some(ended_since) = before(app.settings.keep_runs) else { continue };
        let keep = Keep { ended_since: Some(ended_since), ..Keep::default() };
        loop {
            let pruned = retention::prune(&*app.store, &organisation.id, &keep, PRUNED_TOGETHER)?;
            if pruned.deleted > 0 {
                tracing::info!(runs = pruned.deleted, "deleted runs that are older than they are to be kept");
            }
            // A server that is to stop does not finish this first; the next one goes on.
            if !pruned.more || *app.stopping.borrow() {
                break;
            }
        }
    }
    Ok(())
}
