//! Installations whose first deployment is under way. Where that comes to nothing, the stack that was made for it goes again, and is no
//! longer counted: what was tried is history, and can be tried again from there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected};
use windflow_core::ports::store::RunSummary;
use windflow_stacks::book::{Book, BookError};
use windflow_stacks::compose::is_project_name;
use windflow_stacks::deployment::{Deployment, Stack, Status};

use super::statistics;
use crate::deploying;
use crate::kept;
use crate::problem::Answer;
use crate::state::App;

/// How long a target has for taking away what is left.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stack that was made for a deployment.
#[derive(Debug, Serialize, Deserialize)]
struct First {
    registry: String,
    template: String,
    /// Number of the stack's version: what somebody has changed since stays.
    version: u32,
    /// What the stack says of itself.
    description: String,
    /// The deployment came to nothing, and the stack is gone.
    #[serde(default)]
    undone: bool,
}

fn key(stack: &str) -> String {
    format!("installing/{stack}")
}

/// That a stack is about to be deployed for the first time, kept together with it.
pub(super) fn begun(
    organisation: &OrganisationId,
    (registry, template): (&str, &str),
    stack: &Stack,
) -> Answer<Change> {
    let (registry, template, description) = (registry.to_owned(), template.to_owned(), stack.description.clone());
    let first = First { registry, template, version: stack.version, description, undone: false };
    put(organisation, &stack.name, &first)
}

fn put(organisation: &OrganisationId, stack: &str, first: &First) -> Answer<Change> {
    Ok(Change::put(organisation, key(stack), Expected::Any, kept::encode(first)?))
}

fn read(app: &App, organisation: &OrganisationId, stack: &str) -> Answer<Option<First>> {
    // The name comes from outside, and becomes part of a key.
    if !is_project_name(stack) {
        return Ok(None);
    }
    Ok(kept::read::<First>(&*app.records, organisation, &key(stack))?.map(|kept| kept.value))
}

/// That it is not any more.
pub(super) fn over(organisation: &OrganisationId, stack: &str) -> Change {
    Change::delete(organisation, key(stack), Expected::Any)
}

/// A run has ended; told again after a crash rather than never.
pub(crate) async fn ended(app: &App, organisation: &OrganisationId, run: &RunSummary) -> Answer<()> {
    if run.workflow.as_str() != deploying::WORKFLOW {
        return Ok(());
    }
    let book = app.book(organisation);
    let deployment = match book.deployment(&run.run.to_string()) {
        Ok(deployment) => deployment,
        // Somebody else's workflow of this name.
        Err(BookError::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // One that goes on is not over, whatever became of its run.
    if deployment.status == Status::Running {
        return Ok(());
    }
    let Some(first) = read(app, organisation, &deployment.stack)?.filter(|first| !first.undone) else { return Ok(()) };
    let stack = match book.stack(&deployment.stack) {
        Ok(stack) => Some(stack),
        Err(BookError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let version = first.version;
    let is_untouched = stack.is_some_and(|stack| stack.version == version) && deployment.version == Some(version);
    if deployment.status.is_good() || !is_untouched || is_elsewhere(&book, &deployment)? {
        app.records.batch(vec![over(organisation, &deployment.stack)])?;
        return Ok(());
    }
    // Not at the same moment as it is installed anew.
    let _turn = app.marketplace.turn.lock().await;
    match tokio::time::timeout(PATIENCE, tidy(app, &book, &deployment)).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => tracing::warn!(%problem, "volumes of a failed installation stay on their target"),
        Err(_) => tracing::warn!("volumes of a failed installation stay on their target, which does not answer"),
    }
    undo(app, organisation, &deployment.stack, first).await?;
    tracing::info!(stack = %deployment.stack, "the first deployment came to nothing: the stack that was made for it is gone");
    Ok(())
}

/// Takes away what is left on the target: passwords of another try would not open the databases of this one.
async fn tidy(app: &App, book: &Book, deployment: &Deployment) -> Answer<()> {
    if deployment.outcome.as_ref().is_some_and(|outcome| !outcome.left.is_empty())
        && app.reach(book, &deployment.target).await?.tidy(deployment).await?
    {
        book.tidied(&deployment.id)?;
    }
    Ok(())
}

/// Takes the stack away. Its version and where it came from stay: with them it is tried again.
async fn undo(app: &App, organisation: &OrganisationId, stack: &str, first: First) -> Answer<()> {
    let book = app.book(organisation);
    book.remove_stack(stack)?;
    let first = First { undone: true, ..first };
    count(app, organisation, stack, &first, |installs| installs.saturating_sub(1))?;
    Ok(book.durable().await?)
}

/// What was to be tried again could not begin.
pub(crate) async fn not_begun(app: &App, organisation: &OrganisationId, stack: &str) -> Answer<()> {
    match read(app, organisation, stack)?.filter(|first| !first.undone) {
        Some(first) => undo(app, organisation, stack, first).await,
        None => Ok(()),
    }
}

/// Whether a stack is gone because its first deployment came to nothing.
pub(crate) fn is_undone(app: &App, organisation: &OrganisationId, stack: &str) -> Answer<bool> {
    let book = app.book(organisation);
    if !matches!(book.stack(stack), Err(BookError::NotFound(_))) {
        return Ok(false);
    }
    let Some(first) = read(app, organisation, stack)?.filter(|first| first.undone) else { return Ok(false) };
    // Not where somebody has made one of this name since, and forgotten that.
    Ok(book.stack_versions(stack, Some(first.version), 1)?.0.is_empty())
}

/// It is tried again: the stack is there once more, until that has come to nothing as well.
pub(crate) fn again(app: &App, organisation: &OrganisationId, stack: &str, by: &str) -> Answer<()> {
    let Some(first) = read(app, organisation, stack)?.filter(|first| first.undone) else { return Ok(()) };
    let book = app.book(organisation);
    book.bring_back_stack(stack, &first.description, first.version, by, app.now())?;
    count(app, organisation, stack, &First { undone: false, ..first }, |installs| installs + 1)
}

/// Keeps how it stands, and counts the installation accordingly.
fn count(
    app: &App,
    organisation: &OrganisationId,
    stack: &str,
    first: &First,
    change: impl Fn(u64) -> u64,
) -> Answer<()> {
    statistics::write(app, || {
        let count = statistics::change(app, organisation, (&first.registry, &first.template), |numbers| {
            numbers.installs = change(numbers.installs);
        })?;
        Ok(vec![count, put(organisation, stack, first)?])
    })
}

/// Whether another deployment has the stack somewhere, or is about to.
fn is_elsewhere(book: &Book, deployment: &Deployment) -> Answer<bool> {
    let mut after = None::<String>;
    loop {
        let (targets, next) = book.targets(after.as_deref(), 500)?;
        for target in targets {
            let current = book.current(&target.name, &deployment.stack)?.unwrap_or_default();
            if current.good.is_some() || current.under_way.is_some_and(|other| other != deployment.id) {
                return Ok(true);
            }
        }
        after = next;
        if after.is_none() {
            return Ok(false);
        }
    }
}
