//! `windflow runs rerun` and `windflow runs diff`

use std::process::ExitCode;

use console::style;
use windflow_core::capability::Grants;
use windflow_core::problem;
use windflow_core::rerun::{Fate, Verdict, Why};
use windflow_runtime::{Rerun, RerunError, StartError};

use super::document;
use super::run::{finish, follow};
use super::runs::find;
use crate::cli::{DiffArgs, RerunArgs};
use crate::engine::Engine;
use crate::exit::invalid;
use crate::render::live::Live;
use crate::render::{self, table::table};

pub(crate) fn rerun(engine: &Engine, args: RerunArgs) -> anyhow::Result<ExitCode> {
    let mut key = find(engine, &args.run)?;
    let changed = match &args.with {
        Some(path) => {
            let (text, _, children) = document::check(path, engine.registry())?.into_valid(path)?;
            Some((path, text, children))
        }
        None => None,
    };
    let rerun = Rerun {
        document: changed.as_ref().map(|(_, text, children)| (text.clone(), children.clone())),
        from: args.from,
        keep_unchanged: false,
        extra_grants: Grants { http: args.allow, ..Grants::default() },
        started_by: format!("cli, repeating {}", key.run),
        trace: None,
    };
    let explain = |error: RerunError| match error {
        RerunError::Start(StartError::Invalid(error)) => {
            let (name, text) =
                changed.as_ref().map_or((String::new(), ""), |(path, text, _)| (path.display().to_string(), text));
            render::line(problem::render(&name, text, &error.problems).trim_end());
            invalid("the workflow cannot be run with the inputs of that run; nothing was started")
        }
        RerunError::UnknownNode { .. } | RerunError::NotEnded(_) => invalid(error.to_string()),
        other => anyhow::Error::new(other),
    };
    let verdict = engine.runtime.judge_rerun(&key, &rerun).map_err(explain)?;
    if !args.quiet {
        render::line(&describe(&verdict));
    }
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    engine.block_on(async {
        let (started, updates) = engine.runtime.rerun_watched(&key, rerun).map_err(explain)?;
        key.run = started.run;
        let live = (!args.quiet).then(|| Live::new(verdict.nodes.keys()));
        let report = follow(&engine.runtime, &key, live, updates, 0).await?;
        finish(&engine.runtime, &report, args.json, args.quiet)
    })
}

fn describe(verdict: &Verdict) -> String {
    let row = |(id, fate): (&windflow_core::id::NodeId, &Fate)| {
        let (word, why) = match fate {
            Fate::Reused(_) => (style("reused").green(), "unchanged, and so is all that it needs".to_owned()),
            Fate::Decided => (style("decided").dim(), "it did not run, which is decided again".to_owned()),
            Fate::Again(why) => (
                style("again").cyan(),
                match why {
                    Why::Asked => "it is to run again".to_owned(),
                    Why::Unfinished(word) => format!("it was {word}"),
                    Why::Changed => "it is not as it was".to_owned(),
                    Why::Undone => "it succeeded and was undone".to_owned(),
                    Why::New => "it is new".to_owned(),
                    Why::Files => "it shares files with what runs again; those of the old run are gone".to_owned(),
                    Why::Follows(node) => format!("it follows {node}"),
                },
            ),
        };
        vec![format!("  {}", word.for_stderr()), id.to_string(), why]
    };
    table(&verdict.nodes.iter().map(row).collect::<Vec<_>>()).trim_end().to_owned()
}

pub(crate) fn diff(engine: &Engine, args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let (a, b) = (find(engine, &args.a)?, find(engine, &args.b)?);
    render::run::diff(&engine.runtime.report(&a)?, &engine.runtime.report(&b)?)
}
