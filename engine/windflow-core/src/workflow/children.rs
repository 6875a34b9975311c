//! The workflows that a workflow runs.

use std::collections::BTreeMap;

use self::shapes::Shapes;
use super::{Node, Workflow, validate};
use crate::expression::Template;
use crate::native::Native;
use crate::ports::host::Registry;
use crate::problem::Problem;

mod given;
mod shapes;

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

    /// Whether what is not found is not there. Otherwise nothing is said of it: an editor knows some workflows only.
    fn is_complete(&self) -> bool {
        true
    }
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

/// Finds and checks everything that a workflow runs, all the way down, and holds the workflow against it. One that has errors of
/// its own is held against what it runs as far as it could be read, so that all problems are told together.
///
/// # Errors
/// Every node that names what there is not, is no valid workflow, or does not take the inputs that it is given, and every
/// expression that reads what no child gives back.
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
        let mut shapes = Shapes::of(workflow);
        let mut runs = Vec::new();
        for node in workflow.nodes.values().filter(|node| Native::find(&node.uses.value) == Some(Native::Workflow)) {
            let Some((name, place)) = name_of(node) else {
                // That it names none at all is told of its configuration.
                if let Some(named) = node.with.get("file").or_else(|| node.with.get("name")) {
                    let message =
                        "a node names the workflow that it runs before it starts: `file` and `name` are no expressions";
                    let remedy = "write the name itself; to choose between workflows, give each a node with an `if`";
                    problems.push(Problem::error("workflow_name", &named.place, message).remedy(remedy));
                }
                continue;
            };
            if node.with.get("file").is_some() && node.with.get("name").is_some() {
                // Which of the two is meant nobody knows, and its configuration says so.
                continue;
            }
            let problem = |message: String| Problem::error("invalid_child", &place.place, message);
            match self.child(location, &name, depth, &problem) {
                Ok(Some((child, of))) => {
                    found.insert(name.key(), child);
                    shapes.add(node, &of);
                    runs.push((node, of));
                }
                Ok(None) => {}
                Err(mut found) => problems.append(&mut found),
            }
        }
        for (node, child) in &runs {
            given::check(node, child, &shapes.seen_by(workflow, Some(node)), &mut problems);
        }
        shapes.check(workflow, &mut problems);
        if problems.is_empty() { Ok(Children(found)) } else { Err(problems) }
    }

    fn child(
        &mut self,
        location: &str,
        name: &ChildName,
        depth: usize,
        problem: &dyn Fn(String) -> Problem,
    ) -> Result<Option<(Child, Workflow)>, Vec<Problem>> {
        if depth == 0 || self.left == 0 {
            let message = format!(
                "workflows run each other more than {MAX_DEPTH} deep or {MAX_DOCUMENTS} in all: take a level out"
            );
            return Err(vec![problem(message)]);
        }
        self.left -= 1;
        let found = match self.documents.find(location, name) {
            Ok(found) => found,
            Err(_) if !self.documents.is_complete() => return Ok(None),
            Err(error) => return Err(vec![problem(error)]),
        };
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
        Ok(Some((Child { document: found.text, children }, workflow)))
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
