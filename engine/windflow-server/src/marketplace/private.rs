//! Templates that an organisation keeps to itself.

use windflow_core::id::OrganisationId;
use windflow_marketplace::authored;
use windflow_marketplace::files::{Fault, Files};
use windflow_marketplace::index::{Entry, make};
use windflow_marketplace::manifest::Kind;

use super::reviews;
use crate::catalogue;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

/// What is wrong with a template that somebody wants to publish.
pub(crate) enum Refusal {
    /// Its files.
    Faults(Vec<Fault>),
    /// Something else.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// The files of the latest version of a template, where there is one of this kind.
pub(crate) fn latest(app: &App, organisation: &OrganisationId, name: &str, kind: Kind) -> Answer<Option<Files>> {
    let ledger = app.ledger(organisation);
    let Some((entry, packed)) = ledger.own_latest(name)? else { return Ok(None) };
    let package = ledger.package(&entry, &packed)?;
    authored::before(&package, kind).map_err(|error| Problem::internal(format!("the template {name}: {error}")))
}

/// Publishes a template within the organisation, after the same checks as a registry's; what could be better of it.
pub(crate) async fn publish(
    app: &App,
    organisation: &OrganisationId,
    files: Files,
    by: &str,
) -> Result<(Entry, Vec<Fault>), Refusal> {
    let workflow = files.get(Kind::Workflow.document()).and_then(|text| String::from_utf8(text.clone()).ok());
    let made = blocking(move || make(&files)).await?.map_err(Refusal::Faults)?;
    if let (Kind::Workflow, Some(text)) = (made.entry.kind(), workflow) {
        let checked = catalogue::check(app, organisation, text).await?;
        if !checked.is_valid() {
            let fault = |problem| Fault { file: Kind::Workflow.document().to_owned(), problem };
            return Err(Refusal::Faults(checked.problems.into_iter().map(fault).collect()));
        }
    }
    let _turn = app.marketplace.turn.lock().await;
    let warnings = made.warnings.clone();
    let ledger = app.ledger(organisation);
    let entry = ledger.publish(made, by, app.now())?;
    ledger.durable().await?;
    app.marketplace.forget(organisation);
    Ok((entry, warnings))
}

/// Takes a template away, with its packages and what was said of it. What was installed of it stays.
pub(crate) async fn remove(app: &App, organisation: &OrganisationId, name: &str) -> Answer<()> {
    let _turn = app.marketplace.turn.lock().await;
    let ledger = app.ledger(organisation);
    ledger.remove(name)?;
    reviews::forget(app, organisation, (super::PRIVATE, name))?;
    ledger.durable().await?;
    app.marketplace.forget(organisation);
    Ok(())
}
