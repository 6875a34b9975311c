//! `windflow workflows …`, `windflow validate` and `windflow plan` of a server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::id::WorkflowName;
use windflow_core::run::Timestamp;
use windflow_core::workflow::Workflow;

use super::reply::{DocumentProblem, Refused};
use super::report::Listed;
use super::server::Server;
use crate::cli::{ApplyArgs, ListWorkflowsArgs, PlanArgs, ShowWorkflowArgs, ValidateArgs, WorkflowsCommand};
use crate::commands::document;
use crate::commands::plan::{self, Reached};
use crate::exit::{self, invalid};
use crate::render::{self, shorten, status, table::table, time};

pub(super) async fn run(server: &Server, command: WorkflowsCommand) -> anyhow::Result<ExitCode> {
    match command {
        WorkflowsCommand::List(args) => list(server, &args).await,
        WorkflowsCommand::Show(args) => show(server, &args).await,
        WorkflowsCommand::Apply(args) => apply(server, &args).await,
        WorkflowsCommand::Enable { names } => each(server, &names, Method::POST, Some("enable"), "is on").await,
        WorkflowsCommand::Disable { names } => each(server, &names, Method::POST, Some("disable"), "is off").await,
        WorkflowsCommand::Delete { names } => each(server, &names, Method::DELETE, None, "is deleted").await,
    }
}

/// A workflow that the server keeps.
#[derive(Deserialize)]
struct Kept {
    name: WorkflowName,
    version: u32,
    enabled: bool,
    triggers: Vec<String>,
    updated_at: Timestamp,
    updated_by: String,
    last_run: Option<Listed>,
}

async fn list(server: &Server, args: &ListWorkflowsArgs) -> anyhow::Result<ExitCode> {
    let mut query = Vec::new();
    query.extend(args.tag.clone().map(|tag| ("tag", tag)));
    query.extend(args.folder.clone().map(|folder| ("folder", folder)));
    let all: Vec<Value> = server.all(&["workflows"], &query).await?;
    if args.json {
        render::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        render::line("No workflows yet. Put one there with: windflow workflows apply FILE");
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = vec![["WORKFLOW", "VERSION", "TRIGGERS", "CHANGED", "BY", "LAST RUN"].map(String::from).to_vec()];
    for workflow in all {
        let kept: Kept = serde_json::from_value(workflow)?;
        let triggers = match (kept.triggers.is_empty(), kept.enabled) {
            (true, _) => "none".to_owned(),
            (false, true) => kept.triggers.join(", "),
            (false, false) => format!("{} (off)", kept.triggers.join(", ")),
        };
        let last = kept.last_run.map(|run| status(&run.status)).unwrap_or_default();
        let (version, changed) = (kept.version.to_string(), time(kept.updated_at));
        rows.push(vec![kept.name.to_string(), version, triggers, changed, shorten(&kept.updated_by, 30), last]);
    }
    render::result(&table(&rows))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(server: &Server, args: &ShowWorkflowArgs) -> anyhow::Result<ExitCode> {
    let (name, version) = &args.name;
    let name = name.as_str();
    let text = match version {
        None => server.send(server.request(Method::GET, &["workflows", name, "document"])).await?.text().await?,
        Some(version) => {
            #[derive(Deserialize)]
            struct Version {
                text: String,
            }
            server.get::<Version>(&["workflows", name, "versions", &version.to_string()]).await?.text
        }
    };
    render::result(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What was switched on may lack what it needs.
#[derive(Default, Deserialize)]
struct Done {
    #[serde(default)]
    warnings: Vec<DocumentProblem>,
}

async fn each(
    server: &Server,
    names: &[WorkflowName],
    method: Method,
    action: Option<&str>,
    done: &str,
) -> anyhow::Result<ExitCode> {
    for name in names {
        let path = ["workflows", name.as_str()].into_iter().chain(action).collect::<Vec<_>>();
        let answer = server.send(server.request(method.clone(), &path)).await?;
        render::line(&format!("{name} {done}"));
        // What is deleted answers nothing.
        let Done { warnings } = answer.json().await.unwrap_or_default();
        print(Path::new(name.as_str()), &warnings);
    }
    Ok(ExitCode::SUCCESS)
}

/// A file, and what it would change.
struct Change {
    path: PathBuf,
    text: String,
    name: WorkflowName,
    /// The tag of what the server has, where it has the workflow.
    seen: Option<String>,
    same: bool,
}

/// Nothing is changed before every file was found good.
async fn apply(server: &Server, args: &ApplyArgs) -> anyhow::Result<ExitCode> {
    let mut changes = Vec::new();
    let mut bad = 0;
    for path in &args.files {
        let text = document::read(path)?;
        let Validation { valid, problems, .. } = check(server, &text).await?;
        print(path, &problems);
        if !valid {
            bad += 1;
        } else if let Some(workflow) = Workflow::parse(&text).0 {
            let name = workflow.name.value;
            let (seen, same) = compare(server, &name, &text).await?;
            changes.push(Change { path: path.clone(), text, name, seen, same });
        }
    }
    if bad > 0 {
        let files = if bad == 1 { "1 file has".to_owned() } else { format!("{bad} files have") };
        return Err(invalid(format!("{files} errors; nothing was changed")));
    }
    for change in changes {
        let Change { path, text, name, seen, same } = &change;
        if *same {
            render::line(&format!("{} {name}", console::style("unchanged").dim().for_stderr()));
        } else if args.dry_run {
            let word = if seen.is_some() { "would change" } else { "would create" };
            render::line(&format!("{} {name}", console::style(word).cyan().for_stderr()));
            continue;
        } else {
            let request = match seen {
                Some(tag) => {
                    server.request(Method::PUT, &["workflows", name.as_str(), "document"]).header(header::IF_MATCH, tag)
                }
                None => server.request(Method::POST, &["workflows"]),
            };
            let request = request.header(header::CONTENT_TYPE, "application/yaml").body(text.clone());
            let kept: Value = server.ask(request).await.map_err(|error| error.context(path.display().to_string()))?;
            let word = if seen.is_some() { "changed" } else { "created" };
            let word = console::style(word).green().for_stderr();
            render::line(&format!("{word} {name}, version {}", kept["version"]));
        }
        if args.enable && !args.dry_run {
            each(server, std::slice::from_ref(name), Method::POST, Some("enable"), "is on").await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tag of what the server has under a name, and whether it is this text.
async fn compare(server: &Server, name: &WorkflowName, text: &str) -> anyhow::Result<(Option<String>, bool)> {
    let kept = match server.send(server.request(Method::GET, &["workflows", name.as_str(), "document"])).await {
        Ok(kept) => kept,
        Err(error) => {
            return match error.downcast_ref::<Refused>() {
                Some(refused) if refused.status == StatusCode::NOT_FOUND => Ok((None, false)),
                _ => Err(error),
            };
        }
    };
    let tag = kept.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    Ok((tag.or_else(|| Some("*".into())), kept.text().await? == text))
}

fn print(path: &Path, problems: &[DocumentProblem]) {
    for problem in problems {
        render::line(&problem.render(&path.display().to_string()));
    }
}

/// What is wrong with a text, in the eyes of the server.
#[derive(Deserialize)]
struct Validation {
    valid: bool,
    problems: Vec<DocumentProblem>,
    #[serde(default)]
    reach: Vec<Reached>,
}

async fn check(server: &Server, text: &str) -> anyhow::Result<Validation> {
    let request = server.request(Method::POST, &["validate"]).header(header::CONTENT_TYPE, "application/yaml");
    server.ask(request.body(text.to_owned())).await
}

/// A file, as it would go on at the server: with its node types, the workflows that it keeps, and its credentials where whoever
/// asks may know of them.
pub(super) async fn plan(server: &Server, args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let text = document::read(&args.file)?;
    let Validation { valid, problems, reach } = check(server, &text).await?;
    print(&args.file, &problems);
    let workflow = Workflow::parse(&text).0.filter(|_| valid);
    let workflow = workflow.ok_or_else(|| invalid(format!("{} is not valid at the server", args.file.display())))?;
    plan::show(&workflow, &super::plugins::node_types(server).await?, &reach)?;
    Ok(ExitCode::SUCCESS)
}

/// Files are held against the node types that the server has.
pub(super) async fn validate(server: &Server, args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    let mut all_valid = true;
    let mut report = Vec::new();
    for path in &args.files {
        let text = match document::read(path) {
            Ok(text) => text,
            // One file that cannot be read must not hide what is wrong with the others.
            Err(error) => {
                all_valid = false;
                render::error(&format!("{error:#}"));
                let problem = json!({ "code": "unreadable", "message": format!("{error:#}") });
                report.push(json!({ "file": path, "valid": false, "problems": [problem] }));
                continue;
            }
        };
        let Validation { valid, problems, .. } = check(server, &text).await?;
        all_valid &= valid;
        if args.json {
            report.push(json!({ "file": path, "valid": valid, "problems": problems }));
            continue;
        }
        print(path, &problems);
        if valid {
            render::line(&format!("{} {}", status("valid"), path.display()));
        }
    }
    if args.json {
        render::json(&report)?;
    }
    Ok(ExitCode::from(if all_valid { 0 } else { exit::INVALID }))
}
