//! Publishing templates within the organisation.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use windflow_core::id::OrganisationId;
use windflow_core::workflow::Workflow;
use windflow_marketplace::authored::{self, Said, Source};
use windflow_marketplace::files::Files;
use windflow_marketplace::manifest::Kind;
use windflow_marketplace::package;

use crate::api::extract::{Allowed, Json, Path, need};
use crate::api::refusals::Refusals;
use crate::catalogue;
use crate::marketplace::PRIVATE;
use crate::marketplace::private::{self, Refusal};
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::App;

/// A template to publish: made of a stack or a workflow, or a package of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishTemplate {
    /// Make it of what is kept here.
    from: Option<PublishFrom>,
    /// The fields of `template.yaml`. What is left out is as in the version before; of a first version, what can be known is filled in.
    #[serde(default)]
    #[schema(example = json!({ "name": "shop", "version": "1.0.0", "title": { "en": "Shop", "fr": "Boutique" },
        "summary": { "en": "A shop", "fr": "Une boutique" }, "category": "web" }))]
    template: Map<String, Value>,
    /// What to know before installing it, in both languages.
    #[serde(default)]
    readme: Readme,
    /// What changed in this version, in Markdown. It is put before what the changelog says of the versions before.
    changes: Option<String>,
    /// A whole changelog in place of that, in Markdown, with a heading `## VERSION`.
    changelog: Option<String>,
    /// A drawing, SVG.
    icon: Option<String>,
    /// A larger drawing, SVG.
    preview: Option<String>,
    /// Instead of all else: a packed template (tar.gz), in base64.
    package: Option<String>,
}

/// What a template is made of.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PublishFrom {
    /// The latest version of a stack.
    Stack(String),
    /// The latest version of a workflow.
    Workflow(String),
}

/// Markdown in both languages.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateReadme)]
pub(crate) struct Readme {
    en: Option<String>,
    fr: Option<String>,
}

/// What was published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedTemplate {
    name: String,
    version: String,
    registry: &'static str,
    /// SHA-256 of its package.
    digest: String,
    /// What could be better.
    problems: Vec<DocumentProblem>,
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Problem(problem) => problem,
        Refusal::Faults(faults) => Problem::template(&faults),
    }
}

/// The files that a body stands for.
async fn files(app: &App, organisation: &OrganisationId, body: PublishTemplate) -> Answer<Files> {
    if let Some(text) = &body.package {
        let bytes = STANDARD.decode(text).map_err(|_| Problem::invalid("bad_package", "`package` is no base64"))?;
        return package::unpack(&bytes, package::TEMPLATE)
            .map_err(|error| Problem::invalid("bad_package", error.to_string()));
    }
    let source = match body.from {
        Some(PublishFrom::Stack(name)) => {
            let book = app.book(organisation);
            let stack = book.stack(&name)?;
            let text = book.stack_version(&name, stack.version)?.text;
            Source { kind: Kind::Stack, name, text, description: stack.description }
        }
        Some(PublishFrom::Workflow(name)) => {
            let known = name.parse().map_err(|_| Problem::not_found(format!("workflow {name}")))?;
            let text = catalogue::latest(app, organisation, &known)?.1.text;
            let said = Workflow::parse(&text).0.and_then(|workflow| workflow.description);
            let description = said.map(|said| said.value).unwrap_or_default();
            Source { kind: Kind::Workflow, name, text, description }
        }
        None => {
            return Err(Problem::invalid("invalid_body", "it does not say what to publish")
                .remedy("send `from` with a stack or a workflow, or a `package`"));
        }
    };
    let said = Said {
        about: body.template,
        readme: body.readme.en,
        readme_fr: body.readme.fr,
        changes: body.changes,
        changelog: body.changelog,
        icon: body.icon,
        preview: body.preview,
    };
    let before = private::latest(app, organisation, &said.name(&source), source.kind)?;
    authored::files(source, said, before).map_err(Problem::internal)
}

/// Publish a template within the organisation, after the same checks as a registry's. A later version takes the place of the one before.
#[utoipa::path(
    post, path = "/templates", tag = "templates", operation_id = "publish_template",
    security(("token" = ["templates:write"])), request_body = PublishTemplate,
    responses((status = 201, description = "It is published", body = PublishedTemplate), Refusals)
)]
pub(crate) async fn publish(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Json(body): Json<PublishTemplate>,
) -> Answer<Response> {
    let caller = allowed.0;
    let files = files(&app, &caller.organisation, body).await?;
    let published = private::publish(&app, &caller.organisation, files, &caller.name()).await;
    let (entry, warnings) = published.map_err(refused)?;
    let published = PublishedTemplate {
        name: entry.name().to_owned(),
        version: entry.manifest.version.to_string(),
        registry: PRIVATE,
        digest: entry.digest,
        problems: warnings.iter().map(DocumentProblem::of_template).collect(),
    };
    Ok((StatusCode::CREATED, axum::Json(published)).into_response())
}

/// Remove a template of the organisation, with its versions and reviews. What was installed of it stays.
#[utoipa::path(
    delete, path = "/templates/{name}", tag = "templates", operation_id = "remove_template",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["templates:write"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    private::remove(&app, &allowed.0.organisation, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
