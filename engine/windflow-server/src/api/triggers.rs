//! Triggers: of one workflow, and of all of the organisation.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::{OrganisationId, RunKey, WorkflowName};
use windflow_core::ports::store::RunQuery;
use windflow_core::workflow::Workflow;
use windflow_triggers::{CronState, Triggers};

use super::extract::{Allowed, Path, Query, need};
use super::page::{self, Page, PageQuery};
use super::refusals::Refusals;
use crate::access::Permission;
use crate::catalogue::{self, Entry};
use crate::missing::Lack;
use crate::problem::Answer;
use crate::scheduler::state_key;
use crate::state::{App, blocking};
use crate::{kept, missing};

/// A trigger of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TriggerView {
    name: String,
    /// `webhook`, `cron` or `event`.
    uses: &'static str,
    /// Where a webhook listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// What a request to the webhook has to show: `none`, `bearer`, `basic`, `header` or `hmac`.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<&'static str>,
    /// The event that it listens to.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    /// The next instants of the schedule, while it is enabled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<u64>,
    /// The last instant of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    /// The run that the schedule started last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<String>,
    /// Instants that were left out because the run before still ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
    /// Instants that were left out because no server ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
    /// Why the last instant started nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The code of `error`, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    /// What is still to be set before it, and the nodes that it starts, can do what the text says.
    lacks: Vec<Lack>,
}

impl TriggerView {
    fn new(name: &str, uses: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            uses,
            path: None,
            method: None,
            auth: None,
            event: None,
            schedule: None,
            timezone: None,
            next: Vec::new(),
            last: None,
            last_run: None,
            skipped: None,
            missed: None,
            error: None,
            error_code: None,
            lacks: Vec::new(),
        }
    }
}

/// Instants to come that are shown.
const SHOWN: usize = 5;

/// The triggers of a workflow: where webhooks listen, when schedules fire next.
#[utoipa::path(
    get, path = "/workflows/{name}/triggers", tag = "workflows", operation_id = "workflow_triggers",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Vec<TriggerView>), Refusals)
)]
pub(crate) async fn of_workflow(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
) -> Answer<axum::Json<Vec<TriggerView>>> {
    let organisation = allowed.0.organisation;
    let (entry, version) = catalogue::latest(&app, &organisation, &name)?;
    let checked = catalogue::check(&app, &organisation, version.text).await?;
    let Some(workflow) = checked.workflow else { return Ok(axum::Json(Vec::new())) };
    Ok(axum::Json(views(&app, &organisation, &entry.value, &workflow, &checked.triggers)?))
}

fn views(
    app: &App,
    organisation: &OrganisationId,
    entry: &Entry,
    workflow: &Workflow,
    triggers: &Triggers,
) -> Answer<Vec<TriggerView>> {
    let mut views = Vec::new();
    for hook in &triggers.webhooks {
        views.push(TriggerView {
            lacks: missing::of_hook(app, organisation, hook)?.into_iter().collect(),
            path: Some(format!("/hooks/{organisation}/{}", hook.path)),
            method: Some(hook.method.clone()),
            auth: Some(hook.auth.word()),
            ..TriggerView::new(&hook.name, "webhook")
        });
    }
    for event in &triggers.events {
        views.push(TriggerView { event: Some(event.event.clone()), ..TriggerView::new(&event.name, "event") });
    }
    for cron in &triggers.crons {
        let state = kept::read::<CronState>(&*app.records, organisation, &state_key(&entry.name, &cron.name))?;
        let state = state.map(|state| state.value).unwrap_or_default();
        let after = if state.last == 0 { app.now().0 } else { state.last };
        let next = std::iter::successors(cron.next(after), |at| cron.next(*at)).take(SHOWN);
        views.push(TriggerView {
            schedule: Some(cron.schedule.clone()),
            timezone: Some(cron.timezone.name().to_owned()),
            next: if entry.enabled { next.collect() } else { Vec::new() },
            last: (state.last > 0).then_some(state.last),
            last_run: state.run.map(|run| run.to_string()),
            skipped: Some(state.skipped),
            missed: Some(state.missed),
            error: state.error,
            error_code: state.error_code,
            ..TriggerView::new(&cron.name, "cron")
        });
    }
    let of_nodes = missing::of_nodes(app, organisation, workflow)?;
    views.iter_mut().for_each(|view| view.lacks.extend(of_nodes.iter().cloned()));
    Ok(views)
}

/// Which triggers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TriggerFilter {
    /// Of this kind: `webhook`, `cron` or `event`.
    #[param(max_length = 20)]
    uses: Option<String>,
    /// Whether they start runs at present.
    enabled: Option<bool>,
}

impl TriggerFilter {
    fn may_fit(&self, entry: &Entry) -> bool {
        self.enabled.is_none_or(|enabled| entry.enabled == enabled)
            && match &self.uses {
                Some(uses) => entry.triggers.contains(uses),
                None => !entry.triggers.is_empty(),
            }
    }
}

/// A trigger of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListedTrigger {
    /// The workflow that it starts.
    #[schema(value_type = String)]
    workflow: WorkflowName,
    /// Whether it starts runs at present.
    enabled: bool,
    #[serde(flatten)]
    trigger: TriggerView,
    /// When it last started a run; for those who may see runs, and of webhooks and events where that is among the newest fifty runs of
    /// the workflow.
    last_fired: Option<u64>,
}

/// Runs of a workflow that are looked at for when its webhooks and events fired last.
const LOOKED_AT: usize = 50;

/// Entries that are read at a time.
const READ_TOGETHER: usize = 100;

/// The triggers of all workflows, by the names of these and their own: what starts runs, and when next.
#[utoipa::path(
    get, path = "/triggers", tag = "workflows", operation_id = "list_triggers", params(TriggerFilter, PageQuery),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Page<ListedTrigger>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Query(filter): Query<TriggerFilter>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<ListedTrigger>>> {
    let (limit, after) = (query.limit()?, query.after()?);
    let after = after.map(|cursor| Place::parse(&cursor).ok_or_else(page::invalid)).transpose()?;
    let caller = allowed.0;
    let sees_runs = caller.permissions.contains(&Permission::RunsRead);
    let listed = blocking(move || -> Answer<_> {
        let (mut found, mut after) = (Vec::new(), after);
        // One more than asked for says whether there is another page.
        while found.len() <= limit {
            let (entries, next) = entries_from(&app, &caller.organisation, after.as_ref())?;
            for entry in entries.iter().filter(|entry| filter.may_fit(entry)) {
                let mut views = of_entry(&app, &caller.organisation, entry, sees_runs)?;
                views.retain(|view| filter.uses.as_ref().is_none_or(|uses| *uses == view.trigger.uses));
                let passed = after.as_ref().filter(|after| after.workflow == entry.name);
                views.retain(|view| passed.is_none_or(|after| view.trigger.name > after.trigger));
                found.append(&mut views);
                if found.len() > limit {
                    break;
                }
            }
            match next {
                Some(workflow) => after = Some(Place { workflow, trigger: LAST.to_owned() }),
                None => break,
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| format!("{}\0{}", last.workflow, last.trigger.name));
        Ok(Page::new(found, next))
    });
    Ok(axum::Json(listed.await??))
}

/// A place in the list.
struct Place {
    workflow: WorkflowName,
    trigger: String,
}

/// Behind every name of a trigger.
const LAST: &str = "\u{10ffff}";

impl Place {
    fn parse(cursor: &str) -> Option<Self> {
        let (workflow, trigger) = cursor.split_once('\0')?;
        Some(Self { workflow: workflow.parse().ok()?, trigger: trigger.to_owned() })
    }
}

/// The workflows from a place on, that of the place included, and behind which one there are more.
fn entries_from(
    app: &App,
    organisation: &OrganisationId,
    from: Option<&Place>,
) -> Answer<(Vec<Entry>, Option<WorkflowName>)> {
    let first = match from {
        Some(place) if place.trigger != LAST => catalogue::find(app, organisation, &place.workflow)?,
        _ => None,
    };
    let after = from.map(|place| catalogue::entry_key(&place.workflow));
    let (rest, next) = kept::scan::<Entry>(&*app.records, organisation, "workflows/", after.as_deref(), READ_TOGETHER)?;
    let entries: Vec<Entry> = first.into_iter().chain(rest).map(|kept| kept.value).collect();
    let next = next.and(entries.last().map(|entry| entry.name.clone()));
    Ok((entries, next))
}

/// The triggers of one workflow, by name.
fn of_entry(app: &App, organisation: &OrganisationId, entry: &Entry, sees_runs: bool) -> Answer<Vec<ListedTrigger>> {
    let text = catalogue::version(app, organisation, &entry.name, entry.version)?.text;
    let (workflow, _) = Workflow::parse(&text);
    let Some(workflow) = workflow else { return Ok(Vec::new()) };
    let triggers = windflow_triggers::compile(&workflow).0;
    let newest = RunQuery { workflow: Some(entry.name.clone()), limit: LOOKED_AT, ..RunQuery::default() };
    let runs = if sees_runs { app.store.runs(organisation, &newest)?.items } else { Vec::new() };
    let mut listed = Vec::new();
    for mut trigger in views(app, organisation, entry, &workflow, &triggers)? {
        let by = format!("{}:{}", trigger.uses, trigger.name);
        // Behind `#` stands how many events in a row led there.
        let newest = runs.iter().find(|run| run.started_by.split('#').next() == Some(&by));
        let mut last_fired = newest.map(|run| run.started_at.0);
        if let Some(run) = newest {
            trigger.last_run = Some(run.run.to_string());
        } else if !sees_runs {
            trigger.last_run = None;
        } else if let Some(run) = trigger.last_run.as_ref().and_then(|run| run.parse().ok()) {
            // A schedule remembers its run, which may be deleted by now.
            let key = RunKey { organisation: organisation.clone(), run };
            last_fired = app.store.run(&key).ok().map(|run| run.started_at.0);
        }
        listed.push(ListedTrigger { workflow: entry.name.clone(), enabled: entry.enabled, trigger, last_fired });
    }
    listed.sort_by(|a, b| a.trigger.name.cmp(&b.trigger.name));
    Ok(listed)
}
