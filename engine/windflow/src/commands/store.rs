//! `windflow store …`: looking after the folder that holds the runs.

use std::process::ExitCode;

use serde_json::json;
use windflow_store::{Compacted, SledStore};

use crate::cli::{Global, StoreCommand};
use crate::engine::open_store;
use crate::exit;
use crate::render;

pub(crate) fn run(global: &Global, command: &StoreCommand) -> anyhow::Result<ExitCode> {
    let store = open_store(global)?;
    match command {
        StoreCommand::Stats { json } => stats(&store, *json),
        StoreCommand::Check { json } => check(&store, *json),
        StoreCommand::Compact => compact(&store),
    }
}

fn stats(store: &SledStore, json: bool) -> anyhow::Result<ExitCode> {
    let stats = store.stats()?;
    if json {
        render::json(&stats)?;
        return Ok(ExitCode::SUCCESS);
    }
    render::result(&format!(
        "folder      {}\nformat      {}\nruns        {}\nunfinished  {}\nholds       {}\non disk     {}",
        stats.folder.display(),
        stats.format,
        stats.runs,
        stats.unfinished,
        render::bytes(stats.live_bytes),
        render::bytes(stats.disk_bytes),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn check(store: &SledStore, json: bool) -> anyhow::Result<ExitCode> {
    let checked = store.check()?;
    if json {
        render::json(&json!({
            "runs": checked.runs,
            "records": checked.records,
            "contents": checked.blobs,
            "problems": checked.problems,
        }))?;
    } else {
        for problem in &checked.problems {
            render::result(problem)?;
        }
        render::line(&format!(
            "{} runs, {} events and {} contents were read: {}",
            checked.runs,
            checked.records,
            checked.blobs,
            match checked.problems.len() {
                0 => "everything fits".to_owned(),
                1 => "1 problem".to_owned(),
                problems => format!("{problems} problems"),
            }
        ));
    }
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

fn compact(store: &SledStore) -> anyhow::Result<ExitCode> {
    let Compacted { before, after } = store.compact()?;
    render::line(&format!("{} on disk before, {} now", render::bytes(before), render::bytes(after)));
    Ok(ExitCode::SUCCESS)
}
