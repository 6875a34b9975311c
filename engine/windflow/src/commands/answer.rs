//! `windflow runs answer|approve|reject`

use std::process::ExitCode;

use serde_json::Value;
use windflow_core::id::NodeId;
use windflow_core::run::Asked;
use windflow_runtime::{Answer, Reply, RunReport};

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

fn parse(text: &str, name: &str) -> anyhow::Result<Value> {
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
    let key = find(engine, asking.run)?;
    let report = engine.runtime.report(&key)?;
    let node = match asking.node {
        Some(node) => node.clone(),
        None => only(&report, asking.of)?,
    };
    engine.block_on(async {
        let live = (!json).then(|| Live::new(report.nodes.keys()));
        let updates = engine.runtime.resume(&key)?;
        let answer = Answer { node, item: asking.item, token: None, reply };
        let answered = engine.runtime.answer(&key, answer).await.map_err(|error| invalid(error.to_string()))?;
        let report = follow(&engine.runtime, &key, live, updates, answered).await?;
        finish(&report, json, json)
    })
}

/// The one node of the run that asks.
fn only(report: &RunReport, of: Asked) -> anyhow::Result<NodeId> {
    let asks = |questions: &[windflow_runtime::QuestionReport]| questions.iter().any(|asked| asked.question.of == of);
    let mut asking = report.nodes.iter().filter(|(_, node)| asks(&node.questions)).map(|(id, _)| id);
    match (asking.next(), asking.next()) {
        (Some(node), None) => Ok(node.clone()),
        (None, _) => Err(invalid(format!("run {} is {} and asks nothing of that kind", report.run, report.status))),
        (Some(a), Some(b)) => Err(invalid(format!("several nodes ask, `{a}` and `{b}` among them: name one"))),
    }
}
