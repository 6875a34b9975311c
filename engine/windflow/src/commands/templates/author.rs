//! Making templates: begun, checked, published, brought in from elsewhere.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use windflow_core::problem::Problem;
use windflow_marketplace::authored::{self, Said};
use windflow_marketplace::convert::{self, Draft, From as Format};
use windflow_marketplace::files::{Fault, Files, from_folder};
use windflow_marketplace::index::{Made, make};
use windflow_marketplace::manifest::{Kind, is_name};

use super::{kept, made, told};
use crate::cli::{Global, ImportFormat, PublishArgs};
use crate::commands::document;
use crate::deploying::{Deploying, now};
use crate::exit::{self, invalid};
use crate::{engine, render};

/// Reads a folder, and judges its workflow with the installed plugins, too.
pub(super) fn read(global: &Global, folder: &Path) -> anyhow::Result<Result<Made, Vec<Fault>>> {
    let files = from_folder(folder).map_err(|error| invalid(format!("{}: {error}", folder.display())))?;
    let made = match make(&files) {
        Ok(made) => made,
        Err(faults) => return Ok(Err(faults)),
    };
    if made.entry.kind() == Kind::Workflow {
        let checked = document::check(&folder.join(Kind::Workflow.document()), &engine::checker(global)?)?;
        if !checked.is_valid() {
            let fault =
                |problem: &Problem| Fault { file: Kind::Workflow.document().to_owned(), problem: problem.clone() };
            return Ok(Err(checked.problems.iter().map(fault).collect()));
        }
    }
    Ok(Ok(made))
}

pub(super) fn check(global: &Global, folders: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut all_good = true;
    for folder in folders {
        let faults = match read(global, folder)? {
            Ok(made) => {
                let Made { entry, warnings, package } = made;
                let (name, version, size) =
                    (entry.name(), &entry.manifest.version, render::bytes(package.len() as u64));
                render::line(&format!("{} {name} {version}: {size} packed", render::status("valid")));
                warnings
            }
            Err(faults) => {
                all_good = false;
                faults
            }
        };
        faults.iter().for_each(|fault| render::line(&told(folder, fault)));
    }
    Ok(ExitCode::from(if all_good { 0 } else { exit::INVALID }))
}

pub(super) fn publish(global: &Global, args: &PublishArgs) -> anyhow::Result<()> {
    let deploying = Deploying::open(global)?;
    let (what, read) = match &args.folder {
        Some(folder) => (folder.clone(), read(global, folder)?),
        None => {
            let (source, what) = made::source(global, &deploying, args)?;
            let said = Said { about: made::about(&args.about), changes: args.about.changes.clone(), ..Said::default() };
            let before = match deploying.ledger.own_latest(&said.name(&source)).map_err(kept)? {
                Some((entry, packed)) => {
                    authored::before(&deploying.ledger.package(&entry, &packed).map_err(kept)?, source.kind)?
                }
                None => None,
            };
            (what, make(&authored::files(source, said, before)?))
        }
    };
    let made = match read {
        Ok(made) => made,
        Err(faults) => {
            faults.iter().for_each(|fault| render::line(&told(&what, fault)));
            return Err(invalid(format!("{}: the template is not fit to publish", what.display())));
        }
    };
    made.warnings.iter().for_each(|fault| render::line(&told(&what, fault)));
    let entry = deploying.ledger.publish(made, "cli", now()).map_err(kept)?;
    deploying.block_on(deploying.ledger.durable()).map_err(kept)?;
    let name = entry.name();
    render::line(&format!("{name} {} is published here; `windflow templates install {name}`", entry.manifest.version));
    Ok(())
}

/// Writes files into a folder that is not there yet.
fn write(folder: &Path, files: &Files) -> anyhow::Result<()> {
    if folder.exists() {
        return Err(invalid(format!("{} is there already", folder.display())));
    }
    std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).with_context(|| format!("{}/{name}", folder.display()))?;
    }
    Ok(())
}

const COMPOSE: &str = "services:\n  web:\n    image: nginx:1.29.3\n    ports: [\"${WEB_PORT}:80\"]\n    healthcheck:\n      \
    test: [CMD, curl, --fail, --silent, --output, /dev/null, \"http://127.0.0.1/\"]\n      interval: 5s\n      retries: 12\nx-windflow:\n  variables:\n    \
    WEB_PORT: { type: port, default: 8080, description: { en: Where it is reached, fr: Où le joindre } }\n";

const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><rect x=\"6\" y=\"6\" width=\"36\" height=\"36\" rx=\"8\" fill=\"#4f46e5\"/></svg>\n";

pub(super) fn new(name: &str, kind: Kind) -> anyhow::Result<()> {
    if !is_name(name) {
        return Err(invalid(format!("{name:?} is no name of a template: use a-z, 0-9 and -, 64 at most")));
    }
    let manifest = json!({
        "template": 1, "name": name, "kind": kind.word(), "version": "0.1.0", "title": { "en": name, "fr": name },
        "summary": { "en": "What it is, in a sentence", "fr": "Ce que c'est, en une phrase" },
        "category": if kind == Kind::Stack { "web" } else { "automation" }, "tags": [], "maintainers": [],
    });
    let document = match kind {
        Kind::Stack => COMPOSE.to_owned(),
        Kind::Workflow => format!(
            "windflow: 1\nname: {name}\ninputs:\n  name: {{ type: string, default: world }}\nnodes:\n  greet:\n    uses: template@1\n    \
             with: {{ template: \"Hello {{{{ name }}}}\", values: \"${{{{ inputs }}}}\" }}\n"
        ),
    };
    let folder = Path::new(name);
    write(folder, &files(&manifest, kind, document, Some(ICON)))?;
    render::line(&format!("{name}/ is begun; `windflow templates check {name}` checks it"));
    Ok(())
}

fn files(manifest: &Value, kind: Kind, document: String, icon: Option<&str>) -> Files {
    let word = |field: &str, language: &str| manifest[field][language].as_str().unwrap_or_default().to_owned();
    let readme = |language: &str| format!("# {}\n\n{}\n", word("title", language), word("summary", language));
    let version = manifest["version"].as_str().unwrap_or_default();
    let mut files: Files = [
        ("template.yaml", convert::yaml(manifest)),
        (kind.document(), document),
        ("README.md", readme("en")),
        ("README.fr.md", readme("fr")),
        ("CHANGELOG.md", format!("# Changes\n\n## {version}\n\nThe first version.\n")),
    ]
    .map(|(name, text)| (name.to_owned(), text.into_bytes()))
    .into();
    files.extend(icon.map(|icon| ("icon.svg".to_owned(), icon.as_bytes().to_vec())));
    files
}

/// What a text looks like.
fn looks_like(text: &str) -> Format {
    if text.trim_start().starts_with(['{', '[']) {
        Format::Portainer
    } else if text.lines().any(|line| line.starts_with("captainVersion")) {
        Format::Caprover
    } else {
        Format::Compose
    }
}

pub(super) fn import(file: &Path, from: Option<ImportFormat>, out: &Path) -> anyhow::Result<ExitCode> {
    let text = document::read(file)?;
    let from = match from {
        Some(ImportFormat::Compose) => Format::Compose,
        Some(ImportFormat::Portainer) => Format::Portainer,
        Some(ImportFormat::Caprover) => Format::Caprover,
        None => looks_like(&text),
    };
    let converted = convert::convert(from, &text);
    let mut wrong = converted.drafts.is_empty();
    for refused in &converted.refused {
        render::line(&format!("refused[{}]: {}: {}", refused.code, refused.what, refused.why));
    }
    let named = |draft: &Draft| out.join(draft.template.get("name").and_then(Value::as_str).unwrap_or("template"));
    let (good, bad): (Vec<_>, Vec<_>) = converted.drafts.into_iter().partition(Draft::is_stack);
    for draft in &bad {
        wrong = true;
        // Nothing is written that the place could be in: it is in the file, whose lines a Compose file's draft keeps.
        draft.problems.iter().for_each(|problem| render::line(&unwritten(file, from, draft, problem)));
    }
    if let Some(there) = good.iter().map(named).find(|folder| folder.exists()) {
        return Err(invalid(format!("{} is there already; nothing was written", there.display())));
    }
    for draft in good {
        let folder = named(&draft);
        let Draft { template, text, contents, problems } = draft;
        write(&folder, &files(&Value::Object(template), Kind::Stack, text, None))?;
        render::line(&format!("{} is written", folder.display()));
        for risk in &contents.risks {
            render::line(&format!("{}: {risk}; whoever deploys it has to confirm that", folder.display()));
        }
        wrong |= problems.iter().any(Problem::is_error);
        for problem in problems {
            render::line(&told(&folder, &Fault { file: Kind::Stack.document().to_owned(), problem }));
        }
    }
    Ok(ExitCode::from(if wrong { exit::INVALID } else { 0 }))
}

/// A problem of a draft that is not written.
fn unwritten(file: &Path, from: Format, draft: &Draft, problem: &Problem) -> String {
    if from == Format::Compose {
        return told(file, &Fault { file: String::new(), problem: problem.clone() });
    }
    let title = draft.template.get("name").and_then(Value::as_str).unwrap_or_default();
    let remedy = problem.remedy.as_ref().map(|remedy| format!("\n  = {remedy}")).unwrap_or_default();
    format!("refused[{}]: {title}: {}{remedy}", problem.code, problem.message)
}
