//! Live streams: server-sent events.
//!
//! A stream has a task of its own and a short channel to its connection. A reader who is slow fills the channel, then falls
//! behind the bounded channel of the run, and is brought back from the journal; the run never waits.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use windflow_core::id::{RunId, RunKey};
use windflow_core::ports::store::Position;
use windflow_core::run::{Sequence, Timestamp};
use windflow_runtime::{Update, Updates};

use super::extract::{Allowed, Path, need};
use super::refusals::Refusals;
use super::runs::{EventView, find};
use super::views::RunView;
use crate::access::Permission;
use crate::live::{Change, Missed};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// Events between a stream's task and its connection.
const AHEAD: usize = 64;

/// Events of the journal that are read at a time.
const READ: usize = 256;

/// The least time between two waits for the disk on behalf of one reader.
const PACE: Duration = Duration::from_millis(50);

pub(super) type Sender = mpsc::Sender<Event>;

/// The reader is gone.
pub(super) struct Gone;

/// The events of one run as they become durable, from its beginning or after `Last-Event-ID`, until it has ended. Each has the sequence
/// as its id. In between, without an id: `began`, `log` and `progress` of nodes, as they happen; `end` comes last.
#[utoipa::path(
    get, path = "/runs/{run}/live", tag = "runs", operation_id = "watch_run",
    params(
        ("run" = String, Path, format = "uuid", description = "Id of the run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The last sequence that was seen")
    ),
    security(("token" = ["runs:read"])),
    responses((status = 200, description = "As asked", body = String, content_type = "text/event-stream"), Refusals)
)]
pub(crate) async fn run(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let key = find(&app, &allowed.0.organisation, run)?;
    let after = match last_id(&headers) {
        None => 0,
        Some(id) => id.parse::<Sequence>().map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_last_event_id", "`Last-Event-ID` is no sequence of a run")
        })?,
    };
    let may_answer = allowed.0.permissions.contains(&Permission::RunsOperate);
    stream(app.clone(), allowed.0.until, move |sender| async move {
        let mut reader = RunReader { app, key, sender, sent: after, may_answer };
        // Whoever went away is told nothing.
        let _ = reader.follow().await;
    })
}

/// Runs of the organisation that begin and end, from now on or after `Last-Event-ID`. `reset` says that nobody knows any more
/// what was missed: read the lists anew.
#[utoipa::path(
    get, path = "/live", tag = "runs", operation_id = "watch_runs",
    params(("Last-Event-ID" = Option<String>, Header, description = "The last id that was seen")),
    security(("token" = ["runs:read"])),
    responses((status = 200, description = "As asked", body = String, content_type = "text/event-stream"), Refusals)
)]
pub(crate) async fn organisation(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let caller = allowed.0;
    let organisation = caller.organisation.clone();
    // Before the answer begins: whoever has it misses nothing from then on.
    let (mut receiver, missed) = app.feed.subscribe(last_id(&headers));
    stream(app.clone(), caller.until, move |sender| async move {
        let tell = async |change: &Change| {
            if change.organisation != organisation {
                return Ok(());
            }
            let data = serde_json::to_string(&RunView::new(&app, &organisation, &change.run)).unwrap_or_default();
            send(&sender, Event::default().event("run").id(app.feed.id(change.number)).data(data)).await
        };
        let followed = async {
            match missed {
                Missed::Changes(changes) => {
                    // Nobody may have waited for them when they happened.
                    app.store.durable(Position::LATEST).await.map_err(|_| Gone)?;
                    for change in changes {
                        tell(&change).await?;
                    }
                }
                Missed::Unknown => send(&sender, Event::default().event("reset").data("{}")).await?,
            }
            loop {
                match receiver.recv().await {
                    Ok(change) => tell(&change).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        send(&sender, Event::default().event("reset").data("{}")).await?;
                    }
                    Err(broadcast::error::RecvError::Closed) => return Err(Gone),
                }
            }
        };
        let _: Result<(), Gone> = followed.await;
    })
}

fn last_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok().filter(|id| !id.is_empty())
}

pub(super) async fn send(sender: &Sender, event: Event) -> Result<(), Gone> {
    sender.send(event).await.map_err(|_| Gone)
}

/// A place among those that watch.
pub(super) fn place(app: &App) -> Answer<OwnedSemaphorePermit> {
    app.streams.clone().try_acquire_owned().map_err(|_| {
        let detail = "there are as many live streams as this server holds";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", detail).retry_after(10)
    })
}

/// A stream that work of its own fills, until the reader goes, the token expires, or the server stops.
pub(super) fn stream<W: Future<Output = ()> + Send + 'static>(
    app: App,
    until: Option<Timestamp>,
    work: impl FnOnce(Sender) -> W,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let place = place(&app)?;
    let (sender, mut receiver) = mpsc::channel(AHEAD);
    let closed = sender.clone();
    let work = work(sender);
    tokio::spawn(async move {
        app.metrics.streams.inc();
        let expired = async {
            match until {
                Some(until) => app.clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = work => {}
            () = closed.closed() => {}
            () = expired => {}
            () = app.stopped() => {}
        }
        app.metrics.streams.dec();
        drop(place);
    });
    let events = futures::stream::poll_fn(move |context| receiver.poll_recv(context).map(|event| event.map(Ok)));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

struct RunReader {
    app: App,
    key: RunKey,
    sender: Sender,
    /// The last sequence that was sent.
    sent: Sequence,
    /// Whether the reader may know the tokens of questions.
    may_answer: bool,
}

impl RunReader {
    async fn follow(&mut self) -> Result<(), Gone> {
        loop {
            // Before reading: what comes after the subscription is heard, what came before it is read.
            let updates = self.app.runtime.updates(&self.key);
            let mut ended = self.catch_up().await?;
            match updates {
                _ if ended => {}
                Some(updates) => ended = self.listen(updates).await?,
                // No process is at work on it; somebody may resume it.
                None => tokio::time::sleep(Duration::from_secs(1)).await,
            }
            if ended {
                return send(&self.sender, Event::default().event("end").data("{}")).await;
            }
        }
    }

    /// Sends what the journal has and the reader has not, once it is durable. True: the run has ended.
    async fn catch_up(&mut self) -> Result<bool, Gone> {
        loop {
            // Before reading: what is appended after this look is found by the next one.
            let summary = self.app.store.run(&self.key).map_err(|_| Gone)?;
            if summary.sequence <= self.sent {
                return Ok(summary.finished_at.is_some());
            }
            let (app, key, after) = (self.app.clone(), self.key.clone(), self.sent);
            let Ok(Ok(records)) = blocking(move || app.store.read(&key, after, READ)).await else { return Err(Gone) };
            self.app.store.durable(Position::LATEST).await.map_err(|_| Gone)?;
            for (sequence, record) in records {
                let view = EventView::new(sequence, &record, self.may_answer).map_err(|_| Gone)?;
                let data = serde_json::to_string(&view).unwrap_or_default();
                send(&self.sender, Event::default().event("event").id(sequence.to_string()).data(data)).await?;
                self.sent = sequence;
            }
        }
    }

    /// Passes on what is not kept as it happens, and reads what is kept at its pace.
    /// True: the run has ended.
    async fn listen(&mut self, mut updates: Updates) -> Result<bool, Gone> {
        let mut fresh = false;
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = pace.tick(), if fresh => {
                    fresh = false;
                    if self.catch_up().await? {
                        return Ok(true);
                    }
                }
                update = updates.next() => match update {
                    Some(Ok(Update::Event(sequence, _))) => fresh |= sequence > self.sent,
                    Some(Ok(other)) => self.tell(&other).await?,
                    // Events are read from the journal; what is not kept is gone.
                    Some(Err(missed)) => {
                        fresh = true;
                        let data = json!({ "missed": missed }).to_string();
                        send(&self.sender, Event::default().event("missed").data(data)).await?;
                    }
                    None => return self.catch_up().await,
                },
            }
        }
    }

    async fn tell(&self, update: &Update) -> Result<(), Gone> {
        let (kind, data): (&str, Value) = match update {
            // Told as events, when they are read from the journal.
            Update::Event(..) | Update::Asked { .. } | Update::Idle(_) => return Ok(()),
            Update::Began { node, item, attempt } => {
                ("began", json!({ "node": node, "item": item, "attempt": attempt }))
            }
            Update::Log { node, attempt, level, message } => {
                ("log", json!({ "node": node, "attempt": attempt, "level": level, "message": &**message }))
            }
            Update::Progress { node, attempt, fraction, message } => {
                ("progress", json!({ "node": node, "attempt": attempt, "fraction": fraction, "message": &**message }))
            }
        };
        send(&self.sender, Event::default().event(kind).data(data.to_string())).await
    }
}
