//! Templates: stacks and workflows to start from, of the registries that the organisation knows and its own.

use axum::extract::State;
use axum::http::StatusCode;
use semver::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windflow_core::manifest::Text;
use windflow_marketplace::ledger::Installed;
use windflow_marketplace::manifest::Kind;
use windflow_marketplace::shelf::{Facets, Wanted, alphabetical, find};

use super::extract::{Allowed, Query, need};
use super::page::{self, PageQuery};
use super::refusals::Refusals;
use crate::marketplace::{self, Listing, Which};
use crate::problem::{Answer, Problem};
use crate::state::{App, blocking};

pub(crate) mod convert;
pub(crate) mod detail;
pub(crate) mod install;
pub(crate) mod installed;
pub(crate) mod pictures;
pub(crate) mod publish;
pub(crate) mod reviews;

/// Longest text that is searched for.
const MAX_SOUGHT: usize = 200;

/// What a template is of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TemplateKind)]
pub(crate) enum KindView {
    Stack,
    Workflow,
}

impl From<Kind> for KindView {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Stack => Self::Stack,
            Kind::Workflow => Self::Workflow,
        }
    }
}

impl From<KindView> for Kind {
    fn from(kind: KindView) -> Self {
        match kind {
            KindView::Stack => Self::Stack,
            KindView::Workflow => Self::Workflow,
        }
    }
}

/// A text in both languages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LocalisedText)]
pub(crate) struct TextView {
    en: String,
    fr: String,
}

impl From<&Text> for TextView {
    fn from(text: &Text) -> Self {
        Self { en: text.get("en").to_owned(), fr: text.get("fr").to_owned() }
    }
}

/// A template, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateSummary {
    #[schema(example = "wordpress-mysql")]
    name: String,
    kind: KindView,
    /// Its latest version.
    #[schema(example = "1.0.0")]
    version: String,
    title: TextView,
    summary: TextView,
    #[schema(example = "content")]
    category: String,
    tags: Vec<String>,
    /// `windflow` for what the server brings along, `private` for the organisation's own, else a registry's name.
    registry: String,
    /// It comes with the server.
    official: bool,
    /// The organisation keeps it to itself.
    private: bool,
    /// How often it was installed in this organisation.
    installs: u64,
    rating: Option<Rating>,
    /// What it is installed as.
    installed: Vec<InstalledAs>,
    /// Where its drawing is. It needs the token, as everything does.
    icon: String,
    /// How many services a stack has.
    service_count: usize,
    /// Node types of a workflow.
    uses: Vec<String>,
    /// When it last changed; 0 where nobody knows.
    updated_at: u64,
}

/// What people of the organisation think of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rating {
    /// Of 1 to 5 stars.
    average: f64,
    count: u64,
}

/// What a template is installed as.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstalledAs {
    /// Name of the stack or workflow.
    #[serde(rename = "as")]
    name: String,
    version: String,
    /// Whether there is a newer version.
    update: bool,
}

impl TemplateSummary {
    fn new(listing: &Listing) -> Self {
        let Listing { source, entry, numbers, installed, .. } = listing;
        let manifest = &entry.manifest;
        let name = &manifest.name;
        let installed_as = |one: &Installed| InstalledAs {
            name: one.name.clone(),
            version: one.version.to_string(),
            update: one.version < manifest.version,
        };
        Self {
            name: name.clone(),
            kind: manifest.kind.into(),
            version: manifest.version.to_string(),
            title: (&manifest.title).into(),
            summary: (&manifest.summary).into(),
            category: manifest.category.clone(),
            tags: manifest.tags.clone(),
            registry: source.clone(),
            official: source == marketplace::BUILT_IN,
            private: source == marketplace::PRIVATE,
            installs: numbers.installs,
            rating: numbers.average().map(|average| Rating { average, count: numbers.reviews }),
            installed: installed.iter().map(installed_as).collect(),
            icon: format!("/api/v1/templates/{name}/icon?registry={source}"),
            service_count: entry.services.len(),
            uses: entry.uses.clone(),
            updated_at: entry.updated_at,
        }
    }
}

/// A page of templates.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplatePage {
    items: Vec<TemplateSummary>,
    /// The `cursor` of the next page, where there is one.
    next: Option<String>,
    /// How many fit in all.
    total: usize,
    /// How many there would be with each further choice, each as if it were the only one of its sort.
    facets: FacetsView,
}

/// Counts of templates.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateFacets)]
pub(crate) struct FacetsView {
    kinds: Vec<Count>,
    /// The most frequent first.
    categories: Vec<Count>,
    /// The fifty most frequent.
    tags: Vec<Count>,
}

/// How many templates have something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateCount)]
pub(crate) struct Count {
    name: String,
    count: usize,
}

impl From<Facets> for FacetsView {
    fn from(facets: Facets) -> Self {
        fn counts(all: impl IntoIterator<Item = (impl Into<String>, usize)>) -> Vec<Count> {
            let mut counts: Vec<_> = all.into_iter().map(|(name, count)| Count { name: name.into(), count }).collect();
            counts.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
            counts
        }
        let mut tags = counts(facets.tags);
        tags.truncate(50);
        Self { kinds: counts(facets.kinds), categories: counts(facets.categories), tags }
    }
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TemplateSort)]
pub(crate) enum Sort {
    /// By name.
    Name,
    /// By title, as a person who reads `language` looks for one.
    Title,
    /// The most installed first.
    Popular,
    /// The best first.
    Rating,
    /// The last changed first.
    Newest,
}

/// A language that titles are in.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TemplateLanguage)]
pub(crate) enum Language {
    #[default]
    En,
    Fr,
}

impl Language {
    fn word(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

/// Which templates.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TemplatesQuery {
    /// Words: each has to be in its name, title, summary, tags, services or README, in either language; beginnings of words and
    /// misspelt ones are found, too.
    #[param(max_length = 200)]
    q: Option<String>,
    #[param(inline)]
    kind: Option<KindView>,
    category: Option<String>,
    tag: Option<String>,
    /// Of this registry.
    registry: Option<String>,
    /// Where nothing is said: what fits `q` best first, else by name.
    #[param(inline)]
    sort: Option<Sort>,
    /// Whose titles `sort=title` goes by; English where nothing is said.
    #[param(inline)]
    language: Option<Language>,
    /// How many items at most, 50 where nothing is said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Which version of which registry.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichQuery {
    /// The latest where nothing is said.
    version: Option<String>,
    /// The one that comes with the server where nothing is said, else the first that has it.
    registry: Option<String>,
}

impl WhichQuery {
    pub(super) fn of(self, name: String) -> Answer<Which> {
        Ok(Which { registry: self.registry, name, version: version(self.version.as_deref())? })
    }
}

/// Reads a version.
pub(super) fn version(text: Option<&str>) -> Answer<Option<Version>> {
    let invalid = |error: semver::Error| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_query", format!("`version`: {error}"))
            .remedy("write it as 1.0.0")
    };
    text.map(|text| Version::parse(text).map_err(invalid)).transpose()
}

/// Templates, searched and filtered.
#[utoipa::path(
    get, path = "/templates", tag = "templates", operation_id = "list_templates", params(TemplatesQuery),
    security(("token" = ["templates:read"])), responses((status = 200, description = "As asked", body = TemplatePage), Refusals)
)]
pub(crate) async fn list(
    allowed: Allowed<need::TemplatesRead>,
    State(app): State<App>,
    Query(query): Query<TemplatesQuery>,
) -> Answer<axum::Json<TemplatePage>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, begin) = (page.limit()?, page.after()?);
    let begin: usize = begin.map(|at| at.parse().map_err(|_| page::invalid())).transpose()?.unwrap_or(0);
    let text: String = query.q.unwrap_or_default().chars().take(MAX_SOUGHT).collect();
    let searched = !text.trim().is_empty();
    let wanted = Wanted { text, kind: query.kind.map(Into::into), category: query.category, tag: query.tag };
    let (registry, sort, language) = (query.registry, query.sort, query.language.unwrap_or_default().word());
    let organisation = allowed.0.organisation;
    let listed = blocking(move || -> Answer<TemplatePage> {
        let sources = app.marketplace.sources(&app, &organisation)?;
        let of: Vec<_> = sources.iter().filter(|it| registry.as_ref().is_none_or(|name| *name == it.name)).collect();
        let shelves: Vec<_> = of.iter().map(|source| &*source.shelf).collect();
        let (hits, facets) = find(&shelves, &wanted);
        let mut listings = marketplace::listings(&app, &organisation, &of, hits)?;
        listings.sort_by(|one, other| {
            let by_name = || one.entry.name().cmp(other.entry.name()).then_with(|| one.source.cmp(&other.source));
            let order = match sort {
                None if searched => other.score.cmp(&one.score),
                None | Some(Sort::Name) => by_name(),
                Some(Sort::Title) => {
                    let title = |listing: &Listing| alphabetical(listing.entry.manifest.title.get(language));
                    title(one).cmp(&title(other))
                }
                Some(Sort::Popular) => other.numbers.installs.cmp(&one.numbers.installs),
                Some(Sort::Rating) => {
                    let stars = |listing: &Listing| listing.numbers.average().unwrap_or_default();
                    stars(other).total_cmp(&stars(one)).then(other.numbers.reviews.cmp(&one.numbers.reviews))
                }
                Some(Sort::Newest) => other.entry.updated_at.cmp(&one.entry.updated_at),
            };
            order.then_with(by_name)
        });
        let total = listings.len();
        let end = begin.saturating_add(limit);
        let items = listings.iter().skip(begin).take(limit).map(TemplateSummary::new).collect();
        let next = (end < total).then(|| page::encode(end.to_string()));
        Ok(TemplatePage { items, next, total, facets: facets.into() })
    });
    Ok(axum::Json(listed.await??))
}
