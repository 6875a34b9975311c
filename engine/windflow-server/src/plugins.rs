//! Plugins of the server: who may change them, who uses them, and why they are refused.
//!
//! They belong to no organisation. What is installed is offered to all, so that only those of the organisation that the server
//! began with change it.

use axum::body::Bytes;
use axum::http::StatusCode;
use windflow_core::id::{NodeTypeRef, OrganisationId, WorkflowName};
use windflow_core::ports::plugins::{Agreed, InstalledPlugin, PluginError, PluginPreview};
use windflow_core::workflow::{Children, Workflow};

use crate::people::{self, Caller};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};
use crate::{catalogue, children, kept};

pub use self::fit::{Unfit, unfit};

mod fit;

/// Packages that are taken at the same time. Each may have 64 MiB.
pub(crate) const AT_ONCE: usize = 2;

/// So many workflows are named; of more there is the number.
const NAMED: usize = 20;

/// Refuses those of organisations that only share the server.
pub(crate) fn of_whole_server(app: &App, caller: &Caller) -> Answer<()> {
    let first = caller.organisation == OrganisationId::local();
    if first || people::organisations(&*app.records)?.iter().all(|one| one.id == caller.organisation) {
        return Ok(());
    }
    let detail = "plugins are for everybody whom this server serves: those of the organisation `local` look after them";
    Err(Problem::new(StatusCode::FORBIDDEN, "not_your_server", detail)
        .remedy("ask one of its admins, or run `windflow plugins install` on the machine of the server"))
}

/// What somebody has to know of a package before they agree to it.
pub(crate) async fn preview(app: &App, organisation: &OrganisationId, package: Bytes) -> Answer<PluginPreview> {
    let (app, organisation) = (app.clone(), organisation.clone());
    blocking(move || {
        let mut shown = app.plugins.preview(&package)?;
        if let Some(before) = shown.before.as_mut().filter(|_| !shown.installed) {
            let offered = app.plugins.offers(&package)?;
            let unfit = fit::find(&*app.records, &organisation, &*app.registry, &offered)?;
            (before.unfit, before.unfit_more) = (unfit.workflows, unfit.more);
        }
        Ok(shown)
    })
    .await?
}

/// Installs a package that somebody agreed to. Tells what it is, and whether anything has changed.
pub(crate) async fn install(
    app: &App,
    organisation: &OrganisationId,
    package: Bytes,
    agreed: Agreed,
) -> Answer<(PluginPreview, bool)> {
    // Nobody switches a workflow on meanwhile.
    let turn = app.active.turn.lock().await;
    let shown = preview(app, organisation, package.clone()).await?;
    if let Some(before) = shown.before.as_ref().filter(|before| !before.gone.is_empty()) {
        let gone: Vec<String> = before.gone.iter().map(ToString::to_string).collect();
        let what = format!("{} {} offers {} no more, which", shown.name, shown.version, gone.join(", "));
        refuse_used(app, organisation, before.gone.clone(), what).await?;
    }
    if agreed.digest == shown.digest {
        refuse_unfit(&shown, agreed)?;
    }
    let plugins = app.plugins.clone();
    let changed = blocking(move || plugins.install(package.into(), agreed)).await??;
    drop(turn);
    // Triggers that were off because it was missing.
    if changed && let Err(problem) = catalogue::arm_all(app).await {
        tracing::error!(%problem, "the triggers of workflows could not be looked through after a plugin was installed");
    }
    Ok((shown, changed))
}

/// Refuses what would stop workflows, unless somebody has agreed to that by itself.
fn refuse_unfit(shown: &PluginPreview, agreed: Agreed) -> Answer<()> {
    let Some(before) = shown.before.as_ref().filter(|before| before.stops_workflows() && !agreed.may_stop_workflows)
    else {
        return Ok(());
    };
    let told = before.unfit.iter().map(|unfit| {
        let why = unfit.problems.first().map(|first| format!(" ({}:{}: {})", first.line, first.column, first.message));
        format!("`{}`{}", unfit.workflow, why.unwrap_or_default())
    });
    let mut told: Vec<String> = told.collect();
    if before.unfit_more > 0 {
        told.push(format!("{} more", before.unfit_more));
    }
    let detail = format!(
        "{} {} does not fit workflows that are on, which could not be started any more: {}",
        shown.name,
        shown.version,
        told.join("; ")
    );
    Err(Problem::conflict("plugin_stops_workflows", detail)
        .remedy("mend them or switch them off, or agree to it with `may_stop_workflows=true`"))
}

/// Removes a plugin that no enabled workflow uses.
pub(crate) async fn remove(app: &App, organisation: &OrganisationId, name: String) -> Answer<InstalledPlugin> {
    let _turn = app.active.turn.lock().await;
    let (plugins, asked) = (app.plugins.clone(), name.clone());
    let found = blocking(move || plugins.find(&asked)).await??;
    // By its name: the command line may have put another version into its place, beside the server.
    let ours = |uses: &NodeTypeRef, plugin: &str| plugin == found.name && uses.major == found.version.major;
    let offered = app.registry.list().into_iter().filter(|(uses, node)| ours(uses, &node.manifest.plugin.name));
    let offered: Vec<NodeTypeRef> = offered.map(|(uses, _)| uses).collect();
    refuse_used(app, organisation, offered, format!("the plugin {}", found.name)).await?;
    let (plugins, digest) = (app.plugins.clone(), found.digest);
    blocking(move || plugins.remove(&digest)).await??;
    Ok(found)
}

/// Refuses what would take node types away that enabled workflows use. Names of other organisations are theirs alone.
async fn refuse_used(app: &App, asks: &OrganisationId, gone: Vec<NodeTypeRef>, what: String) -> Answer<()> {
    let app = app.clone();
    let users = blocking(move || users(&app, &gone)).await??;
    let (ours, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|(organisation, _)| organisation == asks);
    if ours.is_empty() && others.is_empty() {
        return Ok(());
    }
    let mut named: Vec<String> = ours.iter().take(NAMED).map(|(_, name)| format!("`{name}`")).collect();
    if ours.len() > NAMED {
        named.push(format!("{} more", ours.len() - NAMED));
    }
    if !others.is_empty() {
        named.push(format!("{} of other organisations", others.len()));
    }
    let detail = format!("{what} is used by workflows that are on: {}", named.join(", "));
    Err(Problem::conflict("plugin_in_use", detail).remedy("switch them off, or let them use another node type"))
}

/// The enabled workflows of all organisations that use one of these node types, themselves or by workflows that they run.
fn users(app: &App, gone: &[NodeTypeRef]) -> Answer<Vec<(OrganisationId, WorkflowName)>> {
    let mut users = Vec::new();
    for organisation in people::organisations(&*app.records)? {
        for entry in kept::all::<catalogue::Entry>(&*app.records, &organisation.id, "workflows/")? {
            let catalogue::Entry { name, version, enabled, .. } = entry.value;
            if !enabled {
                continue;
            }
            let text = catalogue::version(app, &organisation.id, &name, version)?.text;
            // Of one that is not valid any more nothing runs.
            let children = children::of(app, &organisation.id, &text).unwrap_or_default();
            if uses_one(&text, gone) || runs_one(&children, gone) {
                users.push((organisation.id.clone(), name));
            }
        }
    }
    Ok(users)
}

fn runs_one(children: &Children, gone: &[NodeTypeRef]) -> bool {
    children.0.values().any(|child| uses_one(&child.document, gone) || runs_one(&child.children, gone))
}

fn uses_one(text: &str, gone: &[NodeTypeRef]) -> bool {
    // A backslash may write any letter in another way.
    if !text.contains('\\') && !gone.iter().any(|uses| text.contains(&*uses.name)) {
        return false;
    }
    Workflow::parse(text).0.is_some_and(|workflow| workflow.nodes.values().any(|node| gone.contains(&node.uses.value)))
}

impl From<PluginError> for Problem {
    fn from(error: PluginError) -> Self {
        let said = error.to_string();
        match error {
            PluginError::Unfit(_) => Self::invalid("bad_plugin", said),
            PluginError::Contract(_) => Self::invalid("plugin_contract", said),
            PluginError::Taken(_) => Self::conflict("plugin_name_taken", said),
            PluginError::Other { .. } => {
                Self::conflict("other_plugin", said).remedy("have it previewed again, and read what it may touch")
            }
            PluginError::Grown(_) => {
                Self::conflict("plugin_may_do_more", said).remedy("agree to that as well, with `may_do_more=true`")
            }
            PluginError::NotInstalled(name) => Self::not_found(format!("installed plugin {name}")),
            PluginError::BuiltIn(_) => Self::conflict("plugin_built_in", said),
            PluginError::Several(_) => Self::conflict("several_plugins", said),
            _ => Self::internal(said),
        }
    }
}
