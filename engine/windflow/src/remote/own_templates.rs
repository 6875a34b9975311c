//! What a server has installed of templates, and templates of one's own at a server.

use std::path::PathBuf;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_marketplace::files::from_folder;
use windflow_marketplace::manifest::Kind;
use windflow_marketplace::package;

use super::reply::{self, DocumentProblem};
use super::server::Server;
use crate::cli::PublishArgs;
use crate::commands::deploy::confirm;
use crate::commands::templates::made;
use crate::exit::invalid;
use crate::render::{self, table::table};

/// A stack or workflow that came from a template, as the API shows it.
#[derive(Deserialize)]
struct Installed {
    kind: Kind,
    #[serde(rename = "as")]
    name: String,
    template: String,
    registry: String,
    version: String,
    latest: Option<String>,
}

pub(super) async fn list(server: &Server, as_json: bool) -> anyhow::Result<ExitCode> {
    let all: Vec<Value> = server.all(&["templates", "installed"], &[]).await?;
    if as_json {
        render::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["NAME", "KIND", "TEMPLATE", "REGISTRY", "VERSION", "LATEST"].map(String::from).to_vec()];
    for one in all {
        let Installed { kind, name, template, registry, version, latest } = serde_json::from_value(one)?;
        rows.push(vec![name, kind.word().to_owned(), template, registry, version, latest.unwrap_or_default()]);
    }
    render::result(&table(&rows))?;
    Ok(ExitCode::SUCCESS)
}

/// What an update would change, as the API shows it.
#[derive(Deserialize)]
struct Update {
    from: String,
    to: String,
    update: bool,
    changed_by_hand: bool,
    difference: String,
}

/// Shows what an update would change, and makes it.
pub(super) async fn update(server: &Server, name: &str, kind: Option<Kind>, yes: bool) -> anyhow::Result<ExitCode> {
    let mut all: Vec<Installed> = server.all(&["templates", "installed"], &[]).await?;
    all.retain(|one| one.name == name && kind.is_none_or(|kind| kind == one.kind));
    let installed = match all.as_slice() {
        [one] => one,
        [] => {
            let kind = kind.map_or("stack or workflow", Kind::word);
            return Err(invalid(format!("the server has no {kind} {name} that was installed from a template")));
        }
        _ => return Err(invalid(format!("{name} is a stack and a workflow: say which with --kind"))),
    };
    let path = ["templates", "installed", installed.kind.word(), name, "update"];
    let answer = server.send(server.request(Method::GET, &path)).await?;
    let tag = answer.headers().get(reqwest::header::ETAG).cloned();
    let Update { from, to, update, changed_by_hand, difference } = serde_json::from_slice(&reply::body(answer).await?)?;
    if !update {
        render::line(&format!("{name} is at {from}, the latest version of {}", installed.template));
        return Ok(ExitCode::SUCCESS);
    }
    render::result(&difference)?;
    if changed_by_hand {
        render::line(&format!("{name} was changed by hand since it was installed: the update undoes that"));
    }
    if !yes && confirm::ask(&format!("Update {name} from {from} to {to}?"))? != Some(true) {
        return Err(invalid("nothing was updated; --yes updates it"));
    }
    // Nobody's change is lost: it is made of what was shown.
    let mut request = server.request(Method::POST, &path);
    if let Some(tag) = tag {
        request = request.header(reqwest::header::IF_MATCH, tag);
    }
    server.send(request).await?;
    let after = match installed.kind {
        Kind::Stack => "; what is deployed stays as it is until it is deployed again",
        Kind::Workflow => "",
    };
    render::line(&format!("{name} is at {to}{after}"));
    Ok(ExitCode::SUCCESS)
}

/// What was published, as the API shows it.
#[derive(Deserialize)]
struct Published {
    name: String,
    version: String,
    /// What could be better.
    problems: Vec<DocumentProblem>,
}

pub(super) async fn publish(server: &Server, args: &PublishArgs) -> anyhow::Result<ExitCode> {
    let wanted = if let Some(folder) = &args.folder {
        let files = from_folder(folder).map_err(|error| invalid(format!("{}: {error}", folder.display())))?;
        if files.is_empty() {
            return Err(invalid(format!("{}: there is no file of a template", folder.display())));
        }
        let packed = package::pack(&files, package::TEMPLATE)
            .map_err(|error| invalid(format!("{}: {error}", folder.display())))?;
        json!({ "package": STANDARD.encode(packed) })
    } else {
        let from = match (&args.stack, &args.workflow) {
            (Some(stack), _) => json!({ "stack": stack }),
            (None, Some(workflow)) => json!({ "workflow": kept(workflow)? }),
            (None, None) => return Err(invalid("say what to publish: a folder, --stack or --workflow")),
        };
        let mut wanted = json!({ "from": from, "template": made::about(&args.about) });
        if let Some(changes) = &args.about.changes {
            wanted["changes"] = json!(changes);
        }
        wanted
    };
    let Published { name, version, problems } =
        server.ask(server.request(Method::POST, &["templates"]).json(&wanted)).await?;
    let what = args.folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default();
    problems.iter().for_each(|problem| render::line(&problem.render(&what)));
    render::line(&format!("{name} {version} is published at the server; `windflow templates install {name}`"));
    Ok(ExitCode::SUCCESS)
}

/// The name of a workflow that a server keeps.
fn kept(name: &str) -> anyhow::Result<&str> {
    if PathBuf::from(name).is_file() {
        return Err(invalid(format!(
            "{name} is a file: a server makes templates of workflows that it keeps\n  = `windflow workflows apply {name}`, then give its name"
        )));
    }
    Ok(name)
}
