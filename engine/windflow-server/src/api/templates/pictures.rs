//! The drawings of templates.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use windflow_marketplace::package;

use super::WhichQuery;
use crate::api::extract::{Allowed, Path, Query, need};
use crate::api::refusals::Refusals;
use crate::marketplace;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// A drawing does nothing but look, even where somebody opens it as a page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// What a template without a drawing is shown by.
const PLAIN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><rect x=\"6\" y=\"6\" width=\"36\" height=\"36\" \
    rx=\"8\" fill=\"#64748b\"/><path d=\"M16 24h16M24 16v16\" stroke=\"#fff\" stroke-width=\"4\" stroke-linecap=\"round\"/></svg>";

async fn picture(
    app: &App,
    organisation: &windflow_core::id::OrganisationId,
    (name, query): (String, WhichQuery),
    file: &'static str,
    headers: &HeaderMap,
) -> Answer<Response> {
    let (_, entry, packed, bytes) = marketplace::package(app, organisation, &query.of(name)?).await?;
    let tag = format!("\"{}\"", packed.digest);
    let fields = [
        (header::CONTENT_TYPE, "image/svg+xml".to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
        (header::ETAG, tag.clone()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let files = blocking(move || package::unpack(&bytes, package::TEMPLATE)).await?;
    let mut files = files.map_err(|error| Problem::invalid("bad_package", error.to_string()))?;
    let found = files.remove(file).or_else(|| (file == "icon.svg").then(|| PLAIN.as_bytes().to_vec()));
    let found = found.ok_or_else(|| Problem::not_found(format!("{file} of template {}", entry.name())))?;
    Ok((fields, found).into_response())
}

/// A template's small drawing.
#[utoipa::path(
    get, path = "/templates/{name}/icon", tag = "templates", operation_id = "template_icon",
    params(("name" = String, Path, description = "Its name"), WhichQuery), security(("token" = ["templates:read"])),
    responses((status = 200, description = "SVG", body = String, content_type = "image/svg+xml"), Refusals)
)]
pub(crate) async fn icon(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<WhichQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    picture(&app, &allowed.0.organisation, (name, query), "icon.svg", &headers).await
}

/// A template's large drawing, where it has one.
#[utoipa::path(
    get, path = "/templates/{name}/preview", tag = "templates", operation_id = "template_preview",
    params(("name" = String, Path, description = "Its name"), WhichQuery), security(("token" = ["templates:read"])),
    responses((status = 200, description = "SVG", body = String, content_type = "image/svg+xml"), Refusals)
)]
pub(crate) async fn preview(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<WhichQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    picture(&app, &allowed.0.organisation, (name, query), "preview.svg", &headers).await
}
