//! What was installed: which stack or workflow came from which template.

use semver::Version;
use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected};
use windflow_core::run::Timestamp;
use windflow_marketplace::manifest::Kind;
use windflow_stacks::book::BookError;

use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::App;

const PREFIX: &str = "installed/";

/// A stack or workflow that came from a template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Installed {
    pub(crate) kind: Kind,
    /// Name of the stack or workflow.
    #[serde(rename = "as")]
    pub(crate) name: String,
    pub(crate) registry: String,
    pub(crate) template: String,
    pub(crate) version: Version,
    /// Its text as it was installed, by which a change by hand is told.
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) by: String,
}

fn key(kind: Kind, name: &str) -> String {
    format!("{PREFIX}{}/{name}", kind.word())
}

/// Everything that was installed and is still there.
pub(crate) fn all(app: &App, organisation: &OrganisationId) -> Answer<Vec<Installed>> {
    let mut found = Vec::new();
    for kept in kept::all::<Installed>(&*app.records, organisation, PREFIX)? {
        if is_there(app, organisation, &kept.value)? {
            found.push(kept.value);
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
pub(crate) fn one(app: &App, organisation: &OrganisationId, kind: Kind, name: &str) -> Answer<Kept<Installed>> {
    let found = kept::read::<Installed>(&*app.records, organisation, &key(kind, name))?;
    let there = match &found {
        Some(kept) => is_there(app, organisation, &kept.value)?,
        None => false,
    };
    found
        .filter(|_| there)
        .ok_or_else(|| Problem::not_found(format!("{} {name} that was installed from a template", kind.word())))
}

/// Remembers it. What was installed under this name before, and removed since, is forgotten.
pub(crate) fn put(organisation: &OrganisationId, installed: &Installed, expected: Expected) -> Answer<Change> {
    let key = key(installed.kind, &installed.name);
    Ok(Change::put(organisation, key, expected, kept::encode(installed)?))
}

/// Forgets it.
pub(crate) fn delete(organisation: &OrganisationId, kind: Kind, name: &str) -> Change {
    Change::delete(organisation, key(kind, name), Expected::Any)
}
