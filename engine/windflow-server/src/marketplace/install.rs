//! Installing a template: all of it, or nothing.

use std::collections::BTreeMap;

use windflow_core::edit::{self, Edit};
use windflow_core::id::{OrganisationId, WorkflowName};
use windflow_marketplace::contents;
use windflow_marketplace::ledger::Installed;
use windflow_marketplace::manifest::Kind;
use windflow_stacks::book::BookError;
use windflow_stacks::compose::{self, is_project_name};
use windflow_stacks::deployment::{Content, Deployment, Stack};
use windflow_stacks::project::Project;
use windflow_stacks::risk::risks;

use super::{Found, first, statistics};
use crate::catalogue;
use crate::deploying;
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What is wanted of a template.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// What the stack or workflow is to be called.
    pub(crate) name: String,
    pub(crate) variables: BTreeMap<String, String>,
    /// Deploy the stack there.
    pub(crate) target: Option<String>,
    /// Risks that are confirmed.
    pub(crate) confirm: Vec<String>,
    /// Switch the triggers of the workflow on.
    pub(crate) enable: bool,
}

/// Installs a template; the deployment that was begun, where one was wanted.
pub(crate) async fn install(
    app: &App,
    organisation: &OrganisationId,
    found: &Found,
    wish: &Wish,
    by: &str,
) -> Answer<Option<Deployment>> {
    let _turn = app.marketplace.turn.lock().await;
    match found.template.manifest.kind {
        Kind::Stack => stack(app, organisation, found, wish, by).await,
        Kind::Workflow => workflow(app, organisation, found, wish, by).await.map(|()| None),
    }
}

/// Keeps what was installed in mind, and counts it; with a stack that is about to be deployed for the first time.
fn remember(
    app: &App,
    organisation: &OrganisationId,
    found: &Found,
    (name, text): (&str, &str),
    first: Option<&Stack>,
    by: &str,
) -> Answer<()> {
    let manifest = &found.template.manifest;
    let record = Installed {
        kind: manifest.kind,
        name: name.to_owned(),
        registry: found.registry.clone(),
        template: manifest.name.clone(),
        version: manifest.version.clone(),
        text: text.to_owned(),
        at: app.now(),
        by: by.to_owned(),
    };
    statistics::write(app, || {
        let count = statistics::change(app, organisation, (&found.registry, &manifest.name), |numbers| {
            numbers.installs += 1;
        })?;
        let mut changes = vec![count, app.ledger(organisation).remembered(&record)?];
        if let Some(stack) = first {
            changes.push(first::begun(organisation, (&found.registry, &manifest.name), stack)?);
        }
        Ok(changes)
    })
}

/// Takes back what `remember` did.
fn forget(app: &App, organisation: &OrganisationId, found: &Found, name: &str) -> Answer<()> {
    let manifest = &found.template.manifest;
    statistics::write(app, || {
        let count = statistics::change(app, organisation, (&found.registry, &manifest.name), |numbers| {
            numbers.installs = numbers.installs.saturating_sub(1);
        })?;
        let forgotten = app.ledger(organisation).forgotten(manifest.kind, name);
        Ok(vec![count, forgotten, first::over(organisation, name)])
    })
}

async fn stack(
    app: &App,
    organisation: &OrganisationId,
    found: &Found,
    wish: &Wish,
    by: &str,
) -> Answer<Option<Deployment>> {
    let (name, template) = (&*wish.name, &found.template);
    if !is_project_name(name) {
        return Err(Problem::invalid("invalid_name", format!("{name:?} is no name of a stack"))
            .remedy("begin with a-z or 0-9 and use only a-z, 0-9, - and _, 63 at most"));
    }
    let book = app.book(organisation);
    match book.stack(name) {
        Err(BookError::NotFound(_)) => {}
        Ok(_) => {
            return Err(Problem::conflict("exists", format!("there is a stack {name} already"))
                .remedy("choose another name, or update the stack that was installed"));
        }
        Err(error) => return Err(error.into()),
    }
    deploying::are_known(&template.text, &wish.variables)?;
    // Everything is checked before anything is kept.
    let content = match &wish.target {
        Some(target) => {
            deploying::known(&book, target)?;
            let values = book.values(target, name, &compose::declared(&template.text), &wish.variables)?;
            let loaded = deploying::read(&template.text, Some(name), &values, &[]);
            let Some(project) = loaded.project else { return Err(Problem::stack(&loaded.problems)) };
            pinned(&project)?;
            confirmed(&project, &wish.confirm)?;
            Some((target, Content { project, values: loaded.values }))
        }
        None => {
            let loaded = contents::load(&template.text, Some(name), &wish.variables);
            let Some(project) = loaded.project else { return Err(Problem::stack(&loaded.problems)) };
            pinned(&project)?;
            None
        }
    };
    let summary = template.manifest.summary.get("en");
    let stack = book.keep_stack(name, summary, &template.text, by, app.now())?;
    let begun = async {
        let first = content.as_ref().map(|_| &stack);
        remember(app, organisation, found, (name, &template.text), first, by)?;
        book.durable().await?;
        match content {
            None => Ok(None),
            Some((target, content)) => {
                let version = Some(stack.version);
                deploying::begin(app, organisation, target, version, content, None, by.to_owned()).await.map(Some)
            }
        }
    };
    match begun.await {
        Ok(begun) => Ok(begun),
        Err(problem) => {
            book.undo_stack(name, stack.version)?;
            forget(app, organisation, found, name)?;
            book.durable().await?;
            Err(problem)
        }
    }
}

/// Tags may be variables: what is deployed has one all the same.
fn pinned(project: &Project) -> Answer<()> {
    let unpinned = project.services.values().find_map(|service| contents::unpinned(&service.image));
    match unpinned {
        Some(why) => Err(Problem::invalid("image_not_pinned", why).remedy("give the tag of a release, such as 1.29.3")),
        None => Ok(()),
    }
}

/// Everything that reaches beyond containers has to be confirmed by its name.
pub(crate) fn confirmed(project: &Project, confirmed: &[String]) -> Answer<()> {
    let open: Vec<_> = risks(project).into_iter().filter(|risk| !confirmed.contains(&risk.name())).collect();
    if open.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = open.iter().map(ToString::to_string).collect();
    let names: Vec<_> = open.iter().map(|risk| format!("{:?}", risk.name())).collect();
    Err(Problem::invalid("not_confirmed", format!("this reaches beyond containers: {}", told.join("; ")))
        .remedy(format!("to allow it, send `confirm: [{}]`", names.join(", "))))
}

/// The text of a workflow under another name.
pub(crate) fn renamed(text: &str, name: &str) -> Answer<String> {
    let set = Edit::Set { path: vec!["name".into()], value: name.into() };
    edit::apply(text, &[set]).map(|edited| edited.text).map_err(|error| Problem::invalid("invalid_name", error.message))
}

async fn workflow(app: &App, organisation: &OrganisationId, found: &Found, wish: &Wish, by: &str) -> Answer<()> {
    let name: WorkflowName = wish.name.parse().map_err(|error| Problem::invalid("invalid_name", format!("{error}")))?;
    if wish.target.is_some() || !wish.variables.is_empty() || !wish.confirm.is_empty() {
        return Err(Problem::invalid("not_a_stack", "a workflow is not deployed: its inputs are given when it runs")
            .remedy("leave `target`, `deploy`, `variables` and `confirm` out"));
    }
    let text = renamed(&found.template.text, name.as_str())?;
    catalogue::create(app, organisation, text.clone(), by.to_owned()).await?;
    let kept = async {
        remember(app, organisation, found, (name.as_str(), &text), None, by)?;
        if wish.enable {
            catalogue::enable(app, organisation, &name, true, by.to_owned()).await?;
        }
        app.book(organisation).durable().await.map_err(Problem::from)
    };
    if let Err(problem) = kept.await {
        catalogue::undo(app, organisation, &name).await?;
        forget(app, organisation, found, name.as_str())?;
        return Err(problem);
    }
    Ok(())
}
