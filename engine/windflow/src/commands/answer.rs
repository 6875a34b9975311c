//! `windflow runs answer|approve|reject`

use std::process::ExitCode;

use serde_json::Value;
use windflow_core::id::{NodeId, RunKey};
use windflow_core::ports::store::ReadModel;
use windflow_core::run::Asked;
use windflow_runtime::{Answer, Reply};

use super::document;
use super::run::{finish, follow};
use super::runs::find;
use crate::cli::{AnswerArgs, DecideArgs};
use crate::engine::Engine;
use crate::exit::invalid;
use crate::render::live::Live;

pub(crate) fn answer(engine: &Engine, args: &AnswerArgs) -> anyhow::Result<ExitCode> {
    let data = match (&args.data, &args.data_file) {
        (Some(text), _) => parse(text, "--data")?,
        (None, Some(path)) => parse(&document::read(path)?, &path.display().to_string())?,
        (None, None) => Value::Null,
    };
    let question = Asking { run: &args.run, node: args.node.as_ref(), item: args.item, of: Asked::System };
    give(engine, &question, Reply::Data(data), args.json)
}

pub(crate) fn decide(engine: &Engine, args: &DecideArgs, approved: bool) -> anyhow::Result<ExitCode> {
    let data = args.data.as_ref().map(|text| parse(text, "--data")).transpose()?;
    let by = args.by.clone().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "cli".into());
    let question = Asking { run: &args.run, node: args.node.as_ref(), item: args.item, of: Asked::Person };
    give(engine, &question, Reply::Decision { approved, by, comment: args.comment.clone(), data }, args.json)
}

pub(crate) fn parse(text: &str, name: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).map_err(|error| invalid(format!("{name}: this is no JSON: {error}")))
}

/// Which question is meant. A node need not be named where only one asks.
struct Asking<'a> {
    run: &'a str,
    node: Option<&'a NodeId>,
    item: Option<u32>,
    of: Asked,
}

fn give(engine: &Engine, asking: &Asking<'_>, reply: Reply, json: bool) -> anyhow::Result<ExitCode> {
    let top = find(engine, asking.run)?;
    let (path, node) = match asking.node {
        Some(node) if engine.runtime.report(&top)?.nodes.contains_key(node) => (vec![top], node.clone()),
        _ => only(engine, &top, asking)?,
    };
    engine.block_on(async {
        // The run that asks goes on first; then those that wait for it, each once it has heard of the end of the one below.
        let Some((asks, waiting)) = path.split_last() else { return Err(invalid("there is no such run")) };
        let mut below = engine.runtime.resume_watched(asks)?;
        let mut above = Vec::new();
        for run in waiting {
            let heard = engine.store.run(run)?.sequence + 1;
            above.push((run, engine.runtime.resume_watched(run)?, heard));
        }
        let answer = Answer { node, item: asking.item, token: None, reply };
        let mut answered = engine.runtime.answer(asks, answer).await.map_err(|error| invalid(error.to_string()))?;
        let mut run = asks;
        loop {
            let live = if json { None } else { Some(Live::new(engine.runtime.report(run)?.nodes.keys())) };
            let report = follow(&engine.runtime, run, live, below, answered).await?;
            let ended = engine.store.run(run)?.finished_at.is_some();
            match above.pop().filter(|_| ended) {
                Some(next) => (run, below, answered) = next,
                None => return finish(&engine.runtime, &report, json, json),
            }
        }
    })
}

/// The one node that asks, and the runs from the given one down to the one that it is of.
fn only(engine: &Engine, top: &RunKey, asking: &Asking<'_>) -> anyhow::Result<(Vec<RunKey>, NodeId)> {
    let mut found = Vec::new();
    search(engine, std::slice::from_ref(top), asking, &mut found)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let report = engine.runtime.report(top)?;
            Err(invalid(format!("run {} is {} and asks nothing of that kind", report.run, report.status)))
        }
        _ => Err(invalid(format!("several nodes ask, `{}` and `{}` among them: name one", found[0].1, found[1].1))),
    }
}

fn search(
    engine: &Engine,
    path: &[RunKey],
    asking: &Asking<'_>,
    found: &mut Vec<(Vec<RunKey>, NodeId)>,
) -> anyhow::Result<()> {
    let Some(run) = path.last() else { return Ok(()) };
    for (id, node) in engine.runtime.report(run)?.nodes {
        let fits = asking.node.is_none_or(|wanted| *wanted == id);
        if fits && node.questions.iter().any(|asked| asked.question.of == asking.of) {
            found.push((path.to_vec(), id));
        }
        for child in node.runs {
            let child = RunKey { organisation: run.organisation.clone(), run: child };
            search(engine, &[path, &[child]].concat(), asking, found)?;
        }
    }
    Ok(())
}
