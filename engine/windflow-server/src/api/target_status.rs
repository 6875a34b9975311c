//! How targets are, as it changes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use windflow_stacks::driver::DriverError;
use windflow_stacks::status::{Status, Usage};

use super::extract::{Allowed, need};
use super::refusals::Refusals;
use super::streams::{self, Gone, Sender, send};
use super::targets::test::FactsView;
use crate::problem::Answer;
use crate::state::App;
use crate::watching::{Looking, News};

/// How a target is.
#[derive(Serialize, ToSchema)]
pub(crate) struct TargetStatus {
    target: String,
    /// `checking`, `reached` or `unreached`.
    status: &'static str,
    /// Since when.
    since: u64,
    /// What it is like; the last that is known, where it does not answer.
    facts: Option<FactsView>,
    usage: Option<UsageView>,
    error: Option<WhyView>,
}

/// What the containers of a target use.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsageView {
    /// Cores that are kept busy.
    cores: Option<f64>,
    /// Bytes.
    memory: u64,
    /// Bytes that images, containers and volumes take.
    disk: Option<u64>,
}

/// Why a target does not answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct WhyView {
    code: String,
    message: String,
    remedy: Option<String>,
}

impl From<&Status> for TargetStatus {
    fn from(status: &Status) -> Self {
        let usage = |usage: &Usage| UsageView { cores: usage.cores, memory: usage.memory, disk: usage.disk };
        let why = |error: &DriverError| WhyView {
            code: error.code.clone(),
            message: error.message.clone(),
            remedy: error.remedy.clone(),
        };
        Self {
            target: status.target.clone(),
            status: status.status.word(),
            since: status.since.0,
            facts: status.facts.clone().map(Into::into),
            usage: status.usage.as_ref().map(usage),
            error: status.error.as_ref().map(why),
        }
    }
}

/// How the targets of the organisation are, from now on: `target` for each as it is (a `TargetStatus`), `all` once each was told, then `target`
/// again for each that changes, and `removed` with its name. Targets are watched as long as somebody looks: their engines tell what begins and
/// ends there, and are asked once a minute what is used.
#[utoipa::path(
    get, path = "/target-status/live", tag = "targets", operation_id = "watch_targets",
    security(("token" = ["targets:manage"])),
    responses((status = 200, description = "As asked", body = TargetStatus, content_type = "text/event-stream"), Refusals)
)]
pub(crate) async fn watch(
    allowed: Allowed<need::TargetsManage>,
    State(app): State<App>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let caller = allowed.0;
    let looking = app.watching.look(&app, &caller.organisation);
    streams::stream(app, caller.until, move |sender| async move {
        // Whoever went away is told nothing.
        let _ = tell(looking, &sender).await;
    })
}

async fn tell(mut looking: Looking, sender: &Sender) -> Result<(), Gone> {
    loop {
        for status in looking.all() {
            send(sender, of(&status)).await?;
        }
        send(sender, Event::default().event("all").data("{}")).await?;
        // Who is too far behind is told everything anew.
        while let Some(news) = looking.next().await {
            let event = match news {
                News::Status(status) => of(&status),
                News::Removed(target) => {
                    Event::default().event("removed").data(json!({ "target": target }).to_string())
                }
            };
            send(sender, event).await?;
        }
    }
}

fn of(status: &Arc<Status>) -> Event {
    Event::default().event("target").data(serde_json::to_string(&TargetStatus::from(&**status)).unwrap_or_default())
}
