//! What was installed and is still there: which stack or workflow came from which template.

use windflow_core::id::OrganisationId;
use windflow_marketplace::ledger::Installed;
use windflow_marketplace::manifest::Kind;
use windflow_stacks::book::BookError;

use crate::problem::{Answer, Problem};
use crate::state::App;

/// Everything that was installed and is still there.
pub(crate) fn all(app: &App, organisation: &OrganisationId) -> Answer<Vec<Installed>> {
    let mut found = Vec::new();
    for installed in app.ledger(organisation).installed()? {
        if is_there(app, organisation, &installed)? {
            found.push(installed);
        }
    }
    Ok(found)
}

/// Whether the stack or workflow was not removed since.
fn is_there(app: &App, organisation: &OrganisationId, installed: &Installed) -> Answer<bool> {
    match installed.kind {
        Kind::Stack => match app.book(organisation).stack(&installed.name) {
            Ok(_) => Ok(true),
            Err(BookError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        },
        Kind::Workflow => {
            let Ok(name) = installed.name.parse() else { return Ok(false) };
            Ok(app.records.get(organisation, &crate::catalogue::entry_key(&name))?.is_some())
        }
    }
}

/// What is known of a stack or workflow that was installed.
pub(crate) fn one(app: &App, organisation: &OrganisationId, kind: Kind, name: &str) -> Answer<Installed> {
    let found = app.ledger(organisation).installed_as(kind, name)?;
    let there = match &found {
        Some(installed) => is_there(app, organisation, installed)?,
        None => false,
    };
    let missing = || Problem::not_found(format!("{} {name} that was installed from a template", kind.word()));
    found.filter(|_| there).ok_or_else(missing)
}
