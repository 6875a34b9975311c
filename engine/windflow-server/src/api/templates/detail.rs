//! One template.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::manifest::{Text, reach};
use windflow_core::native::WithNative;
use windflow_core::ports::host::Registry as _;
use windflow_marketplace::manifest::{Kind, Manifest};
use windflow_marketplace::template::Template;

use super::{TemplateSummary, TextView, WhichQuery};
use crate::api::extract::{Allowed, Path, Query, need};
use crate::api::refusals::Refusals;
use crate::api::stacks::RiskView;
use crate::marketplace::{self, Found};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// A template with everything that somebody wants to know before installing it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateDetail {
    #[serde(flatten)]
    summary: TemplateSummary,
    homepage: Option<String>,
    /// SPDX expression of what is deployed.
    license: Option<String>,
    maintainers: Vec<String>,
    /// `cpu`, `memory_mb` and `disk_mb`, where they are known.
    requirements: Value,
    /// Markdown.
    readme: TextView,
    /// Markdown.
    changelog: String,
    /// The latest first.
    versions: Vec<String>,
    /// The version that is shown.
    shown: String,
    /// Where its larger drawing is, where it has one. It needs the token.
    preview: Option<String>,
    /// The Compose document, or the text of the workflow.
    text: String,
    /// The variables of a stack, as a preview of it has them.
    variables: Value,
    /// The inputs of a workflow: JSON Schemas by name.
    inputs: Value,
    /// The services of a stack: `name`, `image`, `ports`, `health`, `depends_on`.
    services: Value,
    images: Vec<String>,
    /// `8080:80/tcp`.
    ports: Vec<String>,
    volumes: Vec<String>,
    /// What a stack could do to the machine that it runs on. Each has to be confirmed by its name.
    risks: Vec<RiskView>,
    /// The node types of a workflow: what each may touch.
    reach: Vec<Reached>,
    /// What a workflow is granted: `http`, `credentials`, `docker`, `email` and `events` by name; `state`, `files`, `clock` and `random`.
    permissions: Value,
}

/// A node type that a workflow uses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateReach)]
pub(crate) struct Reached {
    /// Which.
    uses: String,
    /// Whether this server has it.
    installed: bool,
    /// What it may touch.
    reach: Option<TextView>,
}

fn json(value: &impl Serialize) -> Answer<Value> {
    serde_json::to_value(value).map_err(Problem::internal)
}

/// What the node types of a workflow may touch.
fn reached(app: &App, template: &Template) -> Vec<Reached> {
    let one = |uses: &String| {
        let found = uses.parse().ok().and_then(|uses| WithNative(&*app.registry).get(&uses));
        let text: Option<Text> = found.as_ref().map(|found| reach(&found.manifest.capabilities, found.pure));
        Reached { uses: uses.clone(), installed: found.is_some(), reach: text.as_ref().map(TextView::from) }
    };
    template.contents.uses.iter().map(one).collect()
}

fn view(app: &App, found: Found, summary: TemplateSummary) -> Answer<TemplateDetail> {
    let reach = reached(app, &found.template);
    let Template { manifest, text, contents, readme, changelog, preview, .. } = found.template;
    let Manifest { name, version, .. } = &manifest;
    let registry = &found.registry;
    let risks = contents.risks.iter().map(|risk| RiskView { name: risk.name(), what: risk.to_string() });
    Ok(TemplateDetail {
        summary,
        preview: preview.map(|_| format!("/api/v1/templates/{name}/preview?registry={registry}&version={version}")),
        shown: version.to_string(),
        requirements: json(&manifest.requirements)?,
        readme: (&readme).into(),
        changelog,
        versions: found.entry.versions.iter().map(|packed| packed.version.to_string()).collect(),
        variables: json(&contents.variables)?,
        inputs: json(&contents.inputs)?,
        services: json(&contents.services)?,
        risks: risks.collect(),
        reach,
        permissions: if manifest.kind == Kind::Workflow { json(&contents.permissions)? } else { Value::Null },
        images: contents.images,
        ports: contents.ports,
        volumes: contents.volumes,
        homepage: manifest.homepage,
        license: manifest.license,
        maintainers: manifest.maintainers,
        text,
    })
}

/// One template: what it is, what is in it, and what it may touch.
#[utoipa::path(
    get, path = "/templates/{name}", tag = "templates", operation_id = "show_template",
    params(("name" = String, Path, description = "Its name"), WhichQuery),
    security(("token" = ["templates:read"])), responses((status = 200, description = "As asked", body = TemplateDetail), Refusals)
)]
pub(crate) async fn show(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<WhichQuery>,
) -> Answer<axum::Json<TemplateDetail>> {
    let organisation = allowed.0.organisation;
    let found = marketplace::template(&app, &organisation, &query.of(name)?).await?;
    let shown = blocking(move || {
        let summary = TemplateSummary::new(&marketplace::listing(&app, &organisation, &found)?);
        view(&app, found, summary)
    });
    Ok(axum::Json(shown.await??))
}
