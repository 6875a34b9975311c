//! Updates of what was installed: shown as a difference, then made a new version.

use windflow_core::id::OrganisationId;
use windflow_marketplace::difference;
use windflow_marketplace::ledger::Installed;
use windflow_marketplace::manifest::Kind;

use super::{Found, Which, install, installed};
use crate::catalogue::{self, Seen};
use crate::problem::{Answer, Problem};
use crate::state::App;

/// What an update would change.
pub(crate) struct Update {
    pub(crate) installed: Installed,
    found: Found,
    /// The text as it is.
    old: String,
    /// The text as it would be.
    new: String,
    /// What `If-Match` is held against.
    pub(crate) tag: u64,
}

impl Update {
    /// Whether there is something to update.
    pub(crate) fn is_due(&self) -> bool {
        self.installed.version < self.found.template.manifest.version
    }

    /// The version of the template that it goes to.
    pub(crate) fn to(&self) -> String {
        self.found.template.manifest.version.to_string()
    }

    /// Whether somebody has changed it since it was installed.
    pub(crate) fn changed_by_hand(&self) -> bool {
        self.old != self.installed.text
    }

    /// The difference, for people.
    pub(crate) fn difference(&self) -> String {
        let Installed { name, version, .. } = &self.installed;
        let (old, new) = (format!("{name} {version}"), format!("{name} {}", self.to()));
        difference::unified((&old, &self.old), (&new, &self.new))
    }

    /// What changed from version to version, in Markdown.
    pub(crate) fn changelog(&self) -> &str {
        &self.found.template.changelog
    }
}

/// What an update of a stack or workflow would change.
pub(crate) async fn update(app: &App, organisation: &OrganisationId, kind: Kind, name: &str) -> Answer<Update> {
    let installed = installed::one(app, organisation, kind, name)?;
    let which = Which { registry: Some(installed.registry.clone()), name: installed.template.clone(), version: None };
    let found = super::template(app, organisation, &which).await?;
    let (old, new, tag) = match kind {
        Kind::Stack => {
            let book = app.book(organisation);
            let number = book.stack(name)?.version;
            (book.stack_version(name, number)?.text, found.template.text.clone(), number.into())
        }
        Kind::Workflow => {
            let workflow = name.parse().map_err(|_| Problem::not_found(format!("workflow {name}")))?;
            let (kept, version) = catalogue::latest(app, organisation, &workflow)?;
            (version.text, install::renamed(&found.template.text, name)?, kept.version)
        }
    };
    Ok(Update { installed, found, old, new, tag })
}

/// Makes an update. What is deployed stays as it is until it is deployed again.
pub(crate) async fn apply(
    app: &App,
    organisation: &OrganisationId,
    update: Update,
    seen: Seen,
    by: &str,
) -> Answer<Installed> {
    let Update { installed, found, new, tag, .. } = update;
    let _turn = app.marketplace.turn.lock().await;
    if let Seen::Version(seen) = seen
        && seen != tag
    {
        let detail = format!("{} {} was changed meanwhile", installed.kind.word(), installed.name);
        return Err(Problem::new(axum::http::StatusCode::PRECONDITION_FAILED, "changed_meanwhile", detail)
            .remedy("look at the update again, and send it with the new ETag"));
    }
    match installed.kind {
        Kind::Stack => {
            let book = app.book(organisation);
            let stack = book.stack(&installed.name)?;
            book.keep_stack(&installed.name, &stack.description, &new, by, app.now())?;
        }
        Kind::Workflow => {
            let name = installed.name.parse().map_err(|_| Problem::not_found("such workflow"))?;
            let seen = if seen == Seen::Any { Seen::Any } else { Seen::Version(tag) };
            catalogue::replace(app, organisation, &name, new.clone(), seen, by.to_owned()).await?;
        }
    }
    let version = found.template.manifest.version;
    let record = Installed { version, text: new, at: app.now(), by: by.to_owned(), ..installed };
    let ledger = app.ledger(organisation);
    ledger.write(vec![ledger.remembered(&record)?])?;
    ledger.durable().await?;
    Ok(record)
}
