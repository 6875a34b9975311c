//! Workflows: created, read, replaced, deleted as the very YAML text.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_core::ports::store::RunQuery;

use super::drafts::DraftView;
use super::extract::{Allowed, Document, Path, Query, need};
use super::page::{Page, PageQuery};
use super::refusals::Refusals;
use super::views::{ListedWorkflow, RunView, WorkflowView};
use crate::access::Permission;
use crate::catalogue::{self, Entry, Seen};
use crate::drafts;
use crate::kept::{self, Kept};
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::{App, blocking};

pub(super) fn etag(entry: &Kept<Entry>) -> (header::HeaderName, HeaderValue) {
    // A number in quotes is always a valid header.
    let value = HeaderValue::from_str(&format!("\"{}\"", entry.version)).unwrap_or(HeaderValue::from_static("\"0\""));
    (header::ETAG, value)
}

pub(super) fn answer(entry: Kept<Entry>) -> Response {
    ([etag(&entry)], axum::Json(WorkflowView::from(entry.value))).into_response()
}

/// What `If-Match` says.
pub(super) fn seen(headers: &HeaderMap, required: bool) -> Answer<Seen> {
    let Some(given) = headers.get(header::IF_MATCH) else {
        if !required {
            return Ok(Seen::Any);
        }
        let detail = "say which version you have seen, so that nobody's change is lost";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required", detail)
            .remedy("send `If-Match` with the ETag that GET gave, or `If-Match: *` to replace whatever there is"));
    };
    let given = given.to_str().unwrap_or_default().trim();
    if given == "*" {
        return Ok(Seen::Any);
    }
    // Whatever else it is, it is the tag of nothing that there is.
    Ok(Seen::Version(given.trim_matches('"').parse().unwrap_or(0)))
}

/// Whether the client has it already.
fn unchanged(headers: &HeaderMap, entry: &Kept<Entry>) -> Option<Response> {
    let given = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let (name, tag) = etag(entry);
    let same = given.split(',').any(|given| given.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes());
    same.then(|| (StatusCode::NOT_MODIFIED, [(name, tag)]).into_response())
}

/// Which workflows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkflowFilter {
    /// Those whose name or description holds this, whatever the case of its letters.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Those with this tag.
    #[param(max_length = 40)]
    tag: Option<String>,
    /// Those in this folder, and in the folders within it.
    #[param(max_length = 204)]
    folder: Option<String>,
}

/// The workflows, by name, each with its newest run.
#[utoipa::path(
    get, path = "/workflows", tag = "workflows", operation_id = "list_workflows", params(WorkflowFilter, PageQuery),
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Page<ListedWorkflow>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Query(filter): Query<WorkflowFilter>,
    Query(page): Query<PageQuery>,
) -> Answer<axum::Json<Page<ListedWorkflow>>> {
    let (limit, after) = (page.limit()?, page.after()?);
    let sought = Sought::from(filter);
    let caller = allowed.0;
    let sees_runs = caller.permissions.contains(&Permission::RunsRead);
    let listed = blocking(move || -> Answer<_> {
        let (entries, next) = search(&app, &caller.organisation, &sought, after, limit)?;
        let items = entries.into_iter().map(|entry| -> Answer<ListedWorkflow> {
            let newest = RunQuery { workflow: Some(entry.name.clone()), limit: 1, ..RunQuery::default() };
            let runs = if sees_runs { app.store.runs(&caller.organisation, &newest)?.items } else { Vec::new() };
            let draft = drafts::find(&app, &caller.organisation, &entry.name)?;
            Ok(ListedWorkflow {
                draft: draft.map(|draft| DraftView::new(draft.value, false)),
                workflow: entry.into(),
                last_run: runs.first().map(|run| RunView::new(&app, &caller.organisation, run)),
            })
        });
        Ok(Page::new(items.collect::<Answer<_>>()?, next))
    });
    Ok(axum::Json(listed.await??))
}

/// Which workflows are looked for.
pub(super) struct Sought {
    text: String,
    tag: Option<String>,
    folder: Option<String>,
}

impl From<WorkflowFilter> for Sought {
    fn from(filter: WorkflowFilter) -> Self {
        let WorkflowFilter { q, tag, folder } = filter;
        let text = q.map(|text| text.chars().take(200).collect::<String>().to_lowercase()).unwrap_or_default();
        Self { text, tag, folder }
    }
}

impl Sought {
    fn fits(&self, entry: &Entry) -> bool {
        let holds = |text: &str| text.to_lowercase().contains(&self.text);
        (holds(entry.name.as_str()) || entry.description.as_deref().is_some_and(holds))
            && self.tag.as_ref().is_none_or(|tag| entry.tags.contains(tag))
            && self.folder.as_deref().is_none_or(|folder| entry.is_in(folder))
    }
}

/// The workflows of a page that fit.
pub(super) fn search(
    app: &App,
    organisation: &OrganisationId,
    sought: &Sought,
    mut after: Option<String>,
    limit: usize,
) -> Answer<(Vec<Entry>, Option<String>)> {
    let mut found = Vec::new();
    loop {
        let wanted = limit - found.len();
        let (items, next) = kept::scan::<Entry>(&*app.records, organisation, "workflows/", after.as_deref(), wanted)?;
        found.extend(items.into_iter().map(|kept| kept.value).filter(|entry| sought.fits(entry)));
        if next.is_none() || found.len() == limit {
            return Ok((found, next));
        }
        after = next;
    }
}

/// A tag or a folder, and how many workflows have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelCount {
    label: String,
    workflows: usize,
}

/// The tags and folders that workflows have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Labels {
    /// Tags, by name.
    tags: Vec<LabelCount>,
    /// Folders, by name, those that only hold folders included. A workflow counts in each folder around it.
    folders: Vec<LabelCount>,
}

/// The tags and folders that workflows have.
#[utoipa::path(
    get, path = "/labels", tag = "workflows", operation_id = "list_labels",
    security(("token" = ["workflows:read"])), responses((status = 200, description = "As asked", body = Labels), Refusals)
)]
pub(crate) async fn labels(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
) -> Answer<axum::Json<Labels>> {
    let (mut tags, mut folders) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    let organisation = allowed.0.organisation;
    let entries = blocking(move || kept::all::<Entry>(&*app.records, &organisation, "workflows/")).await??;
    for entry in entries {
        for tag in entry.value.tags {
            *tags.entry(tag).or_default() += 1;
        }
        let folder = entry.value.folder.unwrap_or_default();
        let ends = folder.match_indices('/').map(|(at, _)| at).chain((!folder.is_empty()).then_some(folder.len()));
        for end in ends {
            *folders.entry(folder[..end].to_owned()).or_default() += 1;
        }
    }
    let counted = |labels: BTreeMap<String, usize>| {
        labels.into_iter().map(|(label, workflows)| LabelCount { label, workflows }).collect()
    };
    Ok(axum::Json(Labels { tags: counted(tags), folders: counted(folders) }))
}

/// Create a workflow from its text. Its triggers are off until it is enabled.
#[utoipa::path(
    post, path = "/workflows", tag = "workflows", operation_id = "create_workflow",
    security(("token" = ["workflows:write"])),
    request_body(content = serde_json::Value, content_type = "application/yaml", description = "The text of a workflow"),
    responses(
        (status = 201, description = "It is made", body = WorkflowView, headers(("ETag" = String), ("Location" = String))),
        Refusals
    )
)]
pub(crate) async fn create(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Document(text): Document,
) -> Answer<Response> {
    let caller = allowed.0;
    let entry = catalogue::create(&app, &caller.organisation, text, caller.name()).await?;
    let location = format!("/api/v1/workflows/{}", entry.value.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(entry)).into_response())
}

/// One workflow.
#[utoipa::path(
    get, path = "/workflows/{name}", tag = "workflows", operation_id = "show_workflow",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["workflows:read"])),
    responses((status = 200, description = "As asked", body = WorkflowView, headers(("ETag" = String))), (status = 304, description = "It is what the client has"), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    headers: HeaderMap,
) -> Answer<Response> {
    let entry = catalogue::entry(&app, &allowed.0.organisation, &name)?;
    Ok(unchanged(&headers, &entry).unwrap_or_else(|| answer(entry)))
}

/// Delete a workflow. Its runs and its versions stay.
#[utoipa::path(
    delete, path = "/workflows/{name}", tag = "workflows", operation_id = "delete_workflow",
    params(("name" = String, Path, description = "Its name"), ("If-Match" = Option<String>, Header, description = "The ETag that was seen")),
    security(("token" = ["workflows:write"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn delete(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    catalogue::delete(&app, &allowed.0.organisation, &name, seen(&headers, false)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The text of a workflow, as it was written.
#[utoipa::path(
    get, path = "/workflows/{name}/document", tag = "workflows", operation_id = "workflow_document",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["workflows:read"])),
    responses(
        (status = 200, description = "As asked", body = serde_json::Value, content_type = "application/yaml", headers(("ETag" = String))),
        (status = 304, description = "It is what the client has"),
        Refusals
    )
)]
pub(crate) async fn document(
    allowed: Allowed<need::WorkflowsRead>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (entry, version) = catalogue::latest(&app, &allowed.0.organisation, &name)?;
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    Ok(unchanged(&headers, &entry).unwrap_or_else(|| ([kind, etag(&entry)], version.text).into_response()))
}

/// Replace the text of a workflow. Enabled triggers go on with the new text at once; runs under way keep theirs.
#[utoipa::path(
    put, path = "/workflows/{name}/document", tag = "workflows", operation_id = "replace_workflow",
    params(
        ("name" = String, Path, description = "Its name"),
        ("If-Match" = String, Header, description = "The ETag that was seen, or `*`")
    ),
    security(("token" = ["workflows:write"])),
    request_body(content = serde_json::Value, content_type = "application/yaml", description = "The text of a workflow"),
    responses((status = 200, description = "As asked", body = WorkflowView, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn replace(
    allowed: Allowed<need::WorkflowsWrite>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
    headers: HeaderMap,
    Document(text): Document,
) -> Answer<Response> {
    let caller = allowed.0;
    let seen = seen(&headers, true)?;
    catalogue::replace(&app, &caller.organisation, &name, text, seen, caller.name()).await.map(answer)
}

/// A workflow whose triggers are on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnabledWorkflow {
    #[serde(flatten)]
    workflow: WorkflowView,
    /// What keeps it from doing what its text says, each with its place: secrets and credentials that are not set.
    warnings: Vec<DocumentProblem>,
}

/// Switch the triggers of a workflow on.
#[utoipa::path(
    post, path = "/workflows/{name}/enable", tag = "workflows", operation_id = "enable_workflow",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["workflows:enable"])),
    responses((status = 200, description = "As asked", body = EnabledWorkflow, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn enable(
    allowed: Allowed<need::WorkflowsEnable>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
) -> Answer<Response> {
    let caller = allowed.0;
    let entry = catalogue::enable(&app, &caller.organisation, &name, true, caller.name()).await?;
    let missing = catalogue::missing(&app, &caller.organisation, &entry.value).await?;
    let tag = etag(&entry);
    let warnings = missing.iter().map(Into::into).collect();
    Ok(([tag], axum::Json(EnabledWorkflow { workflow: entry.value.into(), warnings })).into_response())
}

/// Switch the triggers of a workflow off. Runs under way go on.
#[utoipa::path(
    post, path = "/workflows/{name}/disable", tag = "workflows", operation_id = "disable_workflow",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["workflows:enable"])),
    responses((status = 200, description = "As asked", body = WorkflowView, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn disable(
    allowed: Allowed<need::WorkflowsEnable>,
    State(app): State<App>,
    Path(name): Path<WorkflowName>,
) -> Answer<Response> {
    let caller = allowed.0;
    catalogue::enable(&app, &caller.organisation, &name, false, caller.name()).await.map(answer)
}
