//! The API: its routes, and the document that describes them.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;
use windflow_core::manifest::MAX_PACKAGE_BYTES;

use crate::problem::{Answer, Problem, ProblemBody};
use crate::state::{App, blocking};
use crate::{cors, editor, hooks, layers, limits};

pub(crate) use self::extract::identify;
use self::parameters::Parameters;

mod answers;
mod archive;
mod audit;
mod auth;
mod changes;
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
mod plugins;
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
        (name = "plugins", description = "Where node types come from. What is installed is for everybody whom the server serves, whatever organisation they are of"),
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

/// What is under `/api/v1`, one after the other.
fn v1(add: &mut dyn FnMut(UtoipaMethodRouter<App>)) {
    add(routes!(auth::setup));
    add(routes!(auth::login));
    add(routes!(auth::refresh));
    add(routes!(auth::logout));
    add(routes!(auth::password));
    add(routes!(auth::me));
    add(routes!(sessions::list));
    add(routes!(sessions::end));
    add(routes!(auth::state));
    add(routes!(workflows::list, workflows::create));
    add(routes!(workflows::labels));
    add(routes!(workflows::show, workflows::delete));
    add(routes!(workflows::document, workflows::replace));
    add(routes!(edits::edit));
    add(routes!(workflows::enable));
    add(routes!(workflows::disable));
    add(routes!(triggers::of_workflow));
    add(routes!(triggers::list));
    add(routes!(kept_state::keepers));
    add(routes!(kept_state::list, kept_state::clear));
    add(routes!(presence::here));
    add(routes!(versions::list));
    add(routes!(versions::show));
    add(routes!(versions::changes));
    add(routes!(versions::restore));
    add(routes!(drafts::list));
    add(routes!(drafts::show, drafts::keep, drafts::discard));
    add(routes!(archive::export));
    add(routes!(archive::import));
    add(routes!(events::publish));
    add(routes!(audit::list));
    add(routes!(validate::validate));
    add(routes!(templates::list, templates::publish::publish));
    add(routes!(templates::detail::show, templates::publish::remove));
    add(routes!(templates::pictures::icon));
    add(routes!(templates::pictures::preview));
    add(routes!(templates::install::install));
    add(routes!(templates::convert::convert));
    add(routes!(templates::reviews::list, templates::reviews::add, templates::reviews::remove));
    add(routes!(templates::installed::list));
    add(routes!(templates::installed::show, templates::installed::apply));
    add(routes!(registries::list, registries::add));
    add(routes!(registries::remove));
    add(routes!(registries::refresh));
    add(routes!(runs::start));
    add(routes!(trials::node));
    add(routes!(trials::preview));
    add(routes!(runs::list));
    add(routes!(runs::show, runs::delete));
    add(routes!(runs::events));
    add(routes!(runs::cancel));
    add(routes!(runs::resume));
    add(routes!(dead_letters::bulk));
    add(routes!(dead_letters::list));
    add(routes!(dead_letters::dismiss));
    add(routes!(answers::answer));
    add(routes!(rerun::rerun));
    add(routes!(runs::document));
    add(routes!(statistics::show));
    add(routes!(streams::run));
    add(routes!(streams::organisation));
    add(routes!(notifications::watch));
    add(routes!(node_types::list));
    add(routes!(node_types::show));
    add(routes!(node_types::schema));
    add(large(routes!(plugins::list, plugins::install)));
    add(large(routes!(plugins::preview)));
    add(routes!(plugins::remove));
    add(routes!(users::list, users::add));
    add(routes!(users::change, users::remove));
    add(routes!(keys::list, keys::add));
    add(routes!(keys::remove));
    add(routes!(targets::list, targets::add));
    add(routes!(targets::show, targets::change, targets::remove));
    add(routes!(targets::test::test));
    add(routes!(targets::import::import));
    add(routes!(target_status::watch));
    add(routes!(stacks::list, stacks::add));
    add(routes!(stacks::show, stacks::change, stacks::remove));
    add(routes!(stacks::versions::list));
    add(routes!(stacks::versions::show));
    add(routes!(stacks::versions::changes));
    add(routes!(stacks::versions::restore));
    add(routes!(stacks::versions::clone));
    add(routes!(stacks::preview_text));
    add(routes!(stacks::deploy));
    add(routes!(stacks::plan));
    add(routes!(deployments::list));
    add(routes!(deployments::show, deployments::stop));
    add(routes!(deployments::logs::read));
    add(routes!(deployments::logs::watch));
    add(routes!(deployments::status));
    add(routes!(deployments::variables));
    add(routes!(deployments::rollback));
    add(routes!(deployments::scale::scale));
    add(routes!(deployments::act));
    add(routes!(credentials::list));
    add(routes!(credentials::show, credentials::set, credentials::remove));
    add(routes!(secrets::list));
    add(routes!(secrets::set, secrets::remove));
}

/// A route that takes packed plugins, which are larger than all else that is sent.
fn large((schemas, paths, methods): UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    (schemas, paths, methods.layer(DefaultBodyLimit::max(MAX_PACKAGE_BYTES)))
}

/// How the server is, for those who watch it.
fn probes(add: &mut dyn FnMut(UtoipaMethodRouter<App>)) {
    add(routes!(health::healthy));
    add(routes!(health::ready));
    add(routes!(health::started));
    add(routes!(health::metrics));
}

const V1: &str = "/api/v1";

fn whole_document() -> utoipa::openapi::OpenApi {
    let collected = |routes: fn(&mut dyn FnMut(UtoipaMethodRouter<App>)), document| {
        let mut router = OpenApiRouter::with_openapi(document);
        routes(&mut |route| router = std::mem::take(&mut router).routes(route));
        router
    };
    let v1 = collected(v1, OpenApiRouter::<App>::new().into_openapi());
    document::tidy(collected(probes, Document::openapi()).nest(V1, v1).into_openapi())
}

/// The routes and the parameters that they take, without their document: it is made for whoever asks for it, since it takes
/// more memory than all else that the server begins with.
fn routes() -> (Router<App>, Parameters) {
    let mut parameters = Parameters::default();
    let mut collected = |routes: fn(&mut dyn FnMut(UtoipaMethodRouter<App>)), prefix: &str| {
        let mut router = Router::new();
        routes(&mut |(_, paths, methods)| {
            parameters.add(prefix, &paths);
            for path in paths.paths.keys() {
                router = std::mem::take(&mut router).route(path, methods.clone());
            }
        });
        router
    };
    let (v1, probes) = (collected(v1, V1), collected(probes, ""));
    (probes.nest(V1, v1), parameters)
}

/// The OpenAPI document of the API, as JSON.
///
/// # Errors
/// Where it cannot be written, which the tests rule out.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&whole_document())?;
    text.push('\n');
    Ok(text)
}

/// Everything that the server answers.
pub(crate) fn router(app: App) -> Router {
    let (router, parameters) = routes();
    let mut router = router
        .route("/api/v1/openapi.json", get(openapi_json))
        // Before the layers, which otherwise do not see what takes none of the methods: the question of a browser, first of all.
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::new(parameters), parameters::known))
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

/// The document, made for the first who asks.
async fn openapi_json() -> Answer<impl IntoResponse> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text =
        blocking(|| DOCUMENT.get_or_init(|| serde_json::to_string(&whole_document()).unwrap_or_default())).await?;
    Ok(([("content-type", "application/json")], text.as_str()))
}

async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take this method")
}
