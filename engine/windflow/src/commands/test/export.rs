//! A case out of a real run.

use serde_json::{Map, Value, json};
use windflow_core::id::RunKey;
use windflow_core::ports::store::{Blobs, Journal, ReadModel};
use windflow_core::run::{Event, Record};
use windflow_core::workflow::Workflow;

use super::scrub::Scrub;
use crate::engine::Engine;

/// Records that are read at a time.
const PAGE: usize = 512;

/// A case that a run would pass: its inputs, what its nodes with capabilities did, and how it ended. Credentials are no part of
/// journals, so that there is none here; inputs whose schemas call them secret are replaced, wherever they came out.
///
/// # Errors
/// Where the run cannot be read.
pub(crate) fn case(engine: &Engine, key: &RunKey) -> anyhow::Result<Value> {
    let report = engine.runtime.report(key)?;
    let mut mocks: Map<String, Value> = Map::new();
    let mut answers: Map<String, Value> = Map::new();
    let mut inputs = Value::Null;
    let mut began = std::collections::HashSet::new();
    let mut asked = std::collections::HashSet::new();
    let mut after = 0;
    loop {
        let records = engine.store.read(key, after, PAGE)?;
        let read = records.len();
        for (sequence, Record { event, .. }) in records {
            after = sequence;
            match event {
                Event::RunStarted(started) => inputs = started.inputs.value().clone(),
                Event::AttemptStarted { node, wait: None, .. } => drop(began.insert(node)),
                Event::AttemptStarted { node, .. } => drop(asked.insert(node)),
                Event::AttemptSucceeded { node, port, output, .. } if began.contains(&node) => {
                    push(&mut mocks, node.as_str(), json!({ "port": port, "output": output }));
                }
                Event::AttemptSucceeded { node, port, output, .. } if asked.contains(&node) => {
                    let output = output.value();
                    let answer = match port.as_str() {
                        "approved" | "rejected" => {
                            json!({ "approve": port.as_str() == "approved", "by": output["by"], "data": output["data"] })
                        }
                        _ => json!({ "data": output }),
                    };
                    push(&mut answers, node.as_str(), answer);
                }
                Event::AttemptFailed { node, failure, .. } if began.contains(&node) => {
                    let retry = failure.retry != windflow_core::failure::RetryHint::Never;
                    let error = json!({ "code": failure.code, "message": failure.message, "retry": retry, "details": failure.details });
                    push(&mut mocks, node.as_str(), json!({ "error": error }));
                }
                _ => {}
            }
        }
        if read < PAGE {
            break;
        }
    }
    let nodes: Map<String, Value> =
        report.nodes.iter().map(|(id, node)| (id.to_string(), Value::from(&*node.status))).collect();
    let mut expect = json!({ "status": report.status, "nodes": nodes });
    if let Some(outputs) = &report.outputs {
        expect["outputs"] = outputs.value().clone();
    }
    if let Some(error) = &report.error {
        expect["code"] = error.failure.code.clone().into();
    }
    let scrub = scrub(engine, key, &inputs)?;
    scrub.clean(&mut inputs, true);
    let (mut mocks, mut answers) = (Value::Object(mocks), Value::Object(answers));
    for part in [&mut mocks, &mut answers, &mut expect] {
        scrub.clean(part, false);
    }
    Ok(json!({
        "description": format!("recorded from run {}{}", key.run, scrub.note()), "inputs": inputs, "mocks": mocks, "answers": answers, "expect": expect,
    }))
}

/// What to take out, by the workflow as it was when the run began.
fn scrub(engine: &Engine, key: &RunKey, inputs: &Value) -> anyhow::Result<Scrub> {
    let document = engine.store.blob(&key.organisation, &engine.store.run(key)?.document)?;
    let workflow = Workflow::parse(&String::from_utf8_lossy(&document)).0;
    Ok(workflow.map(|workflow| Scrub::of(&workflow, inputs)).unwrap_or_default())
}

fn push(into: &mut Map<String, Value>, node: &str, what: Value) {
    match into.entry(node).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(all) => all.push(what),
        other => *other = what,
    }
}
