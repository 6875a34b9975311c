//! Paths that are known before anything runs: `nodes.fetch.output.status`.

use std::ops::Range;

use super::code::{CodeKind, Path, Step};
use super::lexer::LexError;
use super::member::RESERVED;
use super::parser::{Parsed, Parser};
use super::reference::{Reference, Target};
use crate::id::NodeId;
use crate::problem::{did_you_mean, nearest};

/// The names that expressions can begin with.
pub(super) const ROOTS: [&str; 7] = ["inputs", "input", "item", "item_index", "nodes", "run", "trigger"];

/// A path that is being read.
pub(super) struct Unfinished<'a> {
    pub(super) root: &'a str,
    steps: Vec<Step>,
    at: Range<usize>,
}

impl<'a> Unfinished<'a> {
    pub(super) fn begin(root: &'a str, at: Range<usize>) -> Option<Self> {
        ROOTS.contains(&root).then(|| Self { root, steps: Vec::new(), at })
    }

    pub(super) fn step(mut self, step: Step, end: usize) -> Self {
        self.steps.push(step);
        self.at.end = end;
        self
    }

    /// Whether it names a value already, rather than something that only leads to values.
    pub(super) fn is_value(&self) -> bool {
        self.steps.len()
            >= match self.root {
                "nodes" => 2,
                "run" => 1,
                _ => 0,
            }
    }

    fn target(&self) -> Result<(Target, usize), LexError> {
        let field = |at: usize| match self.steps.get(at) {
            Some(Step::Field(name)) => Some(&**name),
            _ => None,
        };
        let wrong = |message: String| LexError::new(self.at.clone(), message);
        match self.root {
            "input" => Ok((Target::Input, 0)),
            "inputs" => Ok((Target::Inputs(None), 0)),
            "item" => Ok((Target::Item, 0)),
            "item_index" => Ok((Target::ItemIndex, 0)),
            "trigger" => Ok((Target::Trigger, 0)),
            "run" if field(0) == Some("id") => Ok((Target::RunId, 1)),
            "run" => Err(wrong("all that is known of `run` is `run.id`".to_owned())),
            _ => {
                let name = field(0).ok_or_else(|| {
                    wrong("`nodes` by itself is no value".to_owned()).remedy("name a node: nodes.a.output")
                })?;
                let node: NodeId = name.parse().map_err(|error| wrong(format!("{error}")))?;
                let target = match field(1) {
                    Some("output") => Target::Output(node),
                    Some("error") => Target::Error(node),
                    Some("status") => Target::Status(node),
                    Some("callback") => Target::Callback(node),
                    Some(other) => {
                        let near = nearest(other, ["output", "error", "status", "callback"]);
                        return Err(wrong(format!("a node has no `{other}`")).remedy(near.map_or_else(
                            || format!("write nodes.{name}.output.{other}, or .error or .status"),
                            |near| format!("did you mean `nodes.{name}.{near}`?"),
                        )));
                    }
                    None => {
                        return Err(wrong(format!("`nodes.{name}` by itself is no value"))
                            .remedy(format!("write nodes.{name}.output, .error or .status")));
                    }
                };
                Ok((target, 2))
            }
        }
    }
}

impl Parser<'_> {
    /// Turns a path into code and notes what it reads.
    pub(super) fn path(&mut self, path: &Unfinished<'_>) -> Parsed {
        let (target, used) = path.target()?;
        let steps = path.steps[used..].to_vec();
        let noted = match (&target, steps.first()) {
            (Target::Inputs(_), Some(Step::Field(name))) => Target::Inputs(Some(name.to_string())),
            _ => target.clone(),
        };
        self.references.push(Reference { target: noted, place: self.place.within(self.source, path.at.clone()) });
        let mut code = self.code(path.at.start, CodeKind::Path(Path { target, steps }), &[])?;
        code.end = u16::try_from(path.at.end).unwrap_or(u16::MAX);
        Ok(code)
    }
}

/// Why a word cannot be the name of a node or an input, if it cannot.
#[must_use]
pub fn reserved(name: &str) -> Option<String> {
    RESERVED.contains(&name).then(|| format!("`{name}` is a word of CEL, so that expressions could not name it"))
}

/// The remedy for a missing key among those that are there.
pub(super) fn missing_key<'a>(key: &str, present: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let present: Vec<_> = present.into_iter().take(1000).collect();
    did_you_mean(key, present.iter().copied()).or_else(|| {
        let shown = present.iter().take(12).map(|key| format!("`{}`", key.chars().take(40).collect::<String>()));
        (!present.is_empty()).then(|| format!("there are {}", shown.collect::<Vec<_>>().join(", ")))
    })
}
