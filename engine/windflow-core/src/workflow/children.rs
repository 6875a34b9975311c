//! The workflows that a workflow runs.

use std::collections::BTreeMap;

use super::{Node, Workflow, validate};
use crate::expression::{Kind, Template};
use crate::native::Native;
use crate::ports::host::Registry;
use crate::problem::{Problem, did_you_mean, list};

/// How deep workflows may run workflows.
const MAX_DEPTH: usize = 8;

/// How many documents a workflow may consist of.
const MAX_DOCUMENTS: usize = 100;

/// Where the documents of other workflows come from.
pub trait Documents {
    /// The document that a node names in the document at a location. The first document has the location `""`.
    ///
    /// # Errors
    /// Why there is none, for people.
    fn find(&self, location: &str, name: &ChildName) -> Result<FoundDocument, String>;
}

/// A document that was found.
#[derive(Debug, Clone)]
pub struct FoundDocument {
    /// Where; what it names in turn is looked for from there.
    pub location: String,
    /// Its text.
    pub text: String,
}

/// How a node names the workflow that it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChildName {
    /// By its file.
    File(String),
    /// By its name.
    Name(String),
}

impl ChildName {
    /// What the workflow is pinned under in a run: the words of the document.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::File(file) => format!("file:{file}"),
            Self::Name(name) => format!("name:{name}"),
        }
    }

    /// What an evaluated configuration names.
    #[must_use]
    pub fn of(config: &serde_json::Value) -> Option<Self> {
        let text = |field: &str| config.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
        text("file").map(Self::File).or_else(|| text("name").map(Self::Name))
    }
}

/// The documents of all workflows that a workflow runs, by what it calls them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Children(pub BTreeMap<String, Child>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its text.
    pub document: String,
    /// Those that it runs in turn.
    pub children: Children,
}

/// Finds and checks everything that a valid workflow runs, all the way down.
///
/// # Errors
/// Every node that names what there is not, is no valid workflow, or does not take the inputs that it is given.
pub fn resolve(
    workflow: &Workflow,
    documents: &dyn Documents,
    registry: &(impl Registry + ?Sized),
) -> Result<Children, Vec<Problem>> {
    let mut search = Search { documents, registry, left: MAX_DOCUMENTS, chain: Vec::new() };
    search.resolve(workflow, "", MAX_DEPTH)
}

struct Search<'a, R: ?Sized> {
    documents: &'a dyn Documents,
    registry: &'a R,
    left: usize,
    /// Where the workflows stand that run the one that is being looked at, the outermost first.
    chain: Vec<String>,
}

impl<R: Registry + ?Sized> Search<'_, R> {
    fn resolve(&mut self, workflow: &Workflow, location: &str, depth: usize) -> Result<Children, Vec<Problem>> {
        let mut found = BTreeMap::new();
        let mut problems = Vec::new();
        for node in workflow.nodes.values().filter(|node| Native::find(&node.uses.value) == Some(Native::Workflow)) {
            let Some((name, place)) = name_of(node) else {
                let message =
                    "a node names the workflow that it runs before it starts: `file` and `name` are no expressions";
                problems.push(Problem::error("workflow_name", &node.with.place, message));
                continue;
            };
            let problem = |message: String| Problem::error("invalid_child", &place.place, message);
            let result = self.child(location, &name, depth, &problem).and_then(|(child, workflow)| {
                check_inputs(node, &workflow)?;
                Ok(child)
            });
            match result {
                Ok(child) => drop(found.insert(name.key(), child)),
                Err(mut found) => problems.append(&mut found),
            }
        }
        if problems.is_empty() { Ok(Children(found)) } else { Err(problems) }
    }

    fn child(
        &mut self,
        location: &str,
        name: &ChildName,
        depth: usize,
        problem: &dyn Fn(String) -> Problem,
    ) -> Result<(Child, Workflow), Vec<Problem>> {
        if depth == 0 || self.left == 0 {
            let message = format!(
                "workflows run each other more than {MAX_DEPTH} deep or {MAX_DOCUMENTS} in all: take a level out"
            );
            return Err(vec![problem(message)]);
        }
        self.left -= 1;
        let found = self.documents.find(location, name).map_err(|error| vec![problem(error)])?;
        if let Some(first) = self.chain.iter().position(|location| *location == found.location) {
            let circle: Vec<_> =
                self.chain[first..].iter().chain([&found.location]).map(|at| format!("`{at}`")).collect();
            return Err(vec![problem(format!("workflows run each other in a circle: {}", circle.join(" → ")))]);
        }
        let (workflow, mut problems) = Workflow::parse(&found.text);
        if let Some(workflow) = &workflow {
            problems.extend(validate(workflow, self.registry));
        }
        problems.retain(Problem::is_error);
        let Some(workflow) = workflow.filter(|_| problems.is_empty()) else {
            let first = problems.first().map(|first| format!(": {}: {}", first.place, first.message));
            let count = problems.len();
            let location = &found.location;
            return Err(vec![problem(format!("`{location}` has {count} errors{}", first.unwrap_or_default()))]);
        };
        self.chain.push(found.location.clone());
        let resolved = self.resolve(&workflow, &found.location, depth - 1);
        self.chain.pop();
        let children = resolved.map_err(|problems| {
            let first = problems.first().map(|first| format!("{}: {}", first.place, first.message));
            vec![problem(format!("`{}`, {}", found.location, first.unwrap_or_default()))]
        })?;
        Ok((Child { document: found.text, children }, workflow))
    }
}

/// The workflow that a node runs, and where that is written.
pub(super) fn name_of(node: &Node) -> Option<(ChildName, &Template)> {
    let literal =
        |field: &str| node.with.get(field).and_then(|template| Some((template.as_str()?.to_owned(), template)));
    literal("file")
        .map(|(file, place)| (ChildName::File(file), place))
        .or_else(|| literal("name").map(|(name, place)| (ChildName::Name(name), place)))
}

/// The inputs that a node gives are those that the workflow takes, as far as they are plainly written.
fn check_inputs(node: &Node, child: &Workflow) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    let inputs = node.with.get("inputs");
    let given: Vec<&str> = match inputs.map(|inputs| &inputs.kind) {
        Some(Kind::Map(fields)) => {
            for (key, field) in fields.iter().filter(|(key, _)| !child.inputs.contains_key(key.as_str())) {
                let known = child.inputs.keys().map(String::as_str);
                let message = format!("the workflow `{}` has no input `{key}`", child.name.value);
                let remedy = did_you_mean(key, known.clone()).unwrap_or_else(|| match child.inputs.len() {
                    0 => "it takes none".to_owned(),
                    _ => format!("its inputs are {}", list(known)),
                });
                problems.push(Problem::error("unknown_input", &field.key, message).remedy(remedy));
            }
            fields.keys().map(String::as_str).collect()
        }
        // An expression decides when the node runs.
        Some(Kind::Expression(_)) => return Ok(()),
        _ => Vec::new(),
    };
    for (name, input) in &child.inputs {
        if input.value.default.is_none() && !given.contains(&name.as_str()) {
            let place = inputs.map_or(&node.uses.place, |inputs| &inputs.place);
            let message = format!("the workflow `{}` needs the input `{name}`", child.name.value);
            problems
                .push(Problem::error("missing_input", place, message).remedy(format!("add `{name}: …` to `inputs`")));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
