//! `windflow run`

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use console::style;
use serde_json::{Map, Value};
use windflow_core::capability::Grants;
use windflow_core::id::{OrganisationId, RunKey};
use windflow_core::problem;
use windflow_core::run::Sequence;
use windflow_core::workflow::Workflow;
use windflow_runtime::{RunReport, Runtime, Start, StartError, Updates};

use super::document;
use crate::cli::{Global, RunArgs};
use crate::engine::Engine;
use crate::exit::{self, invalid};
use crate::render;
use crate::render::live::Live;
use crate::signal::interrupted;

pub(crate) fn run(global: &Global, args: RunArgs) -> anyhow::Result<ExitCode> {
    let host = crate::engine::host(global)?;
    let mut checked = document::check(&args.file, &host)?;
    if !args.allow.is_empty() {
        // What the file does not grant, the command line does.
        checked.problems.retain(|problem| problem.code != "no_permission");
    }
    let (text, workflow, children) = checked.into_valid(&args.file)?;
    let inputs = inputs_of(&workflow, args.input_file.as_deref(), &args.inputs)?;
    let mut allowed = args.allow;
    allowed.extend(super::permission::ask(&workflow, &host, &allowed)?);
    let engine = Engine::open(global, host)?;
    engine.block_on(async {
        let organisation = OrganisationId::local();
        let start = Start {
            organisation: organisation.clone(),
            document: text.clone(),
            inputs,
            extra_grants: Grants { http: allowed, ..Grants::default() },
            started_by: "cli".into(),
            children,
            pinned: std::collections::BTreeMap::new(),
            trace: None,
        };
        let (started, updates) = engine.runtime.start_watched(start).map_err(|error| match error {
            StartError::Invalid(error) => {
                render::line(problem::render(&args.file.display().to_string(), &text, &error.problems).trim_end());
                invalid(document::summary(&args.file, error.problems.len()))
            }
            other => anyhow::Error::new(other),
        })?;
        let key = RunKey { organisation, run: started.run };
        let shown = (!args.quiet).then(|| Live::new(workflow.nodes.keys()));
        if !args.quiet {
            render::line(&format!(
                "{} {}",
                style("▶").cyan().for_stderr(),
                style(&workflow.name.value).bold().for_stderr()
            ));
        }
        let report = follow(&engine.runtime, &key, shown, updates, 0).await?;
        finish(&engine.runtime, &report, args.json, args.quiet)
    })
}

/// Shows a run until it has ended, or waits for an answer other than the one with this sequence. Ctrl-C cancels it; a second one leaves the process, and the run to be resumed.
pub(crate) async fn follow(
    runtime: &Runtime,
    key: &RunKey,
    live: Option<Live>,
    updates: Updates,
    answered: Sequence,
) -> anyhow::Result<Arc<RunReport>> {
    let mut shown = tokio::spawn(watch(live, updates, answered));
    let ended = runtime.wait(key);
    tokio::pin!(ended);
    let mut interrupts = 0;
    let mut seen_to_the_end = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut ended => break ended,
            watched = &mut shown, if !seen_to_the_end => {
                seen_to_the_end = true;
                if watched? == Watched::Idle {
                    return Ok(Arc::new(runtime.report(key)?));
                }
            }
            interrupt = interrupted() => {
                interrupt?;
                interrupts += 1;
                if interrupts > 1 {
                    render::line(&format!("\nleft at once; the run can be taken up again:\n  windflow runs resume {}", key.run));
                    std::process::exit(exit::INTERRUPTED.into());
                }
                render::line("\ncancelling; press Ctrl-C again to leave at once");
                // A run that ends at this very moment is past cancelling; its end is what is reported.
                let _ = runtime.cancel(key, "ctrl-c");
            }
        }
    };
    if !seen_to_the_end {
        let _ = shown.await;
    }
    ended.map_err(|lost| {
        anyhow::anyhow!("{lost}\nOnce that is mended, take the run up again:\n  windflow runs resume {}", key.run)
    })
}

/// What the updates of a run came to.
#[derive(PartialEq, Eq)]
enum Watched {
    /// There are no more.
    Over,
    /// Nothing goes on until somebody answers.
    Idle,
}

async fn watch(mut live: Option<Live>, mut updates: Updates, answered: Sequence) -> Watched {
    while let Some(update) = updates.next().await {
        if let Ok(windflow_runtime::Update::Idle(last)) = update
            && last >= answered
        {
            return Watched::Idle;
        }
        if let Some(live) = &mut live {
            live.show(update);
        }
    }
    Watched::Over
}

/// What a run waits for somebody to answer, and how that is done; nothing where it waits for nobody.
pub(crate) fn asked(runtime: &Runtime, report: &RunReport) -> String {
    render::run::asked(report, &|run| {
        let key = RunKey { organisation: OrganisationId::local(), run };
        runtime.report(&key).ok()
    })
}

/// Prints how a run ended.
pub(crate) fn finish(runtime: &Runtime, report: &RunReport, json: bool, quiet: bool) -> anyhow::Result<ExitCode> {
    render::run::finish(report, &asked(runtime, report), json, quiet)
}

/// The inputs of a file first, those of the command line over them.
pub(crate) fn inputs_of(
    workflow: &Workflow,
    file: Option<&Path>,
    given: &[(String, String)],
) -> anyhow::Result<Map<String, Value>> {
    let mut inputs = Map::new();
    if let Some(path) = file {
        let text = document::read(path)?;
        inputs = serde_json::from_str(&text)
            .map_err(|error| invalid(format!("{}: not a JSON object with inputs: {error}", path.display())))?;
    }
    for (key, text) in given {
        inputs.insert(key.clone(), workflow.input_from_text(key, text));
    }
    Ok(inputs)
}
