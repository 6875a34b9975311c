//! What people of the organisation say of templates.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Permission;
use crate::api::extract::{Allowed, Json, Path, Query, also, need};
use crate::api::page::{Page, PageQuery};
use crate::api::refusals::Refusals;
use crate::marketplace::reviews::{self, Review};
use crate::marketplace::{self, Which};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// Longest text of a review, in characters.
const MAX_TEXT: usize = 2000;

/// A review to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveReview {
    #[schema(minimum = 1, maximum = 5)]
    stars: u8,
    #[serde(default)]
    #[schema(max_length = 2000)]
    text: String,
    registry: Option<String>,
}

/// A review.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub(crate) struct ReviewView {
    /// Id of whoever gave it.
    user: String,
    /// Their name.
    by: String,
    /// Whether it is the asker's own.
    mine: bool,
    stars: u8,
    text: String,
    /// The version of the template at the time.
    version: String,
    at: u64,
}

fn view(review: Review, asker: &str) -> ReviewView {
    let Review { user, by, stars, text, version, at } = review;
    ReviewView { mine: user == asker, user, by, stars, text, version, at: at.0 }
}

/// Of which registry.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewsQuery {
    registry: Option<String>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Whose review.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhoseQuery {
    registry: Option<String>,
    /// Of this person, for admins; one's own where nothing is said.
    user: Option<String>,
}

/// What people of the organisation say of a template.
#[utoipa::path(
    get, path = "/templates/{name}/reviews", tag = "templates", operation_id = "template_reviews",
    params(("name" = String, Path, description = "Its name"), ReviewsQuery),
    security(("token" = ["templates:read"])), responses((status = 200, description = "As asked", body = Page<ReviewView>), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<ReviewsQuery>,
) -> Answer<axum::Json<Page<ReviewView>>> {
    let caller = allowed.0;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let which = Which { registry: query.registry, name, version: None };
    let (registry, entry) = marketplace::known(&app, &caller.organisation, &which)?;
    let of = (&*registry, entry.name());
    let (items, next) = reviews::page(&app, &caller.organisation, of, page.after()?.as_deref(), page.limit()?)?;
    let items = items.into_iter().map(|review| view(review, &caller.user.id)).collect();
    Ok(axum::Json(Page::new(items, next)))
}

/// Review a template. It takes the place of what this person said before.
#[utoipa::path(
    post, path = "/templates/{name}/reviews", tag = "templates", operation_id = "review_template",
    params(("name" = String, Path, description = "Its name")),
    security(("token" = ["templates:write"])), request_body = GiveReview,
    responses((status = 201, description = "It is kept", body = ReviewView), Refusals)
)]
pub(crate) async fn add(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
    Json(body): Json<GiveReview>,
) -> Answer<(StatusCode, axum::Json<ReviewView>)> {
    let caller = allowed.0;
    let text = body.text.trim();
    if !(1..=5).contains(&body.stars) {
        return Err(Problem::invalid("invalid_review", "a review has 1 to 5 stars"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(Problem::invalid("invalid_review", format!("a review has {MAX_TEXT} characters at most")));
    }
    let which = Which { registry: body.registry, name, version: None };
    let (registry, entry) = marketplace::known(&app, &caller.organisation, &which)?;
    let user = &caller.user;
    let review = Review {
        user: user.id.clone(),
        by: if user.name.is_empty() { user.email.clone() } else { user.name.clone() },
        stars: body.stars,
        text: text.to_owned(),
        version: entry.manifest.version.to_string(),
        at: app.now(),
    };
    reviews::keep(&app, &caller.organisation, (&registry, entry.name()), &review).await?;
    Ok((StatusCode::CREATED, axum::Json(view(review, &user.id))))
}

/// Take one's review back; admins may take away anybody's.
#[utoipa::path(
    delete, path = "/templates/{name}/reviews", tag = "templates", operation_id = "remove_review",
    params(("name" = String, Path, description = "Its name"), WhoseQuery),
    security(("token" = ["templates:write"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::TemplatesWrite>,
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<WhoseQuery>,
) -> Answer<StatusCode> {
    let caller = allowed.0;
    let user = query.user.unwrap_or_else(|| caller.user.id.clone());
    if user != caller.user.id {
        also(&caller, Permission::PeopleManage)?;
    }
    let which = Which { registry: query.registry, name, version: None };
    let (registry, entry) = marketplace::known(&app, &caller.organisation, &which)?;
    reviews::remove(&app, &caller.organisation, (&registry, entry.name()), &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
