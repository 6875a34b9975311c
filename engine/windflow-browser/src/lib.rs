//! windflow-core for the browser: the editor reads, checks and edits workflows with the very code of the engine.
//!
//! One function takes a request and gives an answer, both JSON in UTF-8, over the memory of the module. That is all the
//! glue that is needed, so there is no generator of bindings to keep in step.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use windflow_core::edit::{self, Edit};
use windflow_core::expression::preview::Scope;
use windflow_core::workflow::{Workflow, resolve_children, validate};

use crate::registry::Installed;
use crate::text::Utf16;
use crate::workflows::Workflows;

#[cfg(target_arch = "wasm32")]
mod chance;
mod preview;
mod registry;
mod text;
mod view;
mod workflows;

/// Requests are at most this long, in bytes: a document of 1 MiB, and as much again of edits.
const MAX_REQUEST: usize = 4 << 20;

thread_local! {
    static INSTALLED: RefCell<Installed> = RefCell::default();
    static WORKFLOWS: RefCell<Workflows> = RefCell::default();
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Request {
    /// Keeps the node types that the server has, as its API tells them.
    Install { node_types: Vec<registry::NodeTypeView> },
    /// Keeps other workflows by their names, in the place of those kept before: what a text runs is held against them.
    Workflows { workflows: BTreeMap<String, String> },
    /// What a text says, and what is wrong with it.
    Read { text: String },
    /// Makes edits.
    Edit { text: String, edits: Vec<Edit> },
    /// Nodes and notes as YAML.
    Copy {
        text: String,
        ids: Vec<String>,
        #[serde(default)]
        notes: Vec<String>,
    },
    /// What a value with expressions would be.
    Preview { template: Value, scope: Box<Scope> },
}

/// Answers a request. What cannot be done is told as `{"error": {"code", "message"}}`.
#[must_use]
pub fn handle(request: &[u8]) -> Vec<u8> {
    let answer = if request.len() > MAX_REQUEST {
        Err(json!({ "code": "too_long", "message": "this is too much to work on" }))
    } else {
        serde_json::from_slice(request)
            .map_err(|error| json!({ "code": "bad_request", "message": error.to_string() }))
            .and_then(answer)
    };
    let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
    serde_json::to_vec(&answer).unwrap_or_default()
}

fn answer(request: Request) -> Result<Value, Value> {
    let refused = |error: edit::EditError| json!(error);
    match request {
        Request::Install { node_types } => {
            let installed =
                Installed::new(node_types).map_err(|message| json!({ "code": "bad_node_type", "message": message }))?;
            INSTALLED.with(|kept| kept.replace(installed));
            Ok(json!({}))
        }
        Request::Workflows { workflows } => {
            WORKFLOWS.with(|kept| kept.replace(Workflows(workflows)));
            Ok(json!({}))
        }
        Request::Read { text } => Ok(INSTALLED
            .with(|installed| WORKFLOWS.with(|workflows| read(&text, &installed.borrow(), &workflows.borrow())))),
        Request::Edit { text, edits } => {
            let edited = edit::apply(&text, &edits).map_err(refused)?;
            let offsets = Utf16::new(&text);
            let changes = edited.changes.iter().map(|change| {
                json!({ "from": offsets.of(change.from), "to": offsets.of(change.to), "insert": change.insert })
            });
            Ok(json!({
                "changes": changes.collect::<Vec<_>>(),
                "text": edited.text,
                "added": edited.added,
                "added_notes": edited.added_notes,
            }))
        }
        Request::Copy { text, ids, notes } => Ok(json!({ "yaml": edit::copy(&text, &ids, &notes).map_err(refused)? })),
        Request::Preview { template, scope } => Ok(preview::preview(&template, &scope)),
    }
}

fn read(text: &str, installed: &Installed, workflows: &Workflows) -> Value {
    let (workflow, mut problems) = Workflow::parse(text);
    if let Some(workflow) = &workflow {
        problems.extend(validate(workflow, installed));
        problems.extend(resolve_children(workflow, workflows, installed).err().unwrap_or_default());
        windflow_core::problem::sort(&mut problems);
    }
    let offsets = Utf16::new(text);
    let view = workflow.as_ref().map(|workflow| view::view(text, workflow, &offsets));
    let nodes = workflow.as_ref().map(view::extents).unwrap_or_default();
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let at = problem.place.bytes.start;
            let node = nodes.iter().rfind(|(_, start)| *start <= at).filter(|_| view::is_in_nodes(text, at));
            json!({
                "code": problem.code,
                "severity": problem.severity,
                "message": problem.message,
                "help": problem.remedy,
                "from": offsets.of(at),
                "to": offsets.of(problem.place.bytes.end),
                "line": problem.place.line,
                "column": problem.place.column,
                "node": node.map(|(id, _)| id),
            })
        })
        .collect();
    json!({ "problems": problems, "workflow": view })
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the memory that JavaScript and this module share")]
mod exports {
    /// Room for a request.
    #[unsafe(no_mangle)]
    extern "C" fn alloc(length: u32) -> *mut u8 {
        Box::into_raw(vec![0u8; length as usize].into_boxed_slice()).cast()
    }

    /// Gives back what `alloc` or `call` gave.
    ///
    /// # Safety
    /// The place and length are those of one of them, and are given back once.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(at: *mut u8, length: u32) {
        // SAFETY: the caller's promise; all of these were boxed slices of this length.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, length as usize)) });
    }

    /// Answers the request at a place. The place of the answer is in the upper half, its length in the lower.
    ///
    /// # Safety
    /// The place and length are those of an `alloc` that was filled.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn call(at: *const u8, length: u32) -> u64 {
        // SAFETY: the caller's promise.
        let request = unsafe { std::slice::from_raw_parts(at, length as usize) };
        let answer = super::handle(request).into_boxed_slice();
        let length = answer.len() as u64;
        (Box::into_raw(answer).cast::<u8>() as u64) << 32 | length
    }
}

#[cfg(test)]
mod tests;
