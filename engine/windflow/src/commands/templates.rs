//! `windflow templates …`

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use semver::Version;
use serde_json::json;
use windflow_core::id::OrganisationId;
use windflow_marketplace::bundle::Bundle;
use windflow_marketplace::files::Fault;
use windflow_marketplace::index::{Entry, Packed};
use windflow_marketplace::ledger::{Ledger, LedgerError};
use windflow_marketplace::manifest::{Kind, Requirements};
use windflow_marketplace::registry;
use windflow_marketplace::shelf::{Shelf, Wanted, find};
use windflow_marketplace::template::Template;
use windflow_stacks::variables::Variable;

use crate::cli::{Global, RegistryCommand, TemplateKind, TemplateRef, TemplatesCommand};
use crate::engine::{data_dir, open_store};
use crate::exit::invalid;
use crate::render::{self, table::table};

mod author;
mod install;
pub(crate) mod made;
mod making;

/// As the server calls the templates that the binary brings along, and those of the organisation.
const BUILT_IN: &str = "windflow";
const OWN: &str = "private";

pub(crate) fn run(global: &Global, command: &TemplatesCommand) -> anyhow::Result<ExitCode> {
    match command {
        TemplatesCommand::Search { text, kind, category, tag, json } => {
            let wanted = Wanted {
                text: text.join(" "),
                kind: kind.map(Into::into),
                category: category.clone(),
                tag: tag.clone(),
            };
            search(&Offer::open(global)?, &wanted, *json)?;
        }
        TemplatesCommand::Show { template: TemplateRef { name, version }, text, json } => {
            let (registry, _, template) = Offer::open(global)?.template(None, name, version.as_ref())?;
            show(registry, &template, *text, *json)?;
        }
        TemplatesCommand::Install(args) => return install::install(global, args),
        TemplatesCommand::Update { kind: Some(TemplateKind::Workflow), .. } => {
            return Err(invalid(
                "a workflow that was installed here is a file, which this command does not know the place of\n  = install the \
                 newer version under another name with --as, and compare the two; a server (--server) updates its own",
            ));
        }
        TemplatesCommand::Update { name, yes, .. } => install::update(global, name, *yes)?,
        TemplatesCommand::Installed { json } => install::list(global, *json)?,
        TemplatesCommand::Publish(args) => author::publish(global, args)?,
        TemplatesCommand::Check { folders } => return author::check(global, folders),
        TemplatesCommand::New { name, kind } => author::new(name, (*kind).into())?,
        TemplatesCommand::Import { file, from, out } => return author::import(file, *from, out),
        TemplatesCommand::Registry(RegistryCommand::Make { registry, folders, key }) => {
            return making::make(global, registry, folders, key);
        }
        TemplatesCommand::Registry(_) => {
            return Err(invalid("registries are kept by servers: say which with --server URL or WINDFLOW_SERVER"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl From<TemplateKind> for Kind {
    fn from(kind: TemplateKind) -> Self {
        match kind {
            TemplateKind::Stack => Self::Stack,
            TemplateKind::Workflow => Self::Workflow,
        }
    }
}

/// What the book of templates refuses, as the command's error.
fn kept(error: LedgerError) -> anyhow::Error {
    match error {
        LedgerError::Store(error) => error.into(),
        other => invalid(other.to_string()),
    }
}

/// A fault as people read it.
fn told(folder: &std::path::Path, fault: &Fault) -> String {
    let Fault { file, problem } = fault;
    let severity = if problem.is_error() { "error" } else { "warning" };
    let (line, column) = (problem.place.line, problem.place.column);
    let remedy = problem.remedy.as_ref().map(|remedy| format!("\n  = {remedy}")).unwrap_or_default();
    let path = if file.is_empty() { folder.to_owned() } else { folder.join(file) };
    format!("{}:{line}:{column}: {severity}[{}]: {}{remedy}", path.display(), problem.code, problem.message)
}

/// Everything that can be installed: what the binary brings along, and what was published here.
struct Offer {
    bundle: Bundle,
    built_in: Shelf,
    ledger: Option<Ledger>,
    own: Shelf,
}

impl Offer {
    /// Opens both. Looking at templates goes on where a server holds the store; its own templates are seen through it.
    fn open(global: &Global) -> anyhow::Result<Self> {
        let kept = data_dir(global)?.join("store").exists();
        let store = if kept { open_store(global).ok() } else { None };
        Self::with(store.map(|store| Ledger::new(Arc::new(store), OrganisationId::local())))
    }

    fn with(ledger: Option<Ledger>) -> anyhow::Result<Self> {
        let bundle = crate::builtins::templates();
        let index = bundle.open().context("the built-in templates")?;
        let built_in = Shelf::new(index.templates.into_iter().map(Arc::new).collect());
        let own = match &ledger {
            Some(ledger) => Shelf::new(ledger.own().map_err(kept)?),
            None => Shelf::default(),
        };
        Ok(Self { bundle, built_in, ledger, own })
    }

    /// The template of a name, the latest version where none is given: of one's own first, unless it is that of a registry.
    fn template(
        &self,
        registry: Option<&str>,
        name: &str,
        version: Option<&Version>,
    ) -> anyhow::Result<(&'static str, Arc<Entry>, Template)> {
        if let Some(other) = registry.filter(|registry| ![OWN, BUILT_IN].contains(registry)) {
            return Err(invalid(format!("{name} is of the registry {other}, which only a server knows (--server)")));
        }
        let own = self.own.get(name).filter(|_| registry != Some(BUILT_IN));
        if let (Some(entry), Some(ledger)) = (own, &self.ledger) {
            let packed = packed(entry, version)?;
            let bytes = ledger.package(entry, packed).map_err(kept)?;
            return Ok((OWN, Arc::clone(entry), registry::accept(entry, packed, &bytes)?));
        }
        if registry == Some(OWN) {
            return Err(invalid(format!("the template {name} of one's own is gone")));
        }
        let Some(entry) = self.built_in.get(name) else {
            let names = self.built_in.entries().iter().map(|entry| entry.name());
            let near = windflow_core::problem::nearest(name, names).map(|near| format!("; did you mean {near}?"));
            let hint = near.unwrap_or_else(|| "; `windflow templates search` lists all".to_owned());
            return Err(invalid(format!("there is no template {name}{hint}")));
        };
        Ok((BUILT_IN, Arc::clone(entry), self.bundle.template(entry, packed(entry, version)?)?))
    }
}

fn packed<'a>(entry: &'a Entry, version: Option<&Version>) -> anyhow::Result<&'a Packed> {
    entry.packed(version).ok_or_else(|| {
        let there: Vec<_> = entry.versions.iter().map(|packed| packed.version.to_string()).collect();
        let wanted = version.map(ToString::to_string).unwrap_or_default();
        invalid(format!("there is no version {wanted} of {}: there is {}", entry.name(), there.join(", ")))
    })
}

fn search(offer: &Offer, wanted: &Wanted, as_json: bool) -> anyhow::Result<()> {
    let (mut hits, _) = find(&[&offer.own, &offer.built_in], wanted);
    hits.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.entry.name().cmp(other.entry.name())));
    let registry = |shelf: usize| if shelf == 0 { OWN } else { BUILT_IN };
    if as_json {
        let all: Vec<_> = hits
            .iter()
            .map(|hit| {
                let manifest = &hit.entry.manifest;
                json!({ "name": manifest.name, "kind": manifest.kind, "version": manifest.version.to_string(),
                    "title": manifest.title, "summary": manifest.summary, "category": manifest.category,
                    "tags": manifest.tags, "registry": registry(hit.shelf) })
            })
            .collect();
        return render::json(&all);
    }
    let found = hits.iter().map(|hit| {
        let manifest = &hit.entry.manifest;
        Found {
            name: manifest.name.clone(),
            kind: manifest.kind.word(),
            version: manifest.version.to_string(),
            category: manifest.category.clone(),
            summary: manifest.summary.get("en").to_owned(),
        }
    });
    print(found.collect())
}

/// A template that was found.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) version: String,
    pub(crate) category: String,
    pub(crate) summary: String,
}

/// Prints what was found.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print(found: Vec<Found>) -> anyhow::Result<()> {
    if found.is_empty() {
        render::line("nothing fits; fewer words find more");
        return Ok(());
    }
    let mut rows = vec![["TEMPLATE", "KIND", "VERSION", "CATEGORY", "WHAT IT IS"].map(String::from).to_vec()];
    rows.extend(
        found.into_iter().map(|one| vec![one.name, one.kind.to_owned(), one.version, one.category, one.summary]),
    );
    render::result(&table(&rows))
}

fn show(registry: &str, template: &Template, only_text: bool, as_json: bool) -> anyhow::Result<()> {
    if only_text {
        return render::result(&template.text);
    }
    if as_json {
        let mut value = serde_json::to_value(template)?;
        value["registry"] = json!(registry);
        return render::json(&value);
    }
    let Template { manifest, contents, readme, .. } = template;
    let mut about = Vec::new();
    about.extend(contents.services.iter().map(|one| ("service", service(&one.name, &one.image, &one.ports))));
    about.extend(contents.volumes.iter().map(|volume| ("volume", volume.clone())));
    let described = |one: &Variable| variable(&one.name, one.default.as_deref(), one.description.get("en"));
    about.extend(contents.variables.iter().map(|one| ("variable", described(one))));
    about.extend(contents.risks.iter().map(|one| ("risk", risk(&one.to_string(), &one.name()))));
    about.extend(contents.inputs.keys().map(|input| ("input", input.clone())));
    about.extend(contents.uses.iter().map(|uses| ("uses", uses.clone())));
    about.extend(contents.permissions.told().into_iter().map(|what| ("granted", what)));
    about.extend(needs(manifest.requirements.unwrap_or_default()).map(|needs| ("needs", needs)));
    about.extend(manifest.license.iter().map(|license| ("license", license.clone())));
    about.extend(manifest.homepage.iter().map(|homepage| ("homepage", homepage.clone())));
    print_one(&Shown {
        head: format!("{} {} ({}, {registry})", manifest.name, manifest.version, manifest.kind.word()),
        summary: manifest.summary.get("en").to_owned(),
        about,
        readme: readme.get("en").to_owned(),
    })
}

/// What people want to know of a template before they install it.
pub(crate) struct Shown {
    pub(crate) head: String,
    pub(crate) summary: String,
    /// What is in it and what it may touch: a word, and a line about it.
    pub(crate) about: Vec<(&'static str, String)>,
    pub(crate) readme: String,
}

/// Prints it.
///
/// # Errors
/// Where stdout is closed.
pub(crate) fn print_one(shown: &Shown) -> anyhow::Result<()> {
    let Shown { head, summary, about, readme } = shown;
    let about: String = about.iter().map(|(word, line)| format!("{word:<9} {line}\n")).collect();
    render::result(&format!("{head}\n{summary}\n\n{about}\n{}", readme.trim_end()))
}

pub(crate) fn service(name: &str, image: &str, ports: &[String]) -> String {
    let ports = if ports.is_empty() { String::new() } else { format!("  {}", ports.join(", ")) };
    format!("{name}  {image}{ports}")
}

pub(crate) fn variable(name: &str, default: Option<&str>, description: &str) -> String {
    let default = default.map(|default| format!(" [{default}]")).unwrap_or_default();
    format!("{name}{default}  {description}")
}

/// What the machine has to have, where that is known.
pub(crate) fn needs(Requirements { cpu, memory_mb, disk_mb }: Requirements) -> Option<String> {
    let cores = cpu.map(|cores| if cores > 1.0 { format!("{cores} cores") } else { format!("{cores} core") });
    // As the browser tells it: what was asked for in powers of two is no odd number.
    let size = |megabytes: u64| match (megabytes / 1024, megabytes % 1024 * 10 / 1024) {
        (0, _) => format!("{megabytes} MB"),
        (gigabytes, 0) => format!("{gigabytes} GB"),
        (gigabytes, tenths) => format!("{gigabytes}.{tenths} GB"),
    };
    let memory = memory_mb.map(|memory| format!("{} of memory", size(memory)));
    let disk = disk_mb.map(|disk| format!("{} on the disk", size(disk)));
    let all: Vec<_> = [cores, memory, disk].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

pub(crate) fn risk(what: &str, name: &str) -> String {
    format!("{what} (--confirm {name})")
}
