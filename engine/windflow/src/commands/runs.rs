//! `windflow runs …`

use std::process::ExitCode;

use windflow_core::id::{OrganisationId, RunId, RunKey};
use windflow_core::ports::store::{Journal, ReadModel, Retention, RunQuery, RunStatus, RunSummary};

use crate::cli::{ExportArgs, Global, ListArgs, ResumeArgs, RunArg, RunsCommand};
use crate::commands::run::{asked, finish, follow};
use crate::commands::{answer, rerun};
use crate::engine::Engine;
use crate::exit::{self, invalid};
use crate::render::live::Live;
use crate::render::{self, fit, time};

pub(crate) fn run(global: &Global, command: RunsCommand) -> anyhow::Result<ExitCode> {
    let engine = Engine::open(global, crate::engine::host(global)?)?;
    match command {
        RunsCommand::List(args) => list(&engine, args),
        RunsCommand::Show(args) => show(&engine, &args),
        RunsCommand::Events(args) => events(&engine, &args),
        RunsCommand::Resume(args) => resume(&engine, &args),
        RunsCommand::Cancel(args) => cancel(&engine, &args),
        RunsCommand::Rerun(args) => rerun::rerun(&engine, args),
        RunsCommand::Export(args) => export(&engine, &args),
        RunsCommand::Diff(args) => rerun::diff(&engine, &args),
        RunsCommand::Answer(args) => answer::answer(&engine, &args),
        RunsCommand::Approve(args) => answer::decide(&engine, &args, true),
        RunsCommand::Reject(args) => answer::decide(&engine, &args, false),
        RunsCommand::Delete { runs } => delete(&engine, &runs),
    }
}

fn list(engine: &Engine, args: ListArgs) -> anyhow::Result<ExitCode> {
    let status = args.status.map(RunStatus::from);
    let all = args.workflow.is_none() && status.is_none() && args.after.is_none();
    let query = RunQuery {
        workflow: args.workflow,
        status,
        after: args.after.map(|run| run.parse()).transpose().map_err(|error| invalid(format!("--after: {error}")))?,
        limit: args.limit.into(),
        ..RunQuery::default()
    };
    let page = engine.store.runs(&OrganisationId::local(), &query)?;
    if args.json {
        render::json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    if page.items.is_empty() {
        render::line(if all { "No runs yet. Start one with: windflow run FILE" } else { "No runs like that." });
        return Ok(ExitCode::SUCCESS);
    }
    render::result(&render::run::list(page.items.iter().map(row)))?;
    if page.items.iter().any(|run| run.finished_at.is_none()) {
        render::line(
            "Runs that have not ended were interrupted, or wait for an answer: windflow runs resume RUN (or --all) goes on with\n\
             them, and windflow runs show RUN tells what they wait for.",
        );
    }
    if let Some(next) = page.next {
        render::line(&format!("More: windflow runs list --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &RunSummary) -> render::run::Row {
    render::run::Row {
        run: run.run,
        workflow: run.workflow.to_string(),
        status: render::run::word(run.status).to_owned(),
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}

fn show(engine: &Engine, args: &RunArg) -> anyhow::Result<ExitCode> {
    let key = find(engine, &args.run)?;
    let report = engine.runtime.report(&key)?;
    if args.json {
        render::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let summary = engine.store.run(&key)?;
    let asked = asked(&engine.runtime, &report);
    let note = match summary.finished_at {
        None if asked.is_empty() => format!("It was interrupted; go on with it: windflow runs resume {}", key.run),
        _ => asked,
    };
    let (workflow, started_by) = (summary.workflow.to_string(), summary.started_by);
    let head = render::run::Head { workflow, started_at: summary.started_at, started_by };
    render::result(&render::run::show(&report, &head, &note)?)?;
    Ok(ExitCode::SUCCESS)
}

fn events(engine: &Engine, args: &RunArg) -> anyhow::Result<ExitCode> {
    const PAGE: usize = 512;
    let key = find(engine, &args.run)?;
    let mut after = 0;
    loop {
        let records = engine.store.read(&key, after, PAGE)?;
        let read = records.len();
        for (sequence, record) in records {
            after = sequence;
            let event = serde_json::to_string(&record.event)?;
            if args.json {
                render::result(
                    &serde_json::json!({ "sequence": sequence, "at": record.at, "event": record.event }).to_string(),
                )?;
            } else {
                render::result(&format!("{sequence:>5}  {}  {}", time(record.at), fit(&event, 160)))?;
            }
        }
        if read < PAGE {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn export(engine: &Engine, args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let key = find(engine, &args.run)?;
    // JSON is YAML.
    render::json(&crate::commands::test::export::case(engine, &key)?)?;
    Ok(ExitCode::SUCCESS)
}

fn resume(engine: &Engine, args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let keys = match &args.run {
        Some(run) => vec![find(engine, run)?],
        None => engine.store.unfinished()?,
    };
    if keys.is_empty() {
        render::line("No run was interrupted.");
    }
    let mut worst = ExitCode::SUCCESS;
    for key in keys {
        let code = engine.block_on(async {
            let updates = engine.runtime.resume_watched(&key)?;
            let live = if args.quiet { None } else { Some(Live::new(engine.runtime.report(&key)?.nodes.keys())) };
            if !args.quiet {
                render::line(&format!("▶ resuming {}", key.run));
            }
            let report = follow(&engine.runtime, &key, live, updates, 0).await?;
            finish(&engine.runtime, &report, args.json, args.quiet)
        })?;
        if code != ExitCode::SUCCESS {
            worst = code;
        }
    }
    Ok(worst)
}

fn cancel(engine: &Engine, args: &RunArg) -> anyhow::Result<ExitCode> {
    let key = find(engine, &args.run)?;
    engine.block_on(async {
        engine.runtime.cancel(&key, "cli")?;
        let report = engine.runtime.wait(&key).await.map_err(|lost| anyhow::anyhow!("{lost}"))?;
        finish(&engine.runtime, &report, args.json, args.json)?;
        Ok(ExitCode::from(if report.status == "cancelled" { 0 } else { exit::FAILED }))
    })
}

fn delete(engine: &Engine, runs: &[String]) -> anyhow::Result<ExitCode> {
    // All of them are found before the first is deleted: `last` is the same one every time, and a typing error costs nothing.
    let mut keys = runs.iter().map(|run| find(engine, run)).collect::<anyhow::Result<Vec<_>>>()?;
    keys.sort();
    keys.dedup();
    for key in keys {
        let position = engine.store.delete(&key)?;
        engine.block_on(engine.store.durable(position))?;
        render::line(&format!("{} is deleted", key.run));
    }
    Ok(ExitCode::SUCCESS)
}

/// A run by its id, the beginning of it, or `last`: the newest that no other run started.
pub(super) fn find(engine: &Engine, text: &str) -> anyhow::Result<RunKey> {
    let organisation = OrganisationId::local();
    if let Ok(run) = text.parse::<RunId>() {
        let key = RunKey { organisation, run };
        engine.store.run(&key)?;
        return Ok(key);
    }
    let mut found: Option<RunId> = None;
    let mut after = None;
    loop {
        let page = engine.store.runs(&organisation, &RunQuery { after, limit: 500, ..RunQuery::default() })?;
        for summary in &page.items {
            if text == "last" && render::run::is_by_itself(&summary.started_by) {
                return Ok(RunKey { organisation, run: summary.run });
            }
            if text != "last" && summary.run.to_string().starts_with(text) {
                if found.is_some() {
                    return Err(invalid(format!("more than one run begins with {text}; write more of the id")));
                }
                found = Some(summary.run);
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    match found {
        Some(run) => Ok(RunKey { organisation, run }),
        None => Err(invalid(render::run::unknown(text))),
    }
}
