//! The API: its routes, and the document that describes them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Problem, ProblemBody};
use crate::state::App;
use crate::{cors, editor, hooks, layers, limits};

pub(crate) use self::extract::identify;
use self::parameters::Parameters;

mod answers;
mod archive;
mod audit;
mod auth;
mod credentials;
mod dead_letters;
mod deployments;
mod document;
mod drafts;
mod edits;
mod events;
mod extract;
mod health;
mod kept_state;
mod keys;
mod node_types;
mod notifications;
mod page;
mod parameters;
mod presence;
mod refresh_cookie;
mod refusals;
mod registries;
mod rerun;
mod runs;
mod secrets;
mod sessions;
mod stacks;
mod statistics;
mod streams;
mod target_status;
mod targets;
mod templates;
mod trials;
mod triggers;
mod users;
mod validate;
mod versions;
mod views;
mod workflows;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "WindFlow",
        description = "Workflows of sandboxed nodes, durable. Times are milliseconds since 1970, UTC. Lists come in pages: \
            `cursor` is the `next` of the page before. What goes wrong is told as RFC 9457 has it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This server")),
    components(schemas(ProblemBody)),
    modifiers(&Security),
    tags(
        (name = "workflows", description = "Workflows: the very YAML text, its versions, its triggers"),
        (name = "runs", description = "Runs: started, watched, stopped"),
        (name = "node types", description = "What nodes can be"),
        (name = "targets", description = "Places to deploy to"),
        (name = "stacks", description = "Compose documents with versions, deployed to targets"),
        (name = "deployments", description = "Deployments: each is a run, watched as any other"),
        (name = "templates", description = "Stacks and workflows to start from: searched, installed, published"),
        (name = "auth", description = "Signing in"),
        (name = "people", description = "People, keys and secrets of the organisation"),
        (name = "health", description = "How the server is")
    )
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut http = Http::new(HttpAuthScheme::Bearer);
        http.description =
            Some("An access token of /auth/login, or an API key. The scopes are what it has to hold.".to_owned());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(http));
    }
}

fn routes() -> OpenApiRouter<App> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(auth::setup))
        .routes(routes!(auth::login))
        .routes(routes!(auth::refresh))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::password))
        .routes(routes!(auth::me))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(auth::state))
        .routes(routes!(workflows::list, workflows::create))
        .routes(routes!(workflows::labels))
        .routes(routes!(workflows::show, workflows::delete))
        .routes(routes!(workflows::document, workflows::replace))
        .routes(routes!(edits::edit))
        .routes(routes!(workflows::enable))
        .routes(routes!(workflows::disable))
        .routes(routes!(triggers::of_workflow))
        .routes(routes!(triggers::list))
        .routes(routes!(kept_state::keepers))
        .routes(routes!(kept_state::list, kept_state::clear))
        .routes(routes!(presence::here))
        .routes(routes!(versions::list))
        .routes(routes!(versions::show))
        .routes(routes!(versions::changes))
        .routes(routes!(versions::restore))
        .routes(routes!(drafts::list))
        .routes(routes!(drafts::show, drafts::keep, drafts::discard))
        .routes(routes!(archive::export))
        .routes(routes!(archive::import))
        .routes(routes!(events::publish))
        .routes(routes!(audit::list))
        .routes(routes!(validate::validate))
        .routes(routes!(templates::list, templates::publish::publish))
        .routes(routes!(templates::detail::show, templates::publish::remove))
        .routes(routes!(templates::pictures::icon))
        .routes(routes!(templates::pictures::preview))
        .routes(routes!(templates::install::install))
        .routes(routes!(templates::convert::convert))
        .routes(routes!(templates::reviews::list, templates::reviews::add, templates::reviews::remove))
        .routes(routes!(templates::installed::list))
        .routes(routes!(templates::installed::show, templates::installed::apply))
        .routes(routes!(registries::list, registries::add))
        .routes(routes!(registries::remove))
        .routes(routes!(registries::refresh))
        .routes(routes!(runs::start))
        .routes(routes!(trials::node))
        .routes(routes!(trials::preview))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show, runs::delete))
        .routes(routes!(runs::events))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::resume))
        .routes(routes!(dead_letters::bulk))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::dismiss))
        .routes(routes!(answers::answer))
        .routes(routes!(rerun::rerun))
        .routes(routes!(runs::document))
        .routes(routes!(statistics::show))
        .routes(routes!(streams::run))
        .routes(routes!(streams::organisation))
        .routes(routes!(notifications::watch))
        .routes(routes!(node_types::list))
        .routes(routes!(node_types::show))
        .routes(routes!(node_types::schema))
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::change, users::remove))
        .routes(routes!(keys::list, keys::add))
        .routes(routes!(keys::remove))
        .routes(routes!(targets::list, targets::add))
        .routes(routes!(targets::show, targets::change, targets::remove))
        .routes(routes!(targets::test))
        .routes(routes!(targets::import))
        .routes(routes!(target_status::watch))
        .routes(routes!(stacks::list, stacks::add))
        .routes(routes!(stacks::show, stacks::change, stacks::remove))
        .routes(routes!(stacks::versions))
        .routes(routes!(stacks::preview_text))
        .routes(routes!(stacks::deploy))
        .routes(routes!(stacks::plan))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::show, deployments::stop))
        .routes(routes!(deployments::logs))
        .routes(routes!(deployments::status))
        .routes(routes!(deployments::variables))
        .routes(routes!(deployments::rollback))
        .routes(routes!(deployments::act))
        .routes(routes!(credentials::list))
        .routes(routes!(credentials::show, credentials::set, credentials::remove))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove));
    OpenApiRouter::with_openapi(Document::openapi())
        .nest("/api/v1", v1)
        .routes(routes!(health::healthy))
        .routes(routes!(health::ready))
        .routes(routes!(health::started))
        .routes(routes!(health::metrics))
}

/// The OpenAPI document of the API, as JSON.
///
/// # Errors
/// Where it cannot be written, which the tests rule out.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&document::tidy(routes().into_openapi()))?;
    text.push('\n');
    Ok(text)
}

/// Everything that the server answers.
pub(crate) fn router(app: App) -> Router {
    let (router, document) = routes().split_for_parts();
    let parameters = Parameters::of(&document);
    let document = serde_json::to_string(&document::tidy(document)).unwrap_or_default();
    let mut router = router
        .route("/api/v1/openapi.json", get(async move || ([("content-type", "application/json")], document)))
        // Before the layers, which otherwise do not see what takes none of the methods: the question of a browser, first of all.
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(parameters, parameters::known))
        .layer(from_fn_with_state(app.clone(), limits::limited));
    // Only what stands here already is for pages of other addresses: webhooks answer every method themselves.
    if !app.settings.allow_origins.is_empty() {
        router = router.layer(cors::layer(&app.settings.allow_origins));
    }
    router
        .route("/api/docs", get(editor::api_docs))
        .route("/callbacks/{organisation}/{run}/{node}/{token}", post(answers::callback))
        .route("/hooks/{organisation}/{*path}", any(hooks::receive))
        .fallback(editor::serve)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(app.settings.max_body_bytes))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(from_fn_with_state(app.clone(), layers::audited))
        .layer(from_fn_with_state(app.clone(), layers::in_time))
        .layer(from_fn_with_state(app.clone(), layers::counted))
        .layer(from_fn_with_state(app.clone(), layers::guarded))
        .with_state(app)
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take this method")
}
