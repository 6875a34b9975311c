//! What was installed from templates, and its updates.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use windflow_marketplace::ledger::Installed;

use super::KindView;
use crate::access::Permission;
use crate::api::extract::{Allowed, Path, Query, also, need};
use crate::api::page::{Page, PageQuery};
use crate::api::refusals::Refusals;
use crate::api::workflows::seen;
use crate::marketplace::updating::{self, Update};
use crate::marketplace::{self, Which};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// A stack or workflow that came from a template.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstalledView {
    kind: KindView,
    /// Name of the stack or workflow.
    #[serde(rename = "as")]
    name: String,
    template: String,
    registry: String,
    /// The version of the template that it is of.
    version: String,
    /// The version that there is now; none where the template is gone.
    latest: Option<String>,
    /// Whether there is a newer version.
    update: bool,
    at: u64,
    by: String,
}

fn view(installed: Installed, latest: Option<&semver::Version>) -> InstalledView {
    InstalledView {
        kind: installed.kind.into(),
        name: installed.name,
        template: installed.template,
        registry: installed.registry,
        update: latest.is_some_and(|latest| *latest > installed.version),
        version: installed.version.to_string(),
        latest: latest.map(ToString::to_string),
        at: installed.at.0,
        by: installed.by,
    }
}

/// What an update would change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateUpdate {
    /// The version that is installed.
    from: String,
    /// The version that there is.
    to: String,
    /// Whether there is something to update.
    update: bool,
    /// Whether somebody has changed it since it was installed: the update would undo that.
    changed_by_hand: bool,
    /// Unified difference of what is kept and what it would become.
    difference: String,
    /// What changed from version to version, in Markdown.
    changelog: String,
}

/// What was installed, by kind and name.
#[utoipa::path(
    get, path = "/templates/installed", tag = "templates", operation_id = "installed_templates", params(PageQuery),
    security(("token" = ["templates:read"])), responses((status = 200, description = "As asked", body = Page<InstalledView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Answer<axum::Json<Page<InstalledView>>> {
    let (limit, after) = (query.limit()?, query.after()?);
    let organisation = allowed.0.organisation;
    let listed = blocking(move || -> Answer<_> {
        let all = marketplace::installed::all(&app, &organisation)?;
        let place = |one: &Installed| format!("{}/{}", one.kind.word(), one.name);
        let mut rest = all.into_iter().filter(|one| after.as_ref().is_none_or(|after| place(one) > *after)).peekable();
        let (mut items, mut last) = (Vec::new(), String::new());
        while let Some(one) = rest.next_if(|_| items.len() < limit) {
            let which = Which { registry: Some(one.registry.clone()), name: one.template.clone(), version: None };
            let known = marketplace::known(&app, &organisation, &which).ok();
            last = place(&one);
            items.push(view(one, known.as_ref().map(|(_, entry)| &entry.manifest.version)));
        }
        let next = rest.peek().map(|_| last);
        Ok(Page::new(items, next))
    });
    Ok(axum::Json(listed.await??))
}

fn answer(update: &Update) -> Response {
    let told = TemplateUpdate {
        from: update.installed.version.to_string(),
        to: update.to(),
        update: update.is_due(),
        changed_by_hand: update.changed_by_hand(),
        difference: update.difference(),
        changelog: update.changelog().to_owned(),
    };
    ([(header::ETAG, format!("\"{}\"", update.tag))], axum::Json(told)).into_response()
}

/// What an update of a stack or workflow to the latest version of its template would change.
#[utoipa::path(
    get, path = "/templates/installed/{kind}/{as}/update", tag = "templates", operation_id = "show_template_update",
    params(("kind" = inline(KindView), Path, description = "What it is"), ("as" = String, Path, description = "Its name")),
    security(("token" = ["templates:read"])),
    responses((status = 200, description = "As asked", body = TemplateUpdate, headers(("ETag" = String))), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Path((kind, name)): Path<(KindView, String)>,
) -> Answer<Response> {
    let update = updating::update(&app, &allowed.0.organisation, kind.into(), &name).await?;
    blocking(move || answer(&update)).await
}

/// Update a stack or workflow to the latest version of its template: it becomes its next version. What is deployed stays as it is until
/// it is deployed again.
#[utoipa::path(
    post, path = "/templates/installed/{kind}/{as}/update", tag = "templates", operation_id = "update_from_template",
    params(
        ("kind" = inline(KindView), Path, description = "What it is"), ("as" = String, Path, description = "Its name"),
        ("If-Match" = Option<String>, Header, description = "The ETag that GET gave, so that nobody's change is lost")
    ),
    security(("token" = ["templates:write"])), responses((status = 200, description = "It is updated", body = InstalledView), Refusals)
)]
pub(crate) async fn apply(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Path((kind, name)): Path<(KindView, String)>,
    headers: HeaderMap,
) -> Answer<axum::Json<InstalledView>> {
    let caller = allowed.0;
    also(&caller, if kind == KindView::Stack { Permission::StacksWrite } else { Permission::WorkflowsWrite })?;
    let update = updating::update(&app, &caller.organisation, kind.into(), &name).await?;
    if !update.is_due() {
        return Err(Problem::conflict("up_to_date", format!("{name} is at the latest version of its template")));
    }
    let done = updating::apply(&app, &caller.organisation, update, seen(&headers, false)?, &caller.name()).await?;
    let latest = done.version.clone();
    Ok(axum::Json(view(done, Some(&latest))))
}
