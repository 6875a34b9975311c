//! Reading Compose documents.
//!
//! In order: YAML with places, variables filled in, the Compose Specification's own schema, what we do not support, and then the
//! values themselves. Each step tells everything that it finds wrong, and what a later one would find is told with it where that is
//! no consequence: the values are not read where the form of the document is wrong, or where a variable is unknown.

use std::collections::BTreeMap;

use serde_json::Value;
use windflow_core::place::Place;
use windflow_core::problem::Problem;
use windflow_core::yaml::{self, Limits, Node};

pub use self::difference::difference;
use self::document::Document;
use self::reader::Reader;
pub use self::unknown::{Unknown, unknown};
use crate::project::Project;
use crate::variables::{self, Variable};

mod checks;
mod difference;
mod document;
mod files;
mod interpolate;
pub(crate) mod mounts;
mod networks;
mod ports;
mod reader;
mod schema;
mod service;
mod supported;
pub(crate) mod units;
mod unknown;

/// Longest document.
pub const MAX_BYTES: usize = 1 << 20;

/// What a document is read with.
pub struct Context<'a> {
    /// The stack's name. Where the document has a `name:`, this one goes before it.
    pub name: Option<&'a str>,
    /// Values of variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Profiles that are switched on.
    pub profiles: &'a [String],
    /// Reads a file that lies beside the document; says why it cannot.
    pub files: &'a dyn Fn(&str) -> Result<String, String>,
}

/// For documents that have no files beside them.
///
/// # Errors
/// Always.
pub fn no_files(_: &str) -> Result<String, String> {
    Err("a document that was sent has no files beside it: write what is in it into `content:` or `environment:`"
        .to_owned())
}

/// What came of reading a document.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The stack, where nothing is wrong with it.
    pub project: Option<Project>,
    /// The variables that the document declares.
    pub variables: Vec<Variable>,
    /// The values of all variables, generated ones included.
    pub values: BTreeMap<String, String>,
    /// All that is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a document.
#[must_use]
pub fn load(text: &str, context: &Context<'_>) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.project = read(text, context, &mut loaded);
    if loaded.problems.iter().any(Problem::is_error) {
        loaded.project = None;
    }
    windflow_core::problem::sort(&mut loaded.problems);
    loaded
}

/// The variables that a document declares, without looking at anything else.
#[must_use]
pub fn declared(text: &str) -> Vec<Variable> {
    let (node, _) = yaml::parse(text, limits());
    node.map(|node| variables::declared(&node, &mut Vec::new())).unwrap_or_default()
}

/// Where a document describes a service.
#[must_use]
pub fn place_of_service(text: &str, service: &str) -> Option<Place> {
    let (node, _) = yaml::parse(text, limits());
    let services = variables::child(node.as_ref()?, "services")?;
    let yaml::Kind::Map(entries) = &services.kind else { return None };
    entries.iter().find(|(name, _)| name.value == service).map(|(name, _)| name.place.clone())
}

/// The name that a document has for itself, where it needs no variable.
#[must_use]
pub fn written_name(text: &str) -> Option<String> {
    let (node, _) = yaml::parse(text, limits());
    let json = node?.to_json();
    json.get("name").and_then(Value::as_str).filter(|name| is_project_name(name)).map(str::to_owned)
}

fn limits() -> Limits {
    Limits { bytes: MAX_BYTES, aliases: true, ..Limits::default() }
}

fn read(text: &str, context: &Context<'_>, loaded: &mut Loaded) -> Option<Project> {
    let problems = &mut loaded.problems;
    let (node, found) = yaml::parse(text, limits());
    problems.extend(found.into_iter().map(for_stacks));
    let node = node?;
    let is_whole = !any_error(problems);
    loaded.variables = variables::declared(&node, problems);
    let are_known = !any_error(problems);
    loaded.values = variables::resolve(&loaded.variables, context.variables, problems);
    if !is_whole {
        return None;
    }
    let (node, is_filled) = filled(node, loaded, are_known);
    let problems = &mut loaded.problems;
    let document = Document::new(&node);
    let mut found = Vec::new();
    schema::check(&document, &mut found);
    // A key too much changes nothing of what the others are.
    let is_formed = !found.iter().any(|problem| problem.code != schema::UNKNOWN_KEY);
    found.retain(|problem| is_filled || problem.code == schema::UNKNOWN_KEY);
    problems.extend(found);
    supported::check(&document, problems);
    let name = project_name(&document, context, problems);
    if !is_filled || !is_formed {
        return None;
    }
    let mut reader = Reader::new(&document, context, &loaded.values, problems);
    // Where it has none, there is a problem already, and nothing comes of it but what else is wrong.
    let project = service::project(&mut reader, name.unwrap_or_else(|| "unnamed".to_owned()));
    checks::check(&project, &document, problems);
    Some(project)
}

fn any_error(problems: &[Problem]) -> bool {
    problems.iter().any(Problem::is_error)
}

/// A document with the values of its variables in it. Where some have none that fits, that is told, and others that would fit stand in for them: what
/// else is wrong is found by those. False: not even so.
fn filled(node: Node, loaded: &mut Loaded, are_known: bool) -> (Node, bool) {
    // Which variables there would be is not known, so that any may be missing.
    if !are_known {
        return (node, false);
    }
    let unfit = |variable: &&Variable| match loaded.values.get(&variable.name) {
        Some(value) => variable.refusal(value).is_some(),
        None => true,
    };
    let standing_in: Vec<_> =
        loaded.variables.iter().filter(unfit).map(|variable| (variable.name.clone(), variable.sample())).collect();
    let mut with_values = node.clone();
    let before = loaded.problems.len();
    document::fill_in(&mut with_values, &loaded.values, &mut loaded.problems);
    if loaded.problems.len() == before && standing_in.is_empty() {
        return (with_values, true);
    }
    let mut values = loaded.values.clone();
    values.extend(standing_in);
    let (mut node, mut left) = (node, Vec::new());
    document::fill_in(&mut node, &values, &mut left);
    (node, left.is_empty())
}

/// The messages of the YAML reader speak of workflows.
fn for_stacks(mut problem: Problem) -> Problem {
    problem.message = problem.message.replace("a workflow is one document", "a stack is one document");
    problem.remedy = match problem.code {
        "empty" => Some("begin with `services:`".to_owned()),
        "too_long" | "too_many_values" => Some("split it into several stacks".to_owned()),
        "several_documents" => Some("write each stack into a file of its own".to_owned()),
        "tag" => Some("leave the tag out; `!reset` and `!override` need several files, which are not read".to_owned()),
        _ => problem.remedy,
    };
    problem
}

/// Names of projects are those that the Compose Specification allows.
#[must_use]
pub fn is_project_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

fn project_name(document: &Document<'_>, context: &Context<'_>, problems: &mut Vec<Problem>) -> Option<String> {
    let written = document.json.get("name").and_then(Value::as_str);
    let Some(name) = context.name.or(written) else {
        let problem = Problem::document("no_name", "the stack has no name");
        problems.push(problem.remedy("write `name: …` at the top of the document"));
        return None;
    };
    if !is_project_name(name) {
        let rule = "it must begin with a lower-case letter or a digit and hold only a-z, 0-9, - and _, 63 at most";
        let place = document.place(&["name"]);
        problems.push(Problem::error("invalid_name", &place, format!("{name:?} is no name of a stack: {rule}")));
        return None;
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests;
