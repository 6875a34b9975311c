//! `windflow run` and `windflow runs …` of a server.

use std::process::ExitCode;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use windflow_core::id::{RunId, WorkflowName};
use windflow_core::run::Timestamp;
use windflow_core::workflow::Workflow;
use windflow_runtime::{Clock, SystemClock};

use super::answers;
use super::follow::follow;
use super::patience::Patience;
use super::report::{Detail, Listed, asked};
use super::server::{Page, Server};
use crate::cli::{DiffArgs, ListArgs, RerunArgs, ResumeArgs, RunArg, RunArgs, RunsCommand};
use crate::commands::run::inputs_of;
use crate::exit::{self, invalid};
use crate::render::{self, fit, status, table::table, time};

/// Items of a page at most.
const PAGE: &str = "500";

pub(super) async fn run(server: &Server, command: RunsCommand) -> anyhow::Result<ExitCode> {
    match command {
        RunsCommand::List(args) => list(server, args).await,
        RunsCommand::Show(args) => show(server, &args).await,
        RunsCommand::Events(args) => events(server, &args).await,
        RunsCommand::Resume(args) => resume(server, &args).await,
        RunsCommand::Cancel(args) => cancel(server, &args).await,
        RunsCommand::Rerun(args) => rerun(server, args).await,
        RunsCommand::Diff(args) => diff(server, &args).await,
        RunsCommand::Answer(args) => answers::answer(server, args).await,
        RunsCommand::Approve(args) => answers::decide(server, args, true).await,
        RunsCommand::Reject(args) => answers::decide(server, args, false).await,
        RunsCommand::Export(_) => {
            Err(invalid("cases are made of runs of this machine: a server's events do not hold all that a case needs"))
        }
        RunsCommand::Delete { runs } => delete(server, &runs).await,
    }
}

/// A run that was started.
#[derive(Deserialize)]
struct Started {
    run: RunId,
}

/// Starts a workflow that the server keeps, and shows the run to its end.
pub(super) async fn start(server: &Server, args: RunArgs) -> anyhow::Result<ExitCode> {
    let name: WorkflowName = match args.file.to_str().and_then(|text| text.parse().ok()) {
        Some(name) => name,
        None => {
            let file = args.file.display();
            return Err(invalid(format!(
                "{file}: a server runs the workflows that it keeps, by their names\n  = windflow workflows apply {file}, then windflow run NAME"
            )));
        }
    };
    if !args.allow.is_empty() {
        return Err(invalid("--allow: what a kept workflow may reach stands in its `permissions:`"));
    }
    let text =
        server.send(server.request(Method::GET, &["workflows", name.as_str(), "document"])).await?.text().await?;
    // Which type an input has tells how its text is meant.
    let inputs = match Workflow::parse(&text).0 {
        Some(workflow) => inputs_of(&workflow, args.input_file.as_deref(), &args.inputs)?,
        None => Map::new(),
    };
    let Started { run } =
        start_once(server, &["workflows", name.as_str(), "runs"], &json!({ "inputs": inputs })).await?;
    if !args.quiet {
        let (sign, name) = (console::style("▶").cyan().for_stderr(), console::style(name).bold().for_stderr());
        render::line(&format!("{sign} {name}"));
    }
    to_the_end(server, run, args.json, args.quiet).await
}

/// A start whose answer is lost is asked for again with the same key: it starts nothing twice.
async fn start_once(server: &Server, path: &[&str], body: &Value) -> anyhow::Result<Started> {
    let key = SystemClock.new_run_id().to_string();
    let mut patience = Patience::default();
    loop {
        let request = server.request(Method::POST, path);
        match server.ask(request.header("idempotency-key", &key).json(body)).await {
            Ok(started) => return Ok(started),
            Err(error) => patience.after(error).await?,
        }
    }
}

pub(super) async fn to_the_end(server: &Server, run: RunId, json: bool, quiet: bool) -> anyhow::Result<ExitCode> {
    let report = follow(server, run, quiet).await?.report();
    render::run::finish(&report, &asked(server, &report).await?, json, quiet)
}

async fn list(server: &Server, args: ListArgs) -> anyhow::Result<ExitCode> {
    let mut query = vec![("limit", args.limit.min(500).to_string())];
    query.extend(args.workflow.map(|name| ("workflow", name.to_string())));
    query.extend(args.status.map(|status| ("status", render::run::word(status.into()).to_owned())));
    query.extend(args.after.map(|cursor| ("cursor", cursor)));
    if args.json {
        let page: Page<Value> = server.page(&["runs"], &query, None).await?;
        render::json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let page: Page<Listed> = server.page(&["runs"], &query, None).await?;
    if page.items.is_empty() {
        render::line("No runs yet. Start one with: windflow run NAME");
        return Ok(ExitCode::SUCCESS);
    }
    render::result(&render::run::list(page.items.iter().map(Into::into)))?;
    if let Some(next) = page.next {
        render::line(&format!("More: windflow runs list --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(server: &Server, args: &RunArg) -> anyhow::Result<ExitCode> {
    let run = find(server, &args.run).await?;
    let detail = Detail::get(server, run).await?;
    let report = detail.report();
    if args.json {
        render::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let note = match &detail.summary.stalled {
        Some(stalled) => {
            format!("It does not go on: {}\n  = once that is mended: windflow runs resume {run}", stalled.reason)
        }
        None => asked(server, &report).await?,
    };
    let Listed { workflow, started_at, started_by, .. } = detail.summary;
    render::result(&render::run::show(&report, &render::run::Head { workflow, started_at, started_by }, &note)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn events(server: &Server, args: &RunArg) -> anyhow::Result<ExitCode> {
    let run = find(server, &args.run).await?.to_string();
    let mut cursor: Option<String> = None;
    loop {
        let path = ["runs", &run, "events"];
        let page: Page<Value> = server.page(&path, &[("limit", PAGE.to_owned())], cursor.as_deref()).await?;
        for event in page.items {
            if args.json {
                render::result(&event.to_string())?;
            } else {
                let (sequence, at) = (event["sequence"].as_u64().unwrap_or(0), event["at"].as_u64().unwrap_or(0));
                let what = fit(&event["event"].to_string(), 160);
                render::result(&format!("{sequence:>5}  {}  {what}", time(Timestamp(at))))?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

async fn resume(server: &Server, args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let Some(run) = &args.run else {
        return Err(invalid(
            "--all: a server goes on with all runs by itself; name one that `windflow runs show` calls stalled",
        ));
    };
    let run = find(server, run).await?;
    server.send(server.request(Method::POST, &["runs", &run.to_string(), "resume"])).await?;
    to_the_end(server, run, args.json, args.quiet).await
}

async fn cancel(server: &Server, args: &RunArg) -> anyhow::Result<ExitCode> {
    let run = find(server, &args.run).await?;
    server.send(server.request(Method::POST, &["runs", &run.to_string(), "cancel"])).await?;
    let report = follow(server, run, true).await?.report();
    render::run::finish(&report, "", args.json, args.json)?;
    Ok(ExitCode::from(if report.status == "cancelled" { 0 } else { exit::FAILED }))
}

async fn delete(server: &Server, runs: &[String]) -> anyhow::Result<ExitCode> {
    // All of them are found before the first is deleted: `last` is the same one every time, and a typing error costs nothing.
    let mut found = Vec::with_capacity(runs.len());
    for run in runs {
        found.push(find(server, run).await?);
    }
    found.sort();
    found.dedup();
    for run in found {
        server.send(server.request(Method::DELETE, &["runs", &run.to_string()])).await?;
        render::line(&format!("{run} is deleted"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn rerun(server: &Server, args: RerunArgs) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Verdict {
        nodes: Vec<Fate>,
    }
    #[derive(Deserialize)]
    struct Fate {
        node: String,
        fate: String,
        why: Option<String>,
    }
    if args.with.is_some() || !args.allow.is_empty() {
        return Err(invalid(
            "--with, --allow: a server repeats runs with what it keeps; apply the file first, and say --latest",
        ));
    }
    let run = find(server, &args.run).await?.to_string();
    let path = ["runs", &run, "rerun"];
    let ask = |dry_run: bool| json!({ "from": args.from, "latest": args.latest, "dry_run": dry_run });
    if args.dry_run || !args.quiet {
        let Verdict { nodes } = server.ask(server.request(Method::POST, &path).json(&ask(true))).await?;
        let row = |Fate { node, fate, why }: Fate| vec![format!("  {}", status(&fate)), node, why.unwrap_or_default()];
        render::line(table(&nodes.into_iter().map(row).collect::<Vec<_>>()).trim_end());
    }
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let Started { run } = start_once(server, &path, &ask(false)).await?;
    to_the_end(server, run, args.json, args.quiet).await
}

async fn diff(server: &Server, args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let (a, b) = (find(server, &args.a).await?, find(server, &args.b).await?);
    render::run::diff(&Detail::get(server, a).await?.report(), &Detail::get(server, b).await?.report())
}

/// A run by its id, the beginning of it, or `last`: the newest that no other run started.
pub(super) async fn find(server: &Server, text: &str) -> anyhow::Result<RunId> {
    if let Ok(run) = text.parse() {
        return Ok(run);
    }
    let mut found: Option<RunId> = None;
    let mut query = vec![("limit", PAGE.to_owned())];
    if text != "last" {
        query.push(("q", text.to_owned()));
    }
    let mut cursor: Option<String> = None;
    loop {
        let page: Page<Listed> = server.page(&["runs"], &query, cursor.as_deref()).await?;
        for Listed { run, started_by, .. } in page.items {
            if text == "last" && render::run::is_by_itself(&started_by) {
                return Ok(run);
            }
            if text != "last" && run.to_string().starts_with(text) && found.replace(run).is_some() {
                return Err(invalid(format!("more than one run begins with {text}; write more of the id")));
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return found.ok_or_else(|| invalid(render::run::unknown(text)));
        }
    }
}
