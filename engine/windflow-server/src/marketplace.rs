//! The marketplace of an organisation: what the registries offer that it knows, what it keeps to itself, and what it has installed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use semver::Version;
use windflow_core::id::OrganisationId;
use windflow_core::ports::fetch::Fetch;
use windflow_marketplace::bundle::Bundle;
use windflow_marketplace::index::{Entry, Packed};
use windflow_marketplace::ledger::{Installed, Ledger, LedgerError};
use windflow_marketplace::registry::{self, Refused};
use windflow_marketplace::shelf::{Hit, Shelf};
use windflow_marketplace::template::Template;

use self::registries::Registered;
use self::statistics::Statistics;
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

pub(crate) mod first;
pub(crate) mod install;
pub(crate) mod installed;
pub(crate) mod private;
pub(crate) mod registries;
pub(crate) mod reviews;
pub(crate) mod statistics;
pub(crate) mod updating;

/// The name of the registry that is part of the binary.
pub(crate) const BUILT_IN: &str = "windflow";
/// The name of what an organisation keeps to itself.
pub(crate) const PRIVATE: &str = "private";

/// Organisations whose templates are kept in memory.
const MAX_KNOWN: usize = 100;

/// Where templates come from.
#[derive(Debug)]
pub(crate) enum Origin {
    BuiltIn,
    Private,
    Registry(Box<Registered>),
}

/// Some templates, and where they come from.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) shelf: Arc<Shelf>,
}

/// What all organisations share, and what is known of each.
pub(crate) struct Marketplace {
    bundle: Bundle,
    shelf: Arc<Shelf>,
    pub(crate) fetch: Arc<dyn Fetch>,
    /// Made when first asked for, and anew after a change.
    known: Mutex<HashMap<OrganisationId, Arc<Vec<Source>>>>,
    /// Held while something is installed: two under one name are never one.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

/// A template that somebody asked for.
pub(crate) struct Found {
    /// The name of its registry.
    pub(crate) registry: String,
    pub(crate) entry: Arc<Entry>,
    pub(crate) template: Template,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let code = match &refused {
            Refused::TooLarge | Refused::Malformed(_) => "bad_registry",
            Refused::Signature => "bad_signature",
            Refused::Downgrade { .. } => "downgrade",
            Refused::Digest(_) => "bad_digest",
            Refused::Unfit { .. } => "invalid_template",
        };
        Self::invalid(code, refused.to_string())
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let said = error.to_string();
        match error {
            LedgerError::NotFound(what) => Self::not_found(what),
            LedgerError::Reserved(_) => Self::invalid("invalid_name", said),
            LedgerError::NotNewer { .. } => Self::conflict("version_exists", said),
            LedgerError::TooMany => Self::conflict("too_many", said),
            LedgerError::Conflict => Self::conflict("conflict", said).remedy("try again"),
            LedgerError::Store(error) => error.into(),
        }
    }
}

impl App {
    pub(crate) fn ledger(&self, organisation: &OrganisationId) -> Ledger {
        Ledger::new(Arc::clone(&self.records), organisation.clone())
    }
}

impl Marketplace {
    /// Opens what the binary brings along.
    pub(crate) fn open(bundle: Bundle, fetch: Arc<dyn Fetch>) -> Answer<Self> {
        let index = bundle.open().map_err(|refused| Problem::internal(format!("the built-in templates: {refused}")))?;
        let shelf = Arc::new(Shelf::new(index.templates.into_iter().map(Arc::new).collect()));
        Ok(Self { bundle, shelf, fetch, known: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    /// Everything that an organisation is offered.
    pub(crate) fn sources(&self, app: &App, organisation: &OrganisationId) -> Answer<Arc<Vec<Source>>> {
        // Held until it is made: what changes meanwhile is forgotten afterwards, not before.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(organisation) {
            return Ok(Arc::clone(found));
        }
        let built_in = Source { name: BUILT_IN.to_owned(), origin: Origin::BuiltIn, shelf: Arc::clone(&self.shelf) };
        let shelf = Arc::new(Shelf::new(app.ledger(organisation).own()?));
        let mut sources = vec![built_in, Source { name: PRIVATE.to_owned(), origin: Origin::Private, shelf }];
        for kept in registries::all(app, organisation)? {
            let registered = kept.value;
            let shelf = Arc::new(Shelf::new(registries::entries(app, organisation, &registered)?));
            let (name, origin) = (registered.name.clone(), Origin::Registry(Box::new(registered)));
            sources.push(Source { name, origin, shelf });
        }
        let made = Arc::new(sources);
        // However many organisations there are: what is known of them is made again.
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(organisation.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// Something that an organisation is offered has changed.
    fn forget(&self, organisation: &OrganisationId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(organisation);
    }
}

/// A template with all that lists tell of it.
pub(crate) struct Listing {
    /// The name of its registry.
    pub(crate) source: String,
    pub(crate) entry: Arc<Entry>,
    /// How well it fits what was looked for.
    pub(crate) score: u32,
    pub(crate) numbers: Statistics,
    pub(crate) installed: Vec<Installed>,
}

/// What lists tell of templates that were found.
pub(crate) fn listings(
    app: &App,
    organisation: &OrganisationId,
    sources: &[&Source],
    hits: Vec<Hit>,
) -> Answer<Vec<Listing>> {
    let numbers = statistics::all(app, organisation)?;
    let mut installed: HashMap<_, Vec<Installed>> = HashMap::new();
    for one in installed::all(app, organisation)? {
        installed.entry((one.registry.clone(), one.template.clone())).or_default().push(one);
    }
    let listing = |hit: Hit| {
        let source = sources.get(hit.shelf)?.name.clone();
        let key = (source, hit.entry.name().to_owned());
        let numbers = numbers.get(&key).copied().unwrap_or_default();
        let installed = installed.get(&key).cloned().unwrap_or_default();
        Some(Listing { source: key.0, entry: hit.entry, score: hit.score, numbers, installed })
    };
    Ok(hits.into_iter().filter_map(listing).collect())
}

/// What lists tell of one template.
pub(crate) fn listing(app: &App, organisation: &OrganisationId, found: &Found) -> Answer<Listing> {
    let key = (found.registry.clone(), found.entry.name().to_owned());
    let numbers = statistics::all(app, organisation)?.get(&key).copied().unwrap_or_default();
    let mut installed = installed::all(app, organisation)?;
    installed.retain(|one| one.registry == key.0 && one.template == key.1);
    Ok(Listing { source: key.0, entry: Arc::clone(&found.entry), score: 0, numbers, installed })
}

/// The entry of a template, and which of the sources has it. Where no registry is named, the first that has it.
fn entry(sources: &[Source], registry: Option<&str>, name: &str) -> Answer<(usize, Arc<Entry>)> {
    let wanted = |source: &&(usize, &Source)| registry.is_none_or(|registry| registry == source.1.name);
    let all: Vec<_> = sources.iter().enumerate().collect();
    let found = all.iter().filter(wanted).find_map(|(at, source)| Some((*at, Arc::clone(source.shelf.get(name)?))));
    found.ok_or_else(|| Problem::not_found(format!("template {name}")))
}

fn packed<'a>(entry: &'a Entry, version: Option<&Version>) -> Answer<&'a Packed> {
    entry.packed(version).ok_or_else(|| {
        let name = entry.name();
        let version = version.map(ToString::to_string).unwrap_or_default();
        Problem::not_found(format!("version {version} of template {name}"))
    })
}

/// Which template is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Which {
    pub(crate) registry: Option<String>,
    pub(crate) name: String,
    pub(crate) version: Option<Version>,
}

/// The registry of a template, and what it says of it.
pub(crate) fn known(app: &App, organisation: &OrganisationId, which: &Which) -> Answer<(String, Arc<Entry>)> {
    let sources = app.marketplace.sources(app, organisation)?;
    let (at, entry) = entry(&sources, which.registry.as_deref(), &which.name)?;
    Ok((sources[at].name.clone(), entry))
}

/// The package of a template, as its registry promised it.
pub(crate) async fn package(
    app: &App,
    organisation: &OrganisationId,
    which: &Which,
) -> Answer<(String, Arc<Entry>, Packed, Vec<u8>)> {
    let sources = app.marketplace.sources(app, organisation)?;
    let (at, entry) = entry(&sources, which.registry.as_deref(), &which.name)?;
    let source = &sources[at];
    let packed = packed(&entry, which.version.as_ref())?.clone();
    let bytes = match &source.origin {
        Origin::BuiltIn => {
            let found = app.marketplace.bundle.package(&entry, &packed);
            found.ok_or_else(|| Problem::internal("a built-in template is missing"))?.to_vec()
        }
        Origin::Private => app.ledger(organisation).package(&entry, &packed)?,
        Origin::Registry(registered) => registries::package(app, organisation, registered, &entry, &packed).await?,
    };
    registry::verify(&entry, &packed, &bytes)?;
    Ok((source.name.clone(), entry, packed, bytes))
}

/// A template, read and checked.
pub(crate) async fn template(app: &App, organisation: &OrganisationId, which: &Which) -> Answer<Found> {
    let (registry, entry, packed, bytes) = package(app, organisation, which).await?;
    // Reading a document takes a moment.
    blocking(move || {
        let template = registry::accept(&entry, &packed, &bytes)?;
        Ok(Found { registry, entry, template })
    })
    .await?
}
