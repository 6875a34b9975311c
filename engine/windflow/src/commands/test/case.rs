//! A case: what goes in, what nodes do instead of what they would, and what is expected.

use std::collections::HashMap;
use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use windflow_core::id::NodeId;
use windflow_core::run::{Asked, Question};
use windflow_core::yaml;
use windflow_runtime::{Reply, Responder};

use crate::commands::document;
use crate::exit::invalid;

/// A case file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it is about.
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    /// The inputs of the run.
    #[serde(default)]
    inputs: Map<String, Value>,
    /// A JSON file with more of them, relative to the workflow's folder.
    #[serde(default)]
    input_file: Option<String>,
    /// What nodes do instead of what they would, one for each attempt, the last for all further ones.
    #[serde(default)]
    pub(super) mocks: HashMap<NodeId, OneOrMore<Mock>>,
    /// How questions are answered.
    #[serde(default)]
    pub(super) answers: Answers,
    /// What is expected.
    #[serde(default)]
    pub(super) expect: Expect,
}

/// One, or a list of them. A list is tried first: a structure can be read from a list, too.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore<T> {
    More(Vec<T>),
    One(T),
}

impl<T> OneOrMore<T> {
    pub(super) fn at(&self, index: usize) -> Option<&T> {
        match self {
            Self::One(one) => Some(one),
            Self::More(more) => more.get(index).or(more.last()),
        }
    }
}

/// What a node does in an attempt.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mock {
    /// It emits this.
    #[serde(default)]
    pub(super) output: Value,
    /// On this port; the first where none is written.
    #[serde(default)]
    pub(super) port: Option<String>,
    /// It fails instead.
    #[serde(default)]
    pub(super) error: Option<MockError>,
}

/// How it fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MockError {
    #[serde(default = "node_failed")]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
    /// Whether trying again may help.
    #[serde(default)]
    pub(super) retry: bool,
    #[serde(default)]
    pub(super) details: Option<Value>,
}

fn node_failed() -> String {
    "node_failed".into()
}

/// The answers by node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Answers(pub(super) HashMap<NodeId, OneOrMore<Given>>);

/// An answer: a decision, or data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    #[serde(default)]
    approve: Option<bool>,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    data: Option<Value>,
}

impl Responder for Answers {
    fn respond(&self, node: &NodeId, item: Option<u32>, question: &Question) -> Option<Reply> {
        let given = self.0.get(node)?.at(item.unwrap_or(0) as usize)?;
        Some(match question.of {
            Asked::System => Reply::Data(given.data.clone().unwrap_or_default()),
            Asked::Person => Reply::Decision {
                approved: given.approve?,
                by: given.by.clone().unwrap_or_else(|| "test".into()),
                comment: given.comment.clone(),
                data: given.data.clone(),
            },
        })
    }
}

/// What is expected; what is not written is not looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// How the run ends; `invalid` where the inputs do not fit.
    #[serde(default)]
    pub(super) status: Option<String>,
    /// Exactly the nodes that succeed.
    #[serde(default)]
    pub(super) path: Option<Vec<String>>,
    /// How nodes end.
    #[serde(default)]
    pub(super) nodes: IndexMap<String, String>,
    /// How many attempts they make.
    #[serde(default)]
    pub(super) attempts: IndexMap<String, u32>,
    /// What the run gives back, by name.
    #[serde(default)]
    pub(super) outputs: IndexMap<String, Value>,
    /// Texts that the outputs contain, by name.
    #[serde(default)]
    pub(super) contains: IndexMap<String, OneOrMore<String>>,
    /// The code of the failure that ends the run.
    #[serde(default)]
    pub(super) code: Option<String>,
    /// The configurations that mocked nodes are called with, in order; fields that are not written are not looked at.
    #[serde(default)]
    pub(super) calls: IndexMap<String, Vec<Value>>,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// Where it cannot be read, or is no case; the message says where.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = document::read(path)?;
        let (node, problems) = yaml::parse(&text, yaml::Limits::default());
        let Some(node) = node.filter(|_| problems.is_empty()) else {
            let told = windflow_core::problem::render(&path.display().to_string(), &text, &problems);
            return Err(invalid(told.trim_end().to_owned()));
        };
        serde_json::from_value(node.to_json()).map_err(|error| invalid(format!("{}: {error}", path.display())))
    }

    pub(super) fn mocked(&self) -> impl Iterator<Item = &NodeId> {
        self.mocks.keys().chain(self.answers.0.keys())
    }

    /// The inputs: those of the file, and those of the case over them.
    pub(super) fn inputs(&self, folder: &Path) -> anyhow::Result<Map<String, Value>> {
        let mut inputs = Map::new();
        if let Some(file) = &self.input_file {
            let path = folder.join(file);
            inputs = serde_json::from_str(&document::read(&path)?)
                .map_err(|error| invalid(format!("{}: no JSON object with inputs: {error}", path.display())))?;
        }
        inputs.extend(self.inputs.clone());
        Ok(inputs)
    }
}
