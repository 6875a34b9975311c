//! Plugins: previewed, installed, removed. They are the server's, and no organisation's.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use windflow_core::id::Digest;
use windflow_core::manifest::{Text, reach};
use windflow_core::ports::plugins::{
    Agreed, InstalledPlugin, PluginBefore, PluginOrigin, PluginPreview, ProblemThen, UnfitWorkflow,
};

use super::extract::{Allowed, OfWholeServer, PackageBody, Path, Query, need};
use super::page::Page;
use super::refusals::Refusals;
use crate::audit::Changed;
use crate::plugins;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// A text by language.
type Words = BTreeMap<String, String>;

/// A plugin that the server has.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugin {
    name: String,
    version: String,
    /// SHA-256 of its package. Grants bind to it.
    digest: String,
    /// What it offers, as workflows write it; nothing where it could not be loaded.
    node_types: Vec<String>,
    /// What it may touch, in one sentence, by language.
    reach: Option<Words>,
    /// `built_in`, `upload`, `file` or `address`.
    origin: PluginFrom,
    /// When it was installed, where it is no part of the server.
    installed_at: Option<u64>,
}

/// Where a plugin came from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PluginFrom {
    /// It is part of the server.
    BuiltIn,
    /// It was sent to the server.
    Upload,
    /// A file of the server's machine.
    File,
    /// An address.
    Address,
}

impl From<PluginOrigin> for PluginFrom {
    fn from(origin: PluginOrigin) -> Self {
        match origin {
            PluginOrigin::BuiltIn => Self::BuiltIn,
            PluginOrigin::Upload => Self::Upload,
            PluginOrigin::File => Self::File,
            PluginOrigin::Address => Self::Address,
        }
    }
}

/// What to know of a package before agreeing to it. Nothing of it was run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PluginPreview)]
pub(crate) struct PreviewView {
    name: String,
    version: String,
    description: Words,
    /// SPDX expression.
    license: Option<String>,
    /// SHA-256 of the package: what is agreed to.
    digest: String,
    /// Bytes of the package.
    size: u64,
    node_types: Vec<OfferedView>,
    /// It only computes: it cannot read a clock, a file or a socket.
    pure: bool,
    /// What it asks for.
    capabilities: Value,
    /// What it may touch, in one sentence, by language.
    reach: Words,
    /// The same one by one, each as what follows "it may".
    may: Vec<Words>,
    /// It names no hosts of its own: it reaches those that a workflow allows.
    any_host: bool,
    /// Names that are spelt almost as those of built-in node types, and have nothing to do with them.
    alike: Vec<AlikeView>,
    /// The version that is installed, where there is one.
    before: Option<BeforeView>,
    /// This very package is installed already.
    installed: bool,
}

/// A node type that a plugin offers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfferedNodeType)]
struct OfferedView {
    #[schema(example = "greet@1")]
    uses: String,
    title: Words,
    description: Words,
}

/// A name, and the one that it is easily taken for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlikeName)]
struct AlikeView {
    name: String,
    own: String,
}

/// The version of a plugin that is installed, held against the package.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PluginBefore)]
struct BeforeView {
    version: String,
    digest: String,
    /// It is of another major version, and stays beside the new one.
    stays: bool,
    /// What the package may do beyond it, each as what follows "it may".
    more: Vec<Words>,
    /// What it may do that the package may not.
    less: Vec<Words>,
    /// Node types that are offered no more.
    gone: Vec<String>,
    /// Workflows of the caller's organisation that are on, fit now, and could not be started any more.
    unfit: Vec<UnfitView>,
    /// How many more there are, beyond those that are told and of other organisations.
    unfit_more: usize,
}

/// A workflow that would not fit a plugin any more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnfitWorkflow)]
struct UnfitView {
    workflow: String,
    /// What would be wrong with it, the first of them.
    problems: Vec<ProblemThenView>,
}

/// What would be wrong with a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemThen)]
struct ProblemThenView {
    /// Stable, in snake case.
    code: String,
    message: String,
    /// Line, from 1.
    line: u32,
    /// Column, from 1, in characters.
    column: u32,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl From<UnfitWorkflow> for UnfitView {
    fn from(unfit: UnfitWorkflow) -> Self {
        let problems = unfit.problems.into_iter().map(|problem| {
            let ProblemThen { code, message, line, column, remedy } = problem;
            ProblemThenView { code, message, line, column, remedy }
        });
        Self { workflow: unfit.workflow, problems: problems.collect() }
    }
}

fn words(texts: Vec<Text>) -> Vec<Words> {
    texts.into_iter().map(|text| text.0).collect()
}

fn strings(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn view(preview: PluginPreview) -> Answer<PreviewView> {
    let offered = preview.node_types.into_iter().map(|node| OfferedView {
        uses: node.uses.to_string(),
        title: node.title.0,
        description: node.description.0,
    });
    let compared = |before: PluginBefore| BeforeView {
        version: before.version.to_string(),
        digest: before.digest.to_string(),
        stays: before.stays,
        more: words(before.more),
        less: words(before.less),
        gone: strings(&before.gone),
        unfit: before.unfit.into_iter().map(Into::into).collect(),
        unfit_more: before.unfit_more,
    };
    Ok(PreviewView {
        name: preview.name,
        version: preview.version.to_string(),
        description: preview.description.0,
        license: preview.license,
        digest: preview.digest.to_string(),
        size: preview.size,
        node_types: offered.collect(),
        pure: preview.pure,
        capabilities: serde_json::to_value(&preview.capabilities).map_err(Problem::internal)?,
        reach: preview.reach.0,
        may: words(preview.may),
        any_host: preview.any_host,
        alike: preview.alike.into_iter().map(|alike| AlikeView { name: alike.name, own: alike.own }).collect(),
        before: preview.before.map(compared),
        installed: preview.installed,
    })
}

/// Every plugin of the server: its own, and those that were installed. There are few: they are one page.
#[utoipa::path(
    get, path = "/plugins", tag = "plugins", operation_id = "list_plugins", security(("token" = ["workflows:read"])),
    responses((status = 200, description = "As asked", body = Page<Plugin>), Refusals)
)]
pub(crate) async fn list(_: Allowed<need::WorkflowsRead>, State(app): State<App>) -> Answer<axum::Json<Page<Plugin>>> {
    let port = app.plugins.clone();
    let installed: BTreeMap<Digest, InstalledPlugin> =
        blocking(move || port.installed()).await??.into_iter().map(|one| (one.digest, one)).collect();
    let mut all: BTreeMap<(String, Digest), Plugin> = BTreeMap::new();
    for (uses, node) in app.registry.list() {
        let (plugin, digest) = (&node.manifest.plugin, node.component);
        let known = installed.get(&digest);
        let one = all.entry((plugin.name.clone(), digest)).or_insert_with(|| Plugin {
            name: plugin.name.clone(),
            version: plugin.version.to_string(),
            digest: digest.to_string(),
            node_types: Vec::new(),
            reach: Some(reach(&node.manifest.capabilities, node.pure).0),
            origin: known.map_or(PluginOrigin::BuiltIn, |known| known.origin).into(),
            installed_at: known.map(|known| known.installed_at.0),
        });
        one.node_types.push(uses.to_string());
    }
    // What was installed beside the server since it started, and what could not be loaded.
    for (digest, one) in installed {
        all.entry((one.name.clone(), digest)).or_insert_with(|| Plugin {
            name: one.name,
            version: one.version.to_string(),
            digest: digest.to_string(),
            node_types: Vec::new(),
            reach: None,
            origin: one.origin.into(),
            installed_at: Some(one.installed_at.0),
        });
    }
    Ok(axum::Json(Page::new(all.into_values().collect(), None::<String>)))
}

/// What a plugin may touch, what has grown since the version that is installed, and which workflows it would stop. Nothing is changed, and nothing of it is run.
#[utoipa::path(
    post, path = "/plugins/preview", tag = "plugins", operation_id = "preview_plugin",
    security(("token" = ["plugins:manage"])),
    request_body(content = String, content_type = "application/wasm", description = "A packed plugin, 64 MiB at most"),
    responses((status = 200, description = "What to know before agreeing to it", body = PreviewView), Refusals)
)]
pub(crate) async fn preview(
    allowed: Allowed<need::PluginsManage>,
    _: OfWholeServer,
    State(app): State<App>,
    package: PackageBody,
) -> Answer<axum::Json<PreviewView>> {
    Ok(axum::Json(view(plugins::preview(&app, &allowed.0.organisation, package.0.clone()).await?)?))
}

/// What somebody agreed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InstallQuery {
    /// `digest` of the preview: what is agreed to holds for these very bytes.
    #[param(pattern = "^sha256:[0-9a-f]{64}$")]
    digest: String,
    /// The plugin may do what `more` of the preview's `before` says.
    #[serde(default)]
    may_do_more: bool,
    /// The workflows that `unfit` of the preview's `before` tells may stop.
    #[serde(default)]
    may_stop_workflows: bool,
}

/// Install a plugin for everybody whom the server serves, whatever organisation they are of. New runs have its node types at once;
/// runs that have begun go on with what they began with. The version of the same major number before it gives up its place.
#[utoipa::path(
    post, path = "/plugins", tag = "plugins", operation_id = "install_plugin", params(InstallQuery),
    security(("token" = ["plugins:manage"])),
    request_body(content = String, content_type = "application/wasm", description = "A packed plugin, 64 MiB at most"),
    responses(
        (status = 200, description = "It was installed before", body = PreviewView),
        (status = 201, description = "It is installed", body = PreviewView), Refusals
    )
)]
pub(crate) async fn install(
    allowed: Allowed<need::PluginsManage>,
    _: OfWholeServer,
    State(app): State<App>,
    Query(query): Query<InstallQuery>,
    package: PackageBody,
) -> Answer<Response> {
    let digest: Digest = query.digest.parse().map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_query",
            "`digest` is no digest: it is `sha256:` and 64 hexadecimal digits",
        )
    })?;
    let agreed = Agreed { digest, may_do_more: query.may_do_more, may_stop_workflows: query.may_stop_workflows };
    let (shown, changed) = plugins::install(&app, &allowed.0.organisation, package.0.clone(), agreed).await?;
    let what = Changed(format!("/api/v1/plugins/{}@{}?digest={}", shown.name, shown.version, shown.digest));
    let status = if changed { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, axum::Json(view(shown)?)).into_response();
    response.extensions_mut().insert(what);
    Ok(response)
}

/// Remove an installed plugin, for everybody. Refused while enabled workflows use it. Runs that have begun go on with it until the
/// server is started again.
#[utoipa::path(
    delete, path = "/plugins/{name}", tag = "plugins", operation_id = "remove_plugin",
    params(("name" = String, Path, description = "Its name, with its major version where several are installed: `greet` or `greet@1`")),
    security(("token" = ["plugins:manage"])), responses((status = 204, description = "It is done"), Refusals)
)]
pub(crate) async fn remove(
    allowed: Allowed<need::PluginsManage>,
    _: OfWholeServer,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Answer<StatusCode> {
    plugins::remove(&app, &allowed.0.organisation, name).await?;
    Ok(StatusCode::NO_CONTENT)
}
