//! Runs that failed and wait for somebody, and many runs at once.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::{RunId, RunKey, WorkflowName};
use windflow_core::ports::store::Position;
use windflow_runtime::Rerun;

use super::extract::{Allowed, Json, Path, Query, also, need};
use super::page::{self, Page};
use super::refusals::Refusals;
use super::runs::forget;
use crate::access::Permission;
use crate::dead_letters::{self, DeadLetter};
use crate::people::Caller;
use crate::problem::{Answer, Problem, ProblemBody};
use crate::state::{App, blocking};

/// Which of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersQuery {
    /// Of this workflow.
    workflow: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// A run that failed, and that nobody has looked after.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    #[schema(format = "uuid")]
    run: String,
    workflow: String,
    started_by: String,
    failed_at: u64,
    /// Why it failed.
    error: Value,
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        Self {
            run: letter.run.to_string(),
            workflow: letter.workflow.to_string(),
            started_by: letter.started_by,
            failed_at: letter.at.0,
            error: letter.error,
        }
    }
}

/// Runs that failed, and that nobody has repeated or dismissed; the newest first.
#[utoipa::path(
    get, path = "/dead-letters", tag = "runs", operation_id = "list_dead_letters", params(DeadLettersQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Page<DeadLetterView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Query(query): Query<DeadLettersQuery>,
) -> Answer<axum::Json<Page<DeadLetterView>>> {
    let Ok(workflow) = query.workflow.map(|name| name.parse::<WorkflowName>()).transpose() else {
        // No workflow can have this name, so it has no runs.
        return Ok(axum::Json(Page::new(Vec::new(), None::<String>)));
    };
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let (limit, organisation) = (page::limit(query.limit)?, allowed.0.organisation);
    let found = blocking(move || dead_letters::list(&app, &organisation, workflow.as_ref(), after, limit));
    let (letters, next) = found.await??;
    Ok(axum::Json(Page::new(letters.into_iter().map(Into::into).collect(), next)))
}

/// Say that nothing is to be done about a run that failed. It stays as it is.
#[utoipa::path(
    delete, path = "/dead-letters/{run}", tag = "runs", operation_id = "dismiss_dead_letter",
    params(("run" = String, Path, format = "uuid", description = "Id of the run")),
    security(("token" = ["runs:operate"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn dismiss(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<StatusCode> {
    let caller = allowed.0;
    if !dead_letters::settle(&app, &caller.organisation, run, caller.name(), None)? {
        return Err(Problem::not_found(format!("dead letter of a run {run}")));
    }
    app.records.durable(Position::LATEST).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is done with each of them.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Those that have not ended are asked to stop.
    Cancel,
    /// Those that have ended are repeated, and take over what is sound to take over. Needs `runs:start` as well.
    Rerun,
    /// Those that have ended are forgotten.
    Delete,
    /// Nothing is to be done about those that failed.
    Dismiss,
}

/// What is done, and with which runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkRuns {
    #[schema(inline)]
    action: Action,
    /// Their ids.
    #[schema(min_items = 1, max_items = 500)]
    runs: Vec<String>,
}

/// What became of one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkResult {
    run: String,
    /// Why nothing was done with it.
    problem: Option<ProblemBody>,
    /// The run that repeats it.
    repeated_by: Option<String>,
}

/// What became of all of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkResults {
    /// In the order in which they were named.
    results: Vec<BulkResult>,
}

/// Cancel, repeat, forget or dismiss many runs. One that refuses keeps no other from it.
#[utoipa::path(
    post, path = "/runs/bulk", tag = "runs", operation_id = "bulk_runs",
    security(("token" = ["runs:operate"])), request_body = BulkRuns,
    responses((status = 200, description = "What became of each", body = BulkResults), Refusals)
)]
pub(crate) async fn bulk(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Json(body): Json<BulkRuns>,
) -> Answer<axum::Json<BulkResults>> {
    let caller = allowed.0;
    if matches!(body.action, Action::Rerun) {
        also(&caller, Permission::RunsStart)?;
    }
    if body.runs.is_empty() || body.runs.len() > 500 {
        return Err(Problem::invalid("invalid_body", "`runs` names 1 to 500 runs"));
    }
    let working = app.clone();
    let results = blocking(move || {
        let act = |run: String| match one(&working, &caller, body.action, &run) {
            Ok(repeated_by) => BulkResult { run, problem: None, repeated_by: repeated_by.map(|run| run.to_string()) },
            Err(problem) => BulkResult { run, problem: Some(problem.into_body()), repeated_by: None },
        };
        body.runs.into_iter().map(act).collect::<Vec<_>>()
    });
    let results = results.await?;
    // Nobody hears of what could still be lost.
    app.runtime.durable(Position::LATEST).await?;
    Ok(axum::Json(BulkResults { results }))
}

fn one(app: &App, caller: &Caller, action: Action, run: &str) -> Answer<Option<RunId>> {
    let run: RunId = run.parse().map_err(|_| Problem::not_found("such run: its id is not valid"))?;
    let key = RunKey { organisation: caller.organisation.clone(), run };
    let summary = app.store.run(&key)?;
    match action {
        Action::Cancel => {
            if summary.finished_at.is_some() {
                return Err(windflow_runtime::ResumeError::Ended(run).into());
            }
            app.runtime.cancel(&key, &caller.name())?;
        }
        Action::Rerun => {
            let rerun = Rerun { started_by: caller.name(), ..Rerun::default() };
            let started = app.runtime.rerun(&key, rerun)?;
            dead_letters::settle(app, &caller.organisation, run, caller.name(), Some(started.run))?;
            return Ok(Some(started.run));
        }
        Action::Delete => forget(app, &key)?,
        Action::Dismiss => {
            if !dead_letters::settle(app, &caller.organisation, run, caller.name(), None)? {
                return Err(Problem::not_found(format!("dead letter of a run {run}")));
            }
        }
    }
    Ok(None)
}
