//! Templates made of what other systems have.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use windflow_marketplace::convert::{self, From as Format};

use crate::api::extract::{Allowed, Json, need};
use crate::api::refusals::Refusals;
use crate::api::stacks::RiskView;
use crate::problem::{Answer, DocumentProblem, Problem};
use crate::state::{App, blocking};

/// What a text is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConvertKind)]
pub(crate) enum FormatView {
    /// A Compose file.
    Compose,
    /// Portainer's app templates, versions 2 and 3.
    Portainer,
    /// A one-click app of CapRover, version 4.
    Caprover,
}

/// A text to make templates of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConvertTemplate {
    kind: FormatView,
    text: String,
}

/// What came of a text. Nothing is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConvertedTemplates {
    drafts: Vec<DraftView>,
    /// What was not taken over, and why.
    refused: Vec<RefusedView>,
}

/// A template that wants a second look before it is published.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateDraft)]
pub(crate) struct DraftView {
    /// What is known of the fields of `template.yaml`.
    template: Map<String, Value>,
    /// The Compose document, with the variables that were found.
    text: String,
    /// Its variables, as a preview has them.
    variables: Value,
    /// Its services: `name`, `image`, `ports`, `health`, `depends_on`.
    services: Value,
    /// What it could do to the machine that it runs on.
    risks: Vec<RiskView>,
    /// What is wrong with it, each with its place in the text.
    problems: Vec<DocumentProblem>,
}

/// Something that was not taken over.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateRefusal)]
pub(crate) struct RefusedView {
    /// A template, or a part of one.
    what: String,
    /// `malformed`, `unsafe`, `unknown`, `unsupported` or `remote`.
    code: &'static str,
    why: String,
}

fn view(draft: convert::Draft) -> Answer<DraftView> {
    let contents = draft.contents;
    let json = |value: serde_json::Result<Value>| value.map_err(Problem::internal);
    Ok(DraftView {
        template: draft.template,
        text: draft.text,
        variables: json(serde_json::to_value(&contents.variables))?,
        services: json(serde_json::to_value(&contents.services))?,
        risks: contents.risks.iter().map(|it| RiskView { name: it.name(), what: it.to_string() }).collect(),
        problems: draft.problems.iter().map(Into::into).collect(),
    })
}

/// Make templates of a Compose file, of Portainer's app templates, or of a one-click app of CapRover. Keeps nothing.
#[utoipa::path(
    post, path = "/templates/convert", tag = "templates", operation_id = "convert_template",
    security(("token" = ["templates:read"])), request_body = ConvertTemplate,
    responses((status = 200, description = "As asked", body = ConvertedTemplates), Refusals)
)]
pub(crate) async fn convert(
    _: Allowed<need::TemplatesRead>,
    State(_): State<App>,
    Json(body): Json<ConvertTemplate>,
) -> Answer<axum::Json<ConvertedTemplates>> {
    let from = match body.kind {
        FormatView::Compose => Format::Compose,
        FormatView::Portainer => Format::Portainer,
        FormatView::Caprover => Format::Caprover,
    };
    let converted = blocking(move || convert::convert(from, &body.text)).await?;
    let refused = converted.refused.into_iter();
    Ok(axum::Json(ConvertedTemplates {
        drafts: converted.drafts.into_iter().map(view).collect::<Answer<_>>()?,
        refused: refused.map(|it| RefusedView { what: it.what, code: it.code, why: it.why }).collect(),
    }))
}
