//! YAML with the place of every key and value, bounded in size, depth and number of values.

use serde_json::Value;

use crate::place::{Place, Spanned};
use crate::problem::Problem;

mod alias;
mod compose;
mod scalar;

/// What a document may be at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Length in bytes.
    pub bytes: usize,
    /// Lists and maps within each other.
    pub depth: usize,
    /// Keys and values.
    pub nodes: usize,
    /// Whether anchors, aliases and merge keys mean what they do elsewhere, each use counted in full, instead of being refused.
    pub aliases: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 200_000, aliases: false }
    }
}

/// A value of a document.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Null, a boolean, a number or text.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the document. Keys are text and unique.
    Map(Vec<(Spanned<String>, Node)>),
}

/// A scalar.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// Its value by the core schema of YAML 1.2.
    pub value: Value,
    /// Its text, quotes taken off and escapes resolved.
    pub text: String,
    /// Written below a `|` or `>`: its place is that of its lines.
    pub block: bool,
    /// Its source, where it holds expressions: their places are found in it.
    pub source: Option<Box<str>>,
}

/// Parses a document. A tree is given where nothing is missing from it, even where something in it is refused, so that the
/// rest can be judged too. Every problem is told, those of syntax up to the first, since nobody can tell what follows it.
#[must_use]
pub fn parse(text: &str, limits: Limits) -> (Option<Node>, Vec<Problem>) {
    compose::compose(text, limits)
}

/// Whether a text without quotes means itself, and no number, boolean or null.
#[must_use]
pub fn is_text(plain: &str) -> bool {
    scalar::resolve(plain).is_string()
}

impl Node {
    /// What it is, for messages.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(scalar) => match scalar.value {
                Value::Null => "nothing",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                _ => "text",
            },
        }
    }

    /// Its text, where it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.value.as_str(),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// As JSON, without looking for expressions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.value.clone(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.value.clone(), value.to_json())).collect())
            }
        }
    }
}
