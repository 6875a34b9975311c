//! Runs: started, listed, shown, stopped.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use windflow_core::id::{NodeId, OrganisationId, RunId, RunKey, WorkflowName};
use windflow_core::json::Json;
use windflow_core::manifest::DEFAULT_PORT;
use windflow_core::ports::store::{Position, RunQuery, RunStatus, RunSummary};
use windflow_core::run::{Emitted, Record, Timestamp};
use windflow_runtime::{Lost, ResumeError};

use super::extract::{self, Allowed, Path, Query, need};
use super::page::{self, Page, PageQuery};
use super::refusals::Refusals;
use super::views::{RunView, StalledView};
use crate::access::Permission;
use crate::launch::{Launch, TEST, key_of, launch, launch_once};
use crate::people::Caller;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};
use crate::{catalogue, dead_letters, recovery, traces};

/// What a run is started with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartRun {
    /// The inputs by name; those with defaults may be left out.
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// Number of the version to run; the latest where nothing is said.
    version: Option<u32>,
    /// What nodes put out without being run, by their ids: to try the rest of the workflow. Such a run tells no events.
    #[serde(default)]
    pins: BTreeMap<String, Pin>,
}

/// What a node puts out without being run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// On which port; `out` where nothing is said.
    #[serde(default = "usual_port")]
    port: String,
    /// The value.
    output: Value,
}

fn usual_port() -> String {
    DEFAULT_PORT.to_owned()
}

/// Pinned data as the runtime takes it.
fn pinned(pins: BTreeMap<String, Pin>) -> Answer<BTreeMap<NodeId, Emitted>> {
    let invalid = |detail: String| Problem::invalid("invalid_pin", detail);
    let pin = |(node, pin): (String, Pin)| {
        let id = node.parse::<NodeId>().map_err(|error| invalid(format!("`pins`: {error}")))?;
        let port = pin.port.parse().map_err(|error| invalid(format!("`port` of the pin of {id}: {error}")))?;
        Ok((id, Emitted { port, output: Json::from(pin.output) }))
    };
    pins.into_iter().map(pin).collect()
}

/// The words for somebody who tries something.
pub(super) fn tried_by(caller: &Caller) -> String {
    let name = caller.name();
    format!("{TEST}{}", name.split_once(':').map_or(name.as_str(), |(_, name)| name))
}

/// A run that is under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedRun {
    #[schema(format = "uuid")]
    pub(crate) run: String,
    /// The same `Idempotency-Key` started it before.
    pub(crate) repeated: bool,
}

/// Start a run. It survives whatever happens to the server once this has answered.
#[utoipa::path(
    post, path = "/workflows/{name}/runs", tag = "runs", operation_id = "start_run",
    params(
        ("name" = String, Path, description = "Name of the workflow"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[ -~]*$", description = "The same key gives the same run, for two days at least")
    ),
    security(("token" = ["runs:start"])), request_body = StartRun,
    responses(
        (status = 201, description = "It is made", body = StartedRun, headers(("Location" = String))),
        (status = 200, description = "It was started before", body = StartedRun, headers(("Location" = String))),
        Refusals
    )
)]
pub(crate) async fn start(
    allowed: Allowed<need::RunsStart>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<StartRun>,
) -> Answer<Response> {
    let caller = allowed.0;
    let entry = catalogue::entry(&app, &caller.organisation, &name)?.value;
    let number = body.version.unwrap_or(entry.version);
    let version = catalogue::version(&app, &caller.organisation, &name, number)?;
    let pinned = pinned(body.pins)?;
    let by = if pinned.is_empty() { caller.name() } else { tried_by(&caller) };
    let trace = traces::context(&app, &headers);
    let what = Launch { pinned, trace, ..Launch::new(&caller.organisation, version.text, body.inputs, by) };
    let launched = match key_of(&headers)? {
        // Two people, or two workflows, may well choose the same key.
        Some(key) => {
            let asked = what.asked()?;
            launch_once(&app, what, &format!("{}/{name}/{key}", caller.user.id), asked).await?
        }
        None => launch(&app, what).await?,
    };
    let status = if launched.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let location = format!("/api/v1/runs/{}", launched.run);
    let body = StartedRun { run: launched.run.to_string(), repeated: launched.repeated };
    Ok((status, [(header::LOCATION, location)], axum::Json(body)).into_response())
}

/// How runs stand.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Running,
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
}

/// Which runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsQuery {
    /// Of this workflow.
    workflow: Option<String>,
    /// In this status.
    #[param(inline)]
    status: Option<Status>,
    /// Started at this instant or after it, in milliseconds since 1970.
    since: Option<u64>,
    /// Started before this instant, in milliseconds since 1970.
    until: Option<u64>,
    /// Started by this: `user`, `key`, `webhook`, `cron`, `event`, `test`, `run`.
    #[param(max_length = 20)]
    trigger: Option<String>,
    /// Whose id begins with this, or whose workflow, starter or error holds it, whatever the case of its letters. Of very many runs a page may
    /// be short, or empty, and go on.
    #[param(max_length = 200)]
    q: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Runs, the newest first.
#[utoipa::path(
    get, path = "/runs", tag = "runs", operation_id = "list_runs", params(RunsQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Page<RunView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Query(query): Query<RunsQuery>,
) -> Answer<axum::Json<Page<RunView>>> {
    let Ok(workflow) = query.workflow.map(|name| name.parse::<WorkflowName>()).transpose() else {
        // No workflow can have this name, so it has no runs.
        return Ok(axum::Json(Page::new(Vec::new(), None::<String>)));
    };
    let text = query.q.map(|text| text.chars().take(200).collect::<String>().to_lowercase()).unwrap_or_default();
    let sought = Sought { trigger: query.trigger, text };
    let after = query.cursor.as_deref().map(page::decode).transpose()?;
    let after = after.map(|cursor| cursor.parse::<RunId>().map_err(|_| page::invalid())).transpose()?;
    let query = RunQuery {
        workflow,
        status: query.status.map(|status| match status {
            Status::Running => RunStatus::Running,
            Status::Cancelling => RunStatus::Cancelling,
            Status::Succeeded => RunStatus::Succeeded,
            Status::Failed => RunStatus::Failed,
            Status::Cancelled => RunStatus::Cancelled,
        }),
        since: query.since.map(Timestamp),
        until: query.until.map(Timestamp),
        after,
        limit: page::limit(query.limit)?,
    };
    let organisation = allowed.0.organisation;
    let listed = blocking(move || -> Answer<_> {
        let (items, next) = search(&app, &organisation, query, &sought)?;
        let items = items.iter().map(|run| RunView::new(&app, &organisation, run)).collect();
        Ok(Page::new(items, next.map(|run| run.to_string())))
    });
    Ok(axum::Json(listed.await??))
}

/// What is looked for in runs, beside what the store has lists of.
struct Sought {
    trigger: Option<String>,
    text: String,
}

impl Sought {
    fn is_all(&self) -> bool {
        self.trigger.is_none() && self.text.is_empty()
    }

    fn fits(&self, run: &RunSummary) -> bool {
        let by = run.started_by.split([':', ' ']).next();
        let holds = |text: &str| text.to_lowercase().contains(&self.text);
        self.trigger.as_deref().is_none_or(|trigger| by == Some(trigger))
            && (self.text.is_empty()
                || run.run.to_string().starts_with(&self.text)
                || holds(run.workflow.as_str())
                || holds(&run.started_by)
                || run.failure.as_ref().is_some_and(|failure| holds(&failure.failure.message)))
    }
}

/// Runs that are looked at for one page at most: some tens of milliseconds.
const LOOKED_AT: usize = 10_000;

/// The runs of a page that fit, and after which one the next page begins.
fn search(
    app: &App,
    organisation: &OrganisationId,
    mut query: RunQuery,
    sought: &Sought,
) -> Answer<(Vec<RunSummary>, Option<RunId>)> {
    let wanted = query.limit;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        query.limit = if sought.is_all() { wanted } else { 500 };
        let page = app.store.runs(organisation, &query)?;
        let last = page.items.last().map(|run| run.run);
        looked_at += page.items.len();
        for run in page.items.into_iter().filter(|run| sought.is_all() || sought.fits(run)) {
            let id = run.run;
            found.push(run);
            if found.len() == wanted && last != Some(id) {
                return Ok((found, Some(id)));
            }
        }
        query.after = page.next;
        if page.next.is_none() || found.len() >= wanted || looked_at >= LOOKED_AT {
            return Ok((found, page.next));
        }
    }
}

/// A run with its nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunDetail {
    #[serde(flatten)]
    summary: RunView,
    /// What it was started with.
    inputs: Value,
    /// What it gave back; null unless it succeeded.
    outputs: Value,
    /// Its nodes by name: how each stands, what it emitted or why it failed, how long it took.
    nodes: Value,
    /// The nodes whose `compensate:` failed: what they did is still there.
    uncompensated: Vec<String>,
}

/// The run of an id, of this organisation.
pub(crate) fn find(app: &App, organisation: &OrganisationId, run: RunId) -> Answer<RunKey> {
    let key = RunKey { organisation: organisation.clone(), run };
    app.store.run(&key)?;
    Ok(key)
}

/// The text that a run runs: that of its workflow when it was started.
#[utoipa::path(
    get, path = "/runs/{run}/document", tag = "runs", operation_id = "run_document",
    params(("run" = String, Path, format = "uuid", description = "Its id")),
    security(("token" = ["runs:read"])),
    responses((status = 200, description = "As asked", body = Value, content_type = "application/yaml"), Refusals)
)]
pub(crate) async fn document(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<Response> {
    let key = find(&app, &allowed.0.organisation, run)?;
    let text = blocking(move || {
        let summary = app.store.run(&key)?;
        app.store.blob(&key.organisation, &summary.document)
    });
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text.await??).into_response())
}

/// One run: how it stands, its inputs and outputs, each of its nodes.
#[utoipa::path(
    get, path = "/runs/{run}", tag = "runs", operation_id = "show_run",
    params(("run" = String, Path, format = "uuid", description = "Its id")),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = RunDetail), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<axum::Json<RunDetail>> {
    let key = find(&app, &allowed.0.organisation, run)?;
    let may_answer = allowed.0.permissions.contains(&Permission::RunsOperate);
    let detail = blocking(move || -> Answer<RunDetail> {
        let first = app.store.read(&key, 0, 1)?;
        let inputs = first.first().and_then(|(_, record)| match &record.event {
            windflow_core::run::Event::RunStarted(started) => Some(started.inputs.value().clone()),
            _ => None,
        });
        // Read first: of a run that it calls ended, the rest is told whole.
        let mut summary = RunView::new(&app, &key.organisation, &app.store.run(&key)?);
        let mut report = match app.runtime.report(&key) {
            Ok(report) => report,
            Err(Lost::Store(error)) => return Err(error.into()),
            // A plugin may be missing: what the lists know of the run can be told all the same.
            Err(lost) => {
                summary.stalled.get_or_insert_with(|| StalledView::new(lost.to_string(), app.now()));
                let (inputs, outputs) = (inputs.unwrap_or_default(), Value::Null);
                let (nodes, uncompensated) = (Value::Object(Map::new()), Vec::new());
                return Ok(RunDetail { summary, inputs, outputs, nodes, uncompensated });
            }
        };
        if !may_answer {
            let nodes = report.nodes.values_mut();
            nodes.flat_map(|node| &mut node.questions).for_each(|asked| asked.question.token.clear());
        }
        Ok(RunDetail {
            summary,
            inputs: inputs.unwrap_or_default(),
            outputs: report.outputs.as_ref().map(|outputs| outputs.value().clone()).unwrap_or_default(),
            nodes: serde_json::to_value(&report.nodes).map_err(Problem::internal)?,
            uncompensated: report.uncompensated.iter().map(ToString::to_string).collect(),
        })
    });
    Ok(axum::Json(detail.await??))
}

/// An event of a run's journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its place in the journal, from 1.
    sequence: u64,
    at: u64,
    /// What happened: one key, which names it.
    event: Value,
}

impl EventView {
    /// Whoever knows the token of a question may answer it: it is shown to those alone who may answer anyway.
    pub(crate) fn new(sequence: u64, record: &Record, may_answer: bool) -> Answer<Self> {
        let mut event = serde_json::to_value(&record.event).map_err(Problem::internal)?;
        if !may_answer && let Some(Value::Object(question)) = event.pointer_mut("/attempt_started/wait/answer") {
            question.remove("token");
        }
        if !may_answer && let Some(Value::Object(callbacks)) = event.pointer_mut("/run_started/callbacks") {
            callbacks.remove("secret");
        }
        Ok(Self { sequence, at: record.at.0, event })
    }
}

/// The events of a run's journal, in order.
#[utoipa::path(
    get, path = "/runs/{run}/events", tag = "runs", operation_id = "run_events",
    params(("run" = String, Path, format = "uuid", description = "Id of the run"), PageQuery),
    security(("token" = ["runs:read"])), responses((status = 200, description = "As asked", body = Page<EventView>), Refusals)
)]
pub(crate) async fn events(
    allowed: Allowed<need::RunsRead>,
    State(app): State<App>,
    Path(run): Path<RunId>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<EventView>>> {
    let key = find(&app, &allowed.0.organisation, run)?;
    let after = query.after()?;
    let after = after.map(|cursor| cursor.parse::<u64>().map_err(|_| page::invalid())).transpose()?.unwrap_or(0);
    let (limit, may_answer) = (query.limit()?, allowed.0.permissions.contains(&Permission::RunsOperate));
    let mut records = blocking(move || app.store.read(&key, after, limit + 1)).await??;
    let more = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| more).map(|(sequence, _)| sequence.to_string());
    let items = records.iter().map(|(sequence, record)| EventView::new(*sequence, record, may_answer));
    Ok(axum::Json(Page::new(items.collect::<Answer<_>>()?, next)))
}

/// A run that has ended is done with, also where it is about to leave the process that was at work on it.
fn not_ended(app: &App, key: &RunKey) -> Answer<()> {
    match app.store.run(key)?.finished_at {
        Some(_) => Err(ResumeError::Ended(key.run).into()),
        None => Ok(()),
    }
}

/// What was asked for is under way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    #[schema(format = "uuid")]
    run: String,
}

/// Ask a run to stop. Attempts that are under way are told to end; what they had begun stays done.
#[utoipa::path(
    post, path = "/runs/{run}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("run" = String, Path, format = "uuid", description = "Its id")),
    security(("token" = ["runs:operate"])), responses((status = 202, description = "It is under way", body = Accepted), Refusals)
)]
pub(crate) async fn cancel(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<(StatusCode, axum::Json<Accepted>)> {
    let caller = allowed.0;
    let key = find(&app, &caller.organisation, run)?;
    not_ended(&app, &key)?;
    let by = caller.name();
    blocking(move || {
        app.runtime.cancel(&key, &by)?;
        Ok::<_, Problem>(())
    })
    .await??;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { run: run.to_string() })))
}

/// Forget a run that has ended: its journal, and what only it mentions.
#[utoipa::path(
    delete, path = "/runs/{run}", tag = "runs", operation_id = "delete_run",
    params(("run" = String, Path, format = "uuid", description = "Its id")),
    security(("token" = ["runs:operate"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn delete(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<StatusCode> {
    let key = RunKey { organisation: allowed.0.organisation, run };
    let deleting = app.clone();
    blocking(move || forget(&deleting, &key)).await??;
    app.runtime.durable(Position::LATEST).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a run that has ended.
pub(super) fn forget(app: &App, key: &RunKey) -> Answer<()> {
    if app.store.run(key)?.finished_at.is_none() {
        return Err(Problem::conflict("not_ended", format!("run {} has not ended", key.run)).remedy("cancel it first"));
    }
    app.store.delete(key)?;
    Ok(dead_letters::forget(app, key)?)
}

/// Go on with a run that was given up, for example because a plugin was missing. A run that is under way just goes on.
#[utoipa::path(
    post, path = "/runs/{run}/resume", tag = "runs", operation_id = "resume_run",
    params(("run" = String, Path, format = "uuid", description = "Its id")),
    security(("token" = ["runs:operate"])), responses((status = 202, description = "It is under way", body = Accepted), Refusals)
)]
pub(crate) async fn resume(
    allowed: Allowed<need::RunsOperate>,
    State(app): State<App>,
    Path(run): Path<RunId>,
) -> Answer<(StatusCode, axum::Json<Accepted>)> {
    let key = find(&app, &allowed.0.organisation, run)?;
    not_ended(&app, &key)?;
    recovery::release(&app, &key).await?;
    let runtime = app.runtime.clone();
    blocking(move || runtime.resume(&key)).await??;
    app.runtime.durable(Position::LATEST).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { run: run.to_string() })))
}
