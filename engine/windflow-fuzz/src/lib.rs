//! What is always true of everything that reads bytes from outside, whatever these are. A fuzzer looks for bytes that show
//! otherwise (`run.sh`); those that were found, and those that lead far into the code, are kept in `corpus/` and tried again by
//! every test run.
#![allow(clippy::panic, clippy::expect_used, reason = "a panic is how a finding is told")]

use serde_json::{Value, json};
use windflow_core::edit::{self, Edit};
use windflow_core::expression::preview::{Scope, preview};
use windflow_core::plan;
use windflow_core::problem::{self, Problem};
use windflow_core::run::{Record, RunState, apply};
use windflow_core::trace::{TraceParent, TraceState};
use windflow_core::workflow::{self, Workflow};
use windflow_stacks::{compose, containers};
use windflow_testkit::host::ScriptedHost;

/// A reader of bytes, and what it promises.
pub type Target = fn(&[u8]);

/// All of them by the names of their corpora.
pub const TARGETS: [(&str, Target); 11] = [
    ("compose", compose),
    ("dockerignore", dockerignore),
    ("document", document),
    ("edit", edit),
    ("expression", expression),
    ("manifest", manifest),
    ("pack", pack),
    ("package", package),
    ("record", record),
    ("traceparent", traceparent),
    ("tracestate", tracestate),
];

const SMALL: &str = "windflow: 1\nname: small\nnodes:\n  # The first.\n  a: { uses: effect@1, with: { x: 1 } }\n  \
    b: { uses: pure_branch@1, needs: [a], retry: { attempts: 3 } }\n  c: { uses: effect@1, needs: [b.yes], for_each: [1, 2] }\n";

/// Every problem stands inside the text, nothing that could steer a terminal is printed, and what is valid has a plan.
pub fn document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let host = ScriptedHost::default();
    let (workflow, mut problems) = Workflow::parse(text);
    if let Some(workflow) = &workflow {
        problems.extend(workflow::validate(workflow, &host));
    }
    assert!(workflow.is_some() || problems.iter().any(Problem::is_error), "neither a workflow nor an error");
    check_places(text, &problems);
    if let Some(workflow) = workflow.filter(|_| !problems.iter().any(Problem::is_error)) {
        plan::build(&workflow, &host).expect("what is valid has a plan");
    }
}

fn check_places(text: &str, problems: &[Problem]) {
    for problem in problems {
        assert!(text.get(problem.place.bytes.clone()).is_some(), "{problem:?} stands outside the text");
    }
    assert!(!problem::render("file", text, problems).contains('\u{1b}'), "an escape reaches the terminal");
}

/// Of a text and edits, apart by a zero byte: a document that could be read still can, or the edits are refused.
pub fn edit(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return };
    let Ok(text) = std::str::from_utf8(&bytes[..at]) else { return };
    let Ok(edits) = serde_json::from_slice::<Vec<Edit>>(&bytes[at + 1..]) else { return };
    let Ok(edited) = edit::apply(text, &edits) else { return };
    if Workflow::parse(text).0.is_some() {
        let (_, problems) = windflow_core::yaml::parse(&edited.text, windflow_core::yaml::Limits::default());
        assert!(problems.is_empty(), "{edits:?} made this unreadable:\n{text}\n---\n{}\n{problems:?}", edited.text);
    }
}

/// An expression has a value or a reason, after bounded work.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let scope = json!({
        "inputs": { "n": 3, "text": "Grüße", "list": [1, "a", null, 2.5], "map": { "k": { "deep": true } } },
        "nodes": { "a": { "output": { "items": [{ "id": 1 }, { "id": 2 }] }, "status": "succeeded" }, "b": { "status": "failed", "error": { "code": "x" } } },
        "input": { "x": 1 }, "item": "one", "item_index": 4,
    });
    let scope: Scope = serde_json::from_value(scope).expect("a scope");
    let _ = preview(&Value::String(text.to_owned()), &scope);
    let _ = preview(&Value::String(format!("${{{{ {text} }}}}")), &scope);
}

/// A manifest is read or refused.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(manifest) = windflow_package::manifest_from_toml(text, |_| Ok(r#"{ "type": "object" }"#.to_owned())) {
        let _ = serde_json::to_string(&manifest).expect("a manifest is written as it was read");
    }
}

/// A package of a plugin is read or refused.
pub fn package(bytes: &[u8]) {
    let _ = windflow_package::read(bytes);
}

/// A record that can be read is written and read the same, and fits a run or is refused.
pub fn record(bytes: &[u8]) {
    let mut lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Record>();
    let (workflow, _) = Workflow::parse(SMALL);
    let workflow = workflow.expect("a workflow");
    let plan = plan::build(&workflow, &ScriptedHost::default()).expect("a plan");
    let mut state = RunState::new(&plan);
    while let Some(Ok(record)) = lines.next() {
        let text = serde_json::to_string(&record).expect("a record");
        let again: Record = serde_json::from_str(&text).expect("what was written is read");
        assert_eq!(record, again);
        if apply(&mut state, &plan, &record).is_ok() {
            let _ = state.take_effects();
        }
    }
}

/// A header that names a trace is refused, or says what it is told on as.
pub fn traceparent(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(parent) = text.parse::<TraceParent>() else { return };
    let told = parent.to_string();
    assert!(told.len() == 55 && told.is_ascii(), "{told} is no header");
    assert_eq!(told.parse(), Ok(parent));
    // Only the version, further flags and what a later version adds are left out.
    assert_eq!(told[2..53], text[2..53]);
}

/// A header with what others say beside a trace is refused, or told on as members of its own, in their order, in bounds, none of them twice.
pub fn tracestate(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(state) = text.parse::<TraceState>() else { return };
    let told = state.as_str();
    assert!((3..=512).contains(&told.len()) && told.bytes().all(|c| matches!(c, b' '..=b'~')), "{told:?} is no header");
    assert_eq!(told.parse().as_ref(), Ok(&state));
    let mut keys = std::collections::HashSet::new();
    let mut left = text.split(',').map(|member| member.trim_matches([' ', '\t']));
    for member in told.split(',') {
        assert!(left.any(|said| said == member), "{member:?} was not said, or not there");
        assert!(keys.insert(member.split_once('=').expect("a key").0), "{member:?} is not the only one of its key");
    }
    assert!(keys.len() <= 32, "{} members are too many", keys.len());
}

/// A Compose document is read or refused, with every problem inside the text.
pub fn compose(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let variables = Default::default();
    let context =
        compose::Context { name: Some("shop"), variables: &variables, profiles: &[], files: &compose::no_files };
    let loaded = compose::load(text, &context);
    assert!(loaded.project.is_some() || loaded.problems.iter().any(Problem::is_error), "neither a stack nor an error");
    check_places(text, &loaded.problems);
}

/// A pack of git is refused, or gives files whose paths lead nowhere else. Its checksum is added here: a fuzzer would not find it.
pub fn pack(bytes: &[u8]) {
    for (path, content) in windflow_plugin_git_checkout::files_of_pack(bytes).unwrap_or_default() {
        let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
        assert!(path.split('/').all(is_name), "{path:?} is no path of a file");
        assert!(content.len() <= 8 << 20, "{path:?} has {} bytes", content.len());
    }
}

/// Of a `.dockerignore` and a path, apart by a zero byte: it is refused with a line, or says whether the path is left out. A pattern that
/// is added last and fits everything decides.
pub fn dockerignore(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return };
    let (Ok(text), Ok(path)) = (std::str::from_utf8(&bytes[..at]), std::str::from_utf8(&bytes[at + 1..])) else {
        return;
    };
    if path.is_empty() || path.len() > 200 || path.contains(char::is_control) {
        return;
    }
    match containers::ignored(text, path) {
        Ok(_) => {
            let all = |last: &str| containers::ignored(&format!("{text}\n{last}\n"), path);
            assert!(all("**") != Ok(false) && all("!**") != Ok(true), "{text:?} {path:?}");
        }
        Err(why) => assert!(why.starts_with(".dockerignore"), "{why}"),
    }
}
