//! Notices over a WebSocket.
//!
//! A reader who is slow holds up nobody: it may be so many notices behind, and take so long for one; then it is let go of, with a code
//! that says why.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures::{Sink, SinkExt, StreamExt};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::extract::{Allowed, need};
use super::refusals::Refusals;
use super::streams;
use crate::notices::Told;
use crate::people::Caller;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Readers have nothing to say: what they send is read so that they can close, and is short.
const LONGEST_MESSAGE: usize = 1024;

/// How often a reader is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(15);

/// The longest that a reader may take for one message.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a WebSocket speaks here. Pages have to offer it beside their token: browsers go on only where one of what they offered is taken.
const PROTOCOL: &str = "windflow";

/// What pages offer beside it, with the token behind it: they cannot send `Authorization` with a WebSocket. Nothing of it is answered.
const TOKEN: &str = "bearer.";

/// The token that a request for a WebSocket offers as a protocol.
pub(super) fn offered_token(headers: &HeaderMap) -> Option<&str> {
    let upgrade = headers.get(header::UPGRADE)?.to_str().ok()?;
    let offered = upgrade.eq_ignore_ascii_case("websocket").then(|| headers.get_all(header::SEC_WEBSOCKET_PROTOCOL))?;
    let mut offered = offered.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    offered.find_map(|protocol| protocol.trim().strip_prefix(TOKEN))
}

/// Notices, as a WebSocket: runs that fail (`run_failed`) or ask (`run_asks`), and, for those who may read stacks, deployments that begin or end
/// (`deployment_changed`), from now on, each as a JSON object whose `kind` says which. It closes with 1013 where the reader is too slow: connect again,
/// and read the lists; with 1008 once the token has expired, and with 1001 when the server stops. Pages, whose browsers send no `Authorization` with
/// it, offer two protocols: `new WebSocket(address, ["windflow", "bearer.TOKEN"])`.
#[utoipa::path(
    get, path = "/notifications/ws", tag = "runs", operation_id = "watch_notices",
    security(("token" = ["runs:read"])),
    responses((status = 101, description = "It becomes a WebSocket"), Refusals)
)]
pub(crate) async fn watch(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let upgrade = upgrade.map_err(|rejection| {
        Problem::new(StatusCode::BAD_REQUEST, "no_websocket", rejection.body_text())
            .remedy("open this address with a client of WebSockets")
    })?;
    let place = streams::place(&app)?;
    // Before the answer: whoever has it misses nothing from then on.
    let told = app.notices.subscribe();
    let caller = allowed.0;
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        app.metrics.streams.inc();
        serve(&app, &caller, socket, told).await;
        app.metrics.streams.dec();
        drop(place);
    }))
}

/// Why a reader hears no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Gone,
    Slow,
    Expired,
    Stopping,
}

async fn serve(app: &App, caller: &Caller, socket: WebSocket, told: broadcast::Receiver<Told>) {
    let (mut sink, mut stream) = socket.split();
    let expired = async {
        match caller.until {
            Some(until) => app.clock.sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    // Reading answers pings, and hears that the reader closes.
    let heard = async { while let Some(Ok(_)) = stream.next().await {} };
    let over = tokio::select! {
        over = tell(&mut sink, caller, told) => over,
        () = heard => Over::Gone,
        () = expired => Over::Expired,
        () = app.stopped() => Over::Stopping,
    };
    let (code, reason) = match over {
        Over::Gone => return,
        Over::Slow => (close_code::AGAIN, "too slow"),
        Over::Expired => (close_code::POLICY, "the token has expired"),
        Over::Stopping => (close_code::AWAY, "the server stops"),
    };
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // A reader who reads nothing does not learn it, and is let go of all the same.
    let _ = tokio::time::timeout(Duration::from_secs(1), sink.send(frame)).await;
}

/// Tells a reader what it may hear, until it cannot follow.
async fn tell(sink: &mut (impl Sink<Message> + Unpin), caller: &Caller, mut told: broadcast::Receiver<Told>) -> Over {
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        let message = tokio::select! {
            told = told.recv() => match told {
                Ok(told) if told.0 == caller.organisation && caller.permissions.contains(&told.1.needs()) => {
                    Message::text(serde_json::to_string(&told.1).unwrap_or_default())
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => return Over::Slow,
                Err(RecvError::Closed) => return Over::Gone,
            },
            _ = ping.tick() => Message::Ping(Vec::new().into()),
        };
        match tokio::time::timeout(PATIENCE, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Over::Gone,
            Err(_) => return Over::Slow,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::channel::mpsc;
    use windflow_core::id::OrganisationId;
    use windflow_core::run::Timestamp;

    use super::*;
    use crate::access::Role;
    use crate::notices::{BEHIND, Notice};
    use crate::people::{User, Who};

    fn caller(role: Role) -> Caller {
        let user = serde_json::json!({ "id": "a", "email": "a@b.example", "name": "", "role": role, "password_hash": "", "created_at": 1 });
        let user: User = serde_json::from_value(user).unwrap();
        let permissions = role.permissions();
        let organisation = OrganisationId::local();
        Caller { organisation, who: Who::Person, user, permissions, session: None, until: Some(Timestamp(9)) }
    }

    fn failed(number: usize) -> Told {
        let (run, workflow, started_by) = (number.to_string(), "a".to_owned(), "cli".to_owned());
        Arc::new((OrganisationId::local(), Notice::RunFailed { run, workflow, started_by, at: 1, error: None }))
    }

    #[tokio::test]
    async fn a_reader_who_does_not_keep_up_is_let_go_of() {
        let (mut sink, mut read) = mpsc::channel::<Message>(1);
        let (sender, told) = broadcast::channel(BEHIND);
        for number in 0..=BEHIND {
            let _ = sender.send(failed(number));
        }
        assert_eq!(tell(&mut sink, &caller(Role::Viewer), told).await, Over::Slow);
        // One who takes nothing of what is sent is let go of as well.
        let told = sender.subscribe();
        for number in 0..4 {
            let _ = sender.send(failed(number));
        }
        tokio::time::pause();
        assert_eq!(tell(&mut sink, &caller(Role::Viewer), told).await, Over::Slow);
        read.close();
        let told = sender.subscribe();
        assert_eq!(tell(&mut sink, &caller(Role::Viewer), told).await, Over::Gone);
    }

    #[tokio::test]
    async fn readers_hear_what_they_may_and_what_is_theirs() {
        let (mut sink, mut read) = mpsc::channel::<Message>(8);
        let (sender, told) = broadcast::channel(BEHIND);
        let deployment = Notice::DeploymentChanged {
            deployment: "d".to_owned(),
            stack: "shop".to_owned(),
            target: "here".to_owned(),
            status: windflow_stacks::deployment::Status::Deployed,
        };
        let mut narrow = caller(Role::Viewer);
        narrow.permissions.remove(&crate::access::Permission::StacksRead);
        let theirs = Arc::new(("other".parse().unwrap(), failed(0).1.clone()));
        for told in [theirs, Arc::new((OrganisationId::local(), deployment)), failed(7)] {
            let _ = sender.send(told);
        }
        drop(sender);
        assert_eq!(tell(&mut sink, &narrow, told).await, Over::Gone);
        drop(sink);
        let mut heard = Vec::new();
        while let Some(message) = read.next().await {
            heard.extend(message.to_text().ok().filter(|text| !text.is_empty()).map(str::to_owned));
        }
        assert_eq!(heard.len(), 1, "{heard:?}");
        assert!(heard[0].contains("\"kind\":\"run_failed\"") && heard[0].contains("\"run\":\"7\""), "{heard:?}");
    }
}
