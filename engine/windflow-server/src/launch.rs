//! Starting runs, each cause once.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use windflow_core::capability::Grants;
use windflow_core::id::{Digest, NodeId, OrganisationId, RunId, RunKey};
use windflow_core::ports::records::{Expected, RecordsError};
use windflow_core::ports::store::StoreError;
use windflow_core::run::{Emitted, Timestamp};
use windflow_core::trace::TraceContext;
use windflow_runtime::{InvalidStart, Start, StartError};

use crate::problem::{Answer, Problem};
use crate::state::App;
use crate::{children, kept};

/// How long a key of a start is remembered, in milliseconds.
const REMEMBERED: u64 = 48 * 3600 * 1000;

/// Begins the name of whoever tries a workflow, with data that was pinned. What becomes of such a run is news to nobody else.
pub(crate) const TEST: &str = "test:";

/// Longest key.
const MAX_KEY_BYTES: usize = 200;

/// What became of a start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launched {
    pub(crate) run: RunId,
    /// It is the run that the same key started before.
    pub(crate) repeated: bool,
}

/// A start that was asked for under a key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Promise {
    pub(crate) run: RunId,
    /// Of everything that was asked for, so that the same key for something else is noticed.
    asked: Digest,
    pub(crate) at: Timestamp,
    /// Whether it was made before.
    #[serde(skip)]
    pub(crate) repeated: bool,
}

/// What is to be started.
pub(crate) struct Launch {
    pub(crate) organisation: OrganisationId,
    pub(crate) document: String,
    pub(crate) inputs: Map<String, Value>,
    /// What nodes put out without being run.
    pub(crate) pinned: BTreeMap<NodeId, Emitted>,
    /// Who or what starts it: `user:…`, `webhook:…`, `cron:…`.
    pub(crate) by: String,
    /// The work of another program that it is part of.
    pub(crate) trace: Option<TraceContext>,
}

impl Launch {
    pub(crate) fn new(
        organisation: &OrganisationId,
        document: impl Into<String>,
        inputs: Map<String, Value>,
        by: String,
    ) -> Self {
        let (organisation, document) = (organisation.clone(), document.into());
        Self { organisation, document, inputs, pinned: BTreeMap::new(), by, trace: None }
    }

    /// All that is asked for.
    pub(crate) fn asked(&self) -> Answer<Digest> {
        let pinned = serde_json::to_string(&self.pinned).map_err(Problem::internal)?;
        let inputs = serde_json::to_string(&self.inputs).map_err(Problem::internal)?;
        Ok(Digest::of(format!("{}\0{inputs}\0{pinned}\0{}", self.document, self.by).as_bytes()))
    }
}

fn start(app: &App, launch: Launch, run: RunId) -> Result<windflow_runtime::Started, StartError> {
    let children = children::of(app, &launch.organisation, &launch.document).map_err(InvalidStart::of_document)?;
    let kind = launch.by.split(':').next().unwrap_or_default().to_owned();
    let started = app.runtime.start_as(
        Start {
            organisation: launch.organisation,
            document: launch.document,
            inputs: launch.inputs,
            // What the operator allows beyond the document is nothing.
            extra_grants: Grants::default(),
            started_by: launch.by,
            children,
            pinned: launch.pinned,
            trace: launch.trace,
        },
        run,
    )?;
    app.metrics.runs_started.with_label_values(&[&kind]).inc();
    Ok(started)
}

/// Starts a run; durable when it returns.
pub(crate) async fn launch(app: &App, what: Launch) -> Answer<Launched> {
    let run = app.clock.new_run_id();
    let started = start(app, what, run)?;
    app.runtime.durable(started.position).await?;
    Ok(Launched { run, repeated: false })
}

/// Starts a run that whoever awaits its end is told of no earlier: its end is durable together with its beginning.
pub(crate) fn launch_awaited(app: &App, what: Launch) -> Answer<RunId> {
    let run = app.clock.new_run_id();
    start(app, what, run)?;
    Ok(run)
}

/// Starts a run under an id that follows from its cause; durable when it returns. True: it was started before.
pub(crate) async fn launch_as(app: &App, what: Launch, run: RunId) -> Result<bool, StartError> {
    match start(app, what, run) {
        Ok(started) => {
            app.runtime.durable(started.position).await?;
            Ok(false)
        }
        Err(StartError::Exists(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

fn promise_key(key: &str) -> String {
    // Keys may be anything; what they are kept under has bounds of its own.
    format!("idempotency/{}", Digest::of(key.as_bytes()))
}

/// The key that a request was sent with.
pub(crate) fn key_of(headers: &HeaderMap) -> Answer<Option<&str>> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES).map(Some).ok_or_else(|| {
        let detail = format!("`Idempotency-Key` has 1 to {MAX_KEY_BYTES} characters, all of them ASCII");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail)
    })
}

/// What a key stands for: kept before anything is started, and the same whenever the key is shown again.
pub(crate) fn promise(app: &App, organisation: &OrganisationId, key: &str, asked: Digest) -> Answer<Promise> {
    let place = promise_key(key);
    let promise = Promise { run: app.clock.new_run_id(), asked, at: app.now(), repeated: false };
    let promise = match app.records.put(organisation, &place, Expected::Absent, kept::encode(&promise)?) {
        Ok(_) => promise,
        Err(RecordsError::Conflict { .. }) => kept::read::<Promise>(&*app.records, organisation, &place)?
            .map(|kept| Promise { repeated: true, ..kept.value })
            .ok_or_else(|| Problem::conflict("conflict", "this key is being forgotten at this moment; ask again"))?,
        Err(error) => return Err(error.into()),
    };
    if promise.asked != asked {
        return Err(Problem::invalid("idempotency_key_reused", "this key was used before, to start something else")
            .remedy("use a new key for each start, and the same one only to ask for the same again"));
    }
    Ok(promise)
}

/// Starts a run once for a key, whatever happens in between: the id is kept before the run begins, and a run begins once. `asked` is what
/// has to be the same whenever the key is shown again.
pub(crate) async fn launch_once(app: &App, what: Launch, key: &str, asked: Digest) -> Answer<Launched> {
    let organisation = what.organisation.clone();
    let promise = promise(app, &organisation, key, asked)?;
    // The promise stands before the run in the order of the journal: once the run is durable, so is the promise.
    match launch_as(app, what, promise.run).await {
        Ok(repeated) => {
            let run = RunKey { organisation, run: promise.run };
            if repeated {
                // It may have been started a moment ago by another who asked.
                app.runtime.durable(windflow_core::ports::store::Position::LATEST).await?;
                tracing::debug!(run = %run.run, "a start was asked for again");
            }
            Ok(Launched { run: promise.run, repeated })
        }
        Err(error) => {
            // Nothing was started: the same key may ask again, better.
            if matches!(error, StartError::Invalid(_)) {
                app.records.delete(&organisation, &promise_key(key), Expected::Any)?;
            }
            Err(error.into())
        }
    }
}

/// Forgets keys whose time has passed.
pub(crate) fn prune(app: &App, organisation: &OrganisationId) -> Result<(), StoreError> {
    let now = app.now();
    let mut after = None::<String>;
    loop {
        let page = app.records.scan(organisation, "idempotency/", after.as_deref(), 500)?;
        for stored in &page.items {
            let old = serde_json::from_slice::<Promise>(&stored.value)
                .map_or(true, |promise| now.0.saturating_sub(promise.at.0) > REMEMBERED);
            if old
                && let Err(RecordsError::Store(error)) =
                    app.records.delete(organisation, &stored.key, Expected::Version(stored.version))
            {
                return Err(error);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
