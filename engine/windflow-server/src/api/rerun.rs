//! Runs that are repeated.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::{Digest, NodeId, RunId, RunKey};
use windflow_core::ports::store::Position;
use windflow_core::rerun::{Fate, Verdict, Why};
use windflow_core::workflow::Children;
use windflow_runtime::{Rerun, RerunError, StartError};

use super::extract::{Allowed, Json, Path, need};
use super::refusals::Refusals;
use super::runs::{StartedRun, find};
use crate::launch::{key_of, promise};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};
use crate::{catalogue, children, dead_letters, traces};

/// How a run is repeated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerunRun {
    /// Nodes that run again whatever they did, and all that follows them; where none is named, what did not succeed.
    #[serde(default)]
    #[schema(max_items = 1000)]
    from: Vec<String>,
    /// Take the latest version of the workflow instead of the one that the run had.
    #[serde(default)]
    latest: bool,
    /// Only say what would be taken over.
    #[serde(default)]
    dry_run: bool,
}

/// What becomes of a node in the new run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NodeFate {
    node: String,
    /// `reused`, `decided` or `again`.
    fate: &'static str,
    /// Why it runs again: `asked`, `changed`, `undone`, `new`, `follows`, or how it stood.
    why: Option<String>,
}

/// What would be taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RerunVerdict {
    nodes: Vec<NodeFate>,
}

/// Repeat a run that has ended, with the same inputs, and take over the results of what is sound to take over.
#[utoipa::path(
    post, path = "/runs/{run}/rerun", tag = "runs", operation_id = "rerun_run",
    params(
        ("run" = String, Path, format = "uuid", description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]*$", description = "The same key gives the same new run, for two days at least")
    ),
    security(("token" = ["runs:start"])), request_body = RerunRun,
    responses(
        (status = 201, description = "It is made, or the same key made it before", body = StartedRun, headers(("Location" = String))),
        (status = 200, description = "What would be taken over", body = RerunVerdict),
        Refusals
    )
)]
pub(crate) async fn rerun(
    allowed: Allowed<need::RunsStart>,
    State(app): State<App>,
    Path(run): Path<RunId>,
    headers: HeaderMap,
    Json(body): Json<RerunRun>,
) -> Answer<Response> {
    let caller = allowed.0;
    let key = find(&app, &caller.organisation, run)?;
    let from = body.from.iter().map(|node| {
        node.parse::<NodeId>().map_err(|error| Problem::invalid("invalid_node", format!("`from`: {error}")))
    });
    let from = from.collect::<Result<Vec<_>, _>>()?;
    let (started_by, by) = (caller.name(), caller.name());
    let (latest, dry_run) = (body.latest, body.dry_run);
    let (runtime, trace) = (app.runtime.clone(), traces::context(&app, &headers));
    // No workflow's name has a colon: the keys of those who start workflows are others.
    let once = key_of(&headers)?.map(|key| format!("{}/run:{run}/{key}", caller.user.id));
    let asked = Digest::of(format!("{run}\0{latest}\0{}", body.from.join("\0")).as_bytes());
    let (answer, position) = blocking(move || {
        let promised = match &once {
            Some(once) if !dry_run => Some(promise(&app, &key.organisation, once, asked)?.run),
            _ => None,
        };
        let begun = promised.filter(|run| app.store.run(&RunKey { run: *run, ..key.clone() }).is_ok());
        let (run, position) = match begun {
            Some(run) => (run, None),
            None => {
                let document = latest.then(|| latest_document(&app, &key)).transpose()?;
                let rerun = Rerun { document, from, started_by, trace, ..Rerun::default() };
                if dry_run {
                    let verdict = app.runtime.judge_rerun(&key, &rerun)?;
                    return Ok((axum::Json(RerunVerdict { nodes: fates(&verdict) }).into_response(), None));
                }
                let run = promised.unwrap_or_else(|| app.clock.new_run_id());
                match app.runtime.rerun_as(&key, rerun, run) {
                    Err(RerunError::Start(StartError::Exists(_))) => (run, None),
                    started => (run, Some(started?.position)),
                }
            }
        };
        dead_letters::settle(&app, &key.organisation, key.run, by, Some(run))?;
        // It may have been started a moment ago by another who asked.
        Ok::<_, Problem>((made(run, position.is_none()), Some(position.unwrap_or(Position::LATEST))))
    })
    .await??;
    if let Some(position) = position {
        // Nobody hears of a run that could still be lost.
        runtime.durable(position).await?;
    }
    Ok(answer)
}

/// The latest version of the workflow that a run was of, with the workflows that it runs.
fn latest_document(app: &App, key: &RunKey) -> Answer<(String, Children)> {
    let workflow = app.store.run(key)?.workflow;
    let (_, version) = catalogue::latest(app, &key.organisation, &workflow)?;
    let children =
        children::of(app, &key.organisation, &version.text).map_err(|problems| Problem::document(&problems))?;
    Ok((version.text, children))
}

fn made(run: RunId, repeated: bool) -> Response {
    let location = format!("/api/v1/runs/{run}");
    let body = StartedRun { run: run.to_string(), repeated };
    (StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(body)).into_response()
}

fn fates(verdict: &Verdict) -> Vec<NodeFate> {
    let fate = |(node, fate): (&NodeId, &Fate)| {
        let (fate, why) = match fate {
            Fate::Reused(_) => ("reused", None),
            Fate::Decided => ("decided", None),
            Fate::Again(Why::Asked) => ("again", Some("asked".to_owned())),
            Fate::Again(Why::Changed) => ("again", Some("changed".to_owned())),
            Fate::Again(Why::Undone) => ("again", Some("undone".to_owned())),
            Fate::Again(Why::Files) => ("again", Some("files".to_owned())),
            Fate::Again(Why::New) => ("again", Some("new".to_owned())),
            Fate::Again(Why::Follows(from)) => ("again", Some(format!("follows {from}"))),
            Fate::Again(Why::Unfinished(word)) => ("again", Some((*word).to_owned())),
        };
        NodeFate { node: node.to_string(), fate, why }
    };
    verdict.nodes.iter().map(fate).collect()
}
