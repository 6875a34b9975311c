//! `windflow runs answer|approve|reject` of a server.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};
use windflow_core::id::{NodeId, RunId};
use windflow_core::run::Asked;

use super::report;
use super::runs::{find, to_the_end};
use super::server::Server;
use crate::cli::{AnswerArgs, DecideArgs};
use crate::commands::answer::parse;
use crate::commands::document;
use crate::exit::invalid;

pub(super) async fn answer(server: &Server, args: AnswerArgs) -> anyhow::Result<ExitCode> {
    let data = match (&args.data, &args.data_file) {
        (Some(text), _) => parse(text, "--data")?,
        (None, Some(path)) => parse(&document::read(path)?, &path.display().to_string())?,
        (None, None) => Value::Null,
    };
    give(server, &args.run, args.node, args.item, Asked::System, json!({ "data": data }), args.json).await
}

pub(super) async fn decide(server: &Server, args: DecideArgs, approved: bool) -> anyhow::Result<ExitCode> {
    if args.by.is_some() {
        return Err(invalid("--by: who decides is whose key it is"));
    }
    let data = args.data.as_ref().map(|text| parse(text, "--data")).transpose()?;
    let reply = json!({ "approved": approved, "comment": args.comment, "data": data });
    give(server, &args.run, args.node, args.item, Asked::Person, reply, args.json).await
}

async fn give(
    server: &Server,
    run: &str,
    node: Option<NodeId>,
    item: Option<u32>,
    of: Asked,
    mut reply: Value,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let run = find(server, run).await?;
    let (asks, node) = who_asks(server, run, node, of).await?;
    reply["node"] = json!(node);
    reply["item"] = json!(item);
    server.send(server.request(Method::POST, &["runs", &asks.to_string(), "answers"]).json(&reply)).await?;
    to_the_end(server, run, json, json).await
}

/// The one node that asks, of the run or of one that it waits for.
async fn who_asks(server: &Server, run: RunId, named: Option<NodeId>, of: Asked) -> anyhow::Result<(RunId, NodeId)> {
    let family = report::family(server, run).await?;
    let asking = family.values().flat_map(|detail| detail.asks(of)).collect::<Vec<_>>();
    let fits = |node: &NodeId| named.as_ref().is_none_or(|named| named == node);
    let mut found = asking.into_iter().filter(|(_, node)| fits(node));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some((_, one)), Some((_, other))) => {
            Err(invalid(format!("several nodes ask, `{one}` and `{other}` among them: name one")))
        }
        (None, _) => {
            Err(invalid(format!("run {run} asks nothing of that kind; `windflow runs show {run}` tells how it stands")))
        }
    }
}
