//! Installing templates from the command line, and updating what was installed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use windflow_core::edit::{self, Edit};
use windflow_core::id::WorkflowName;
use windflow_marketplace::contents;
use windflow_marketplace::difference;
use windflow_marketplace::ledger::Installed;
use windflow_marketplace::manifest::Kind;
use windflow_marketplace::template::Template;
use windflow_stacks::book::BookError;
use windflow_stacks::compose::{self, is_project_name};

use super::{Offer, kept as refused};
use crate::cli::{Global, InstallArgs};
use crate::commands::deploy::{self, Wanted, confirm, show};
use crate::deploying::{Deploying, kept, now, told};
use crate::exit::invalid;
use crate::render::{self, table::table};

/// Who installs something from the command line.
const BY: &str = "cli";

pub(super) fn install(global: &Global, args: &InstallArgs) -> anyhow::Result<ExitCode> {
    let deploying = Deploying::open(global)?;
    let offer = Offer::with(Some(deploying.ledger.clone()))?;
    let (registry, _, template) = offer.template(None, &args.template.name, args.template.version.as_ref())?;
    let name = args.name.clone().unwrap_or_else(|| args.template.name.clone());
    match template.manifest.kind {
        Kind::Workflow if args.deploy => Err(invalid("a workflow is not deployed: run it with `windflow run`")),
        Kind::Workflow => workflow(&template, &name, &args.out).map(|()| ExitCode::SUCCESS),
        Kind::Stack => stack(&deploying, registry, &template, &name, args),
    }
}

/// Writes a workflow into a folder of its own.
fn workflow(template: &Template, name: &str, out: &Path) -> anyhow::Result<()> {
    let named: WorkflowName = name.parse().map_err(|error| invalid(format!("{error}")))?;
    let set = Edit::Set { path: vec!["name".into()], value: named.as_str().into() };
    let text = edit::apply(&template.text, &[set]).map_err(|error| invalid(error.message))?.text;
    let folder = out.join(name);
    if folder.exists() {
        return Err(invalid(format!("{} is there already: choose another name with --as", folder.display())));
    }
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("workflow.yaml"), text))
        .and_then(|()| std::fs::write(folder.join("README.md"), template.readme.get("en")));
    if let Err(error) = written {
        // Half a workflow is worse than none.
        let _ = std::fs::remove_dir_all(&folder);
        return Err(error).with_context(|| format!("{}", folder.display()));
    }
    let path = folder.join("workflow.yaml");
    render::line(&format!("{} is written; `windflow run {}` runs it", path.display(), path.display()));
    Ok(())
}

fn stack(
    deploying: &Deploying,
    registry: &str,
    template: &Template,
    name: &str,
    args: &InstallArgs,
) -> anyhow::Result<ExitCode> {
    if !is_project_name(name) {
        return Err(invalid(format!("{name:?} is no name of a stack: choose another one with --as")));
    }
    match deploying.book.stack(name) {
        Err(BookError::NotFound(_)) => {}
        Ok(_) => return Err(invalid(format!("there is a stack {name} already: choose another name with --as"))),
        Err(error) => return Err(kept(error)),
    }
    let given = args.variables.iter().cloned().collect();
    deploy::are_known(&template.text, &given)?;
    let values = deploying.book.values(&args.target, name, &compose::declared(&template.text), &given).map_err(kept)?;
    let file = Path::new(template.manifest.kind.document());
    let loaded = if args.deploy {
        deploy::load(&template.text, file, Some(name), &values, &[])
    } else {
        contents::load(&template.text, Some(name), &values)
    };
    let content = deploy::valid(loaded, &template.text, file)?;
    if let Some(why) = content.project.services.values().find_map(|service| contents::unpinned(&service.image)) {
        return Err(invalid(format!("{why}: give the tag of a release")));
    }
    if args.deploy {
        confirm::risks(&content.project, &args.confirm)?;
    }
    deploying.block_on(async {
        let reached = if args.deploy { Some(deploying.reach(&args.target).await?) } else { None };
        if let Some(reached) = reached.as_ref().filter(|_| !args.yes) {
            let plan = reached.driver.plan(&content.project).await.map_err(|error| told(&error))?;
            confirm::plan(&plan, name, &reached.name)?;
        }
        let summary = template.manifest.summary.get("en");
        let stack = deploying.book.keep_stack(name, summary, &template.text, BY, now()).map_err(kept)?;
        let installed = Installed {
            kind: Kind::Stack,
            name: name.to_owned(),
            registry: registry.to_owned(),
            template: template.manifest.name.clone(),
            version: template.manifest.version.clone(),
            text: template.text.clone(),
            at: now(),
            by: BY.to_owned(),
        };
        let ledger = &deploying.ledger;
        ledger.write(vec![ledger.remembered(&installed).map_err(refused)?]).map_err(refused)?;
        deploying.book.durable().await.map_err(kept)?;
        let Some(reached) = reached else {
            render::line(&format!("{name} is kept; deploy it with: windflow deploy {name}"));
            return Ok(ExitCode::SUCCESS);
        };
        let wanted = Wanted {
            content,
            version: Some(stack.version),
            rollback_to: None,
            timeout: args.timeout.unwrap_or(deploy::TIMEOUT),
        };
        let mut ended = deploy::carry(deploying, &reached, wanted, false).await;
        if !ended.as_ref().is_ok_and(|ended| ended.status.is_good()) {
            // What was begun on the target was undone; nothing stays here either.
            if let Ok(tried) = &ended
                && reached.tidy(tried).await.unwrap_or_default()
            {
                ended = Ok(deploying.book.tidied(&tried.id).map_err(kept)?);
            }
            deploying.book.undo_stack(name, stack.version).map_err(kept)?;
            ledger.write(vec![ledger.forgotten(Kind::Stack, name)]).map_err(refused)?;
            deploying.book.durable().await.map_err(kept)?;
        }
        show::ended(&ended?, false)
    })
}

/// Shows what an update would change, and makes it.
pub(super) fn update(global: &Global, name: &str, yes: bool) -> anyhow::Result<()> {
    let deploying = Deploying::open(global)?;
    let ledger = &deploying.ledger;
    let stack = deploying.book.stack(name).map_err(kept)?;
    let Some(installed) = ledger.installed_as(Kind::Stack, name).map_err(refused)? else {
        return Err(invalid(format!("the stack {name} was not installed from a template")));
    };
    let offer = Offer::with(Some(ledger.clone()))?;
    let (_, _, template) = offer.template(Some(&installed.registry), &installed.template, None)?;
    let (from, to) = (&installed.version, &template.manifest.version);
    if to <= from {
        render::line(&format!("{name} is at {from}, the latest version of {}", installed.template));
        return Ok(());
    }
    let text = deploying.book.stack_version(name, stack.version).map_err(kept)?.text;
    let labels = (format!("{name} {from}"), format!("{name} {to}"));
    render::result(&difference::unified((&labels.0, &text), (&labels.1, &template.text)))?;
    if text != installed.text {
        render::line(&format!("{name} was changed by hand since it was installed: the update undoes that"));
    }
    if !yes && confirm::ask(&format!("Update {name} from {from} to {to}?"))? != Some(true) {
        return Err(invalid("nothing was updated; --yes updates it"));
    }
    deploying.book.keep_stack(name, &stack.description, &template.text, BY, now()).map_err(kept)?;
    let record =
        Installed { version: to.clone(), text: template.text.clone(), at: now(), by: BY.to_owned(), ..installed };
    ledger.write(vec![ledger.remembered(&record).map_err(refused)?]).map_err(refused)?;
    deploying.block_on(deploying.book.durable()).map_err(kept)?;
    render::line(&format!("{name} is at {to}; what is deployed stays as it is until it is deployed again"));
    Ok(())
}

pub(super) fn list(global: &Global, as_json: bool) -> anyhow::Result<()> {
    let deploying = Deploying::open(global)?;
    let offer = Offer::with(Some(deploying.ledger.clone()))?;
    let mut all = deploying.ledger.installed().map_err(refused)?;
    all.retain(|one| one.kind == Kind::Workflow || deploying.book.stack(&one.name).is_ok());
    let latest = |one: &Installed| {
        let found = offer.template(Some(&one.registry), &one.template, None).ok();
        found.map(|(_, entry, _)| entry.manifest.version.to_string())
    };
    if as_json {
        let all: Vec<_> = all
            .iter()
            .map(|one| {
                json!({ "kind": one.kind, "as": one.name, "template": one.template, "registry": one.registry,
                    "version": one.version.to_string(), "latest": latest(one) })
            })
            .collect();
        return render::json(&all);
    }
    let mut rows = vec![["NAME", "KIND", "TEMPLATE", "VERSION", "LATEST"].map(String::from).to_vec()];
    rows.extend(all.iter().map(|one| {
        let (kind, latest) = (one.kind.word().to_owned(), latest(one).unwrap_or_default());
        vec![one.name.clone(), kind, one.template.clone(), one.version.to_string(), latest]
    }));
    render::result(&table(&rows))
}
