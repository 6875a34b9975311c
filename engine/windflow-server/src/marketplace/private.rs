//! Templates that an organisation keeps to itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use windflow_core::id::OrganisationId;
use windflow_core::ports::records::{Change, Expected, RecordsError};
use windflow_core::run::Timestamp;
use windflow_marketplace::files::{Fault, Files};
use windflow_marketplace::index::{Entry, Made, Packed, make};
use windflow_marketplace::manifest::Kind;

use super::reviews;
use crate::catalogue;
use crate::kept::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

const PREFIX: &str = "templates/";

/// Versions of a template at most.
const MAX_VERSIONS: usize = 50;
/// Templates of an organisation at most.
const MAX_TEMPLATES: usize = 2000;

/// Names that stand for something else in addresses.
const RESERVED: [&str; 2] = ["installed", "convert"];

/// A template of an organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Private {
    entry: Entry,
    at: Timestamp,
    by: String,
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn package_key(name: &str, version: &semver::Version) -> String {
    format!("template-packages/{name}/{version}")
}

/// All of them.
pub(super) fn entries(app: &App, organisation: &OrganisationId) -> Answer<Vec<Arc<Entry>>> {
    let all = kept::all::<Private>(&*app.records, organisation, PREFIX)?;
    Ok(all.into_iter().map(|kept| Arc::new(kept.value.entry)).collect())
}

/// The package of a version.
pub(super) fn package(
    app: &App,
    organisation: &OrganisationId,
    entry: &Entry,
    packed: &Packed,
) -> Answer<Option<Vec<u8>>> {
    let stored = app.records.get(organisation, &package_key(entry.name(), &packed.version))?;
    Ok(stored.map(|stored| stored.value))
}

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

/// Publishes a template within the organisation, after the same checks as a registry's; what could be better of it.
pub(crate) async fn publish(
    app: &App,
    organisation: &OrganisationId,
    files: Files,
    by: &str,
) -> Result<(Entry, Vec<Fault>), Refusal> {
    let workflow = files.get(Kind::Workflow.document()).and_then(|text| String::from_utf8(text.clone()).ok());
    let Made { mut entry, package, warnings } = match blocking(move || make(&files)).await? {
        Ok(made) => made,
        Err(faults) => return Err(Refusal::Faults(faults)),
    };
    if let (Kind::Workflow, Some(text)) = (entry.kind(), workflow) {
        let checked = catalogue::check(app, organisation, text).await?;
        if !checked.is_valid() {
            let fault = |problem| Fault { file: Kind::Workflow.document().to_owned(), problem };
            return Err(Refusal::Faults(checked.problems.into_iter().map(fault).collect()));
        }
    }
    let name = entry.name().to_owned();
    if RESERVED.contains(&name.as_str()) {
        return Err(Problem::invalid("invalid_name", format!("no template can be called {name}")).into());
    }
    let _turn = app.marketplace.turn.lock().await;
    let before: Option<Kept<Private>> = kept::read(&*app.records, organisation, &key(&name))?;
    let expected = before.as_ref().map_or(Expected::Absent, |kept| Expected::Version(kept.version));
    let mut changes = Vec::new();
    match before {
        Some(kept) => {
            let old = kept.value.entry;
            let (found, wanted) = (&old.manifest.version, &entry.manifest.version);
            if wanted <= found {
                let detail = format!("template {name} is at version {found}, and this is {wanted}");
                return Err(Problem::conflict("version_exists", detail).remedy("give it a higher version").into());
            }
            entry.versions.extend(old.versions);
            for gone in entry.versions.split_off(entry.versions.len().min(MAX_VERSIONS)) {
                changes.push(Change::delete(organisation, package_key(&name, &gone.version), Expected::Any));
            }
        }
        None if entries(app, organisation)?.len() >= MAX_TEMPLATES => {
            let detail = format!("an organisation has {MAX_TEMPLATES} templates at most");
            return Err(Problem::conflict("too_many", detail).remedy("remove one").into());
        }
        None => {}
    }
    entry.updated_at = app.now().0;
    let record = Private { entry: entry.clone(), at: app.now(), by: by.to_owned() };
    let version = entry.manifest.version.clone();
    changes.push(Change::put(organisation, package_key(&name, &version), Expected::Any, package));
    changes.push(Change::put(organisation, key(&name), expected, kept::encode(&record)?));
    let changed = app.records.batch(changes)?;
    app.records.durable(changed.position).await?;
    app.marketplace.forget(organisation);
    Ok((entry, warnings))
}

/// Takes a template away, with its packages and what was said of it. What was installed of it stays.
pub(crate) async fn remove(app: &App, organisation: &OrganisationId, name: &str) -> Answer<()> {
    let _turn = app.marketplace.turn.lock().await;
    let found: Option<Kept<Private>> = kept::read(&*app.records, organisation, &key(name))?;
    let found = found.ok_or_else(|| Problem::not_found(format!("template {name} of this organisation")))?;
    reviews::forget(app, organisation, (super::PRIVATE, name))?;
    let mut changes = vec![Change::delete(organisation, key(name), Expected::Version(found.version))];
    let packages = found.value.entry.versions.iter();
    changes.extend(packages.map(|it| Change::delete(organisation, package_key(name, &it.version), Expected::Any)));
    let changed = app.records.batch(changes).map_err(|error: RecordsError| Problem::from(error))?;
    app.records.durable(changed.position).await?;
    app.marketplace.forget(organisation);
    Ok(())
}
