//! Values that a document has no variable for.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;
use windflow_core::problem;
use windflow_core::yaml::{self, Kind, Node};

use super::{interpolate, limits};
use crate::variables::{self, child};

/// A value is given to a variable that a document neither declares nor uses. It would be left out without a word, and what was meant would take
/// its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    name: String,
    /// What could be meant.
    pub remedy: String,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no variable {}", self.name)
    }
}

/// The first name, of those that values are given for, that a document has no variable of. Of a document that cannot be read nothing is known.
#[must_use]
pub fn unknown<'a>(text: &str, given: impl IntoIterator<Item = &'a String>) -> Option<Unknown> {
    let mut given = given.into_iter().peekable();
    given.peek()?;
    let (node, problems) = yaml::parse(text, limits());
    let node = node.filter(|_| !problems.iter().any(problem::Problem::is_error))?;
    let known = names(&node);
    let name = given.find(|name| !known.contains(*name))?;
    let words = || known.iter().map(String::as_str);
    let remedy = problem::did_you_mean(name, words()).unwrap_or_else(|| match known.is_empty() {
        true => "the stack has no variables: leave it out".to_owned(),
        false => format!("its variables are {}", problem::list(words())),
    });
    Some(Unknown { name: name.chars().take(80).collect(), remedy })
}

/// The variables that a document declares, fills in, or takes the value of by their names.
fn names(node: &Node) -> BTreeSet<String> {
    let mut names: BTreeSet<_> =
        variables::declared(node, &mut Vec::new()).into_iter().map(|variable| variable.name).collect();
    filled_in(node, &mut names);
    for kind in ["secrets", "configs"] {
        for part in entries(child(node, kind)) {
            names.extend(child(part, "environment").and_then(text).map(str::to_owned));
        }
    }
    for service in entries(child(node, "services")) {
        passed_on(child(service, "environment"), &mut names);
    }
    names
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(_, value)| value)
}

fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.value.as_str(),
        _ => None,
    }
}

fn filled_in(node: &Node, names: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| filled_in(item, names)),
        Kind::Map(entries) => {
            let entries = entries.iter().filter(|(key, _)| !key.value.starts_with("x-"));
            entries.for_each(|(_, value)| filled_in(value, names));
        }
        Kind::Scalar(_) => names.extend(text(node).into_iter().flat_map(interpolate::names)),
    }
}

/// What has no value in an `environment` takes that of the variable of its name.
fn passed_on(environment: Option<&Node>, names: &mut BTreeSet<String>) {
    match environment.map(|node| &node.kind) {
        Some(Kind::List(items)) => {
            names.extend(items.iter().filter_map(text).filter(|item| !item.contains('=')).map(str::to_owned));
        }
        Some(Kind::Map(entries)) => {
            let is_open = |node: &Node| matches!(&node.kind, Kind::Scalar(scalar) if scalar.value == Value::Null);
            names.extend(entries.iter().filter(|(_, value)| is_open(value)).map(|(name, _)| name.value.clone()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
x-windflow: { variables: { WEB_PORT: { type: port } } }
services:
  web:
    image: \"shop:${TAG:-${OTHER_TAG:-1}}$$NOT\"
    ports: [\"$WEB_PORT:80\"]
    environment: [PASSED, KEPT=$FILLED]
  db: { image: x, environment: { ALSO: , NO: value } }
secrets: { key: { environment: DB_PASSWORD } }
";

    #[test]
    fn what_a_document_declares_or_uses_is_known() {
        let all = ["WEB_PORT", "TAG", "OTHER_TAG", "PASSED", "FILLED", "ALSO", "DB_PASSWORD"].map(str::to_owned);
        assert_eq!(unknown(TEXT, &all), None);
        for name in ["NOT", "KEPT", "NO", "web", "image"] {
            assert!(unknown(TEXT, [&name.to_owned()]).is_some(), "{name}");
        }
        assert_eq!(unknown("services: [", [&"A".to_owned()]), None, "something else is wrong");
    }

    #[test]
    fn what_could_be_meant_is_told() {
        let told = |text: &str, name: &str| {
            let found = unknown(text, [&name.to_owned()]).unwrap();
            (found.to_string(), found.remedy)
        };
        let (why, remedy) = told(TEXT, "WEB_PRT");
        assert_eq!((&*why, &*remedy), ("there is no variable WEB_PRT", "did you mean `WEB_PORT`?"));
        assert!(told(TEXT, "SOMETHING_ELSE").1.starts_with("its variables are `ALSO`, "));
        assert_eq!(told("services: {}", "A").1, "the stack has no variables: leave it out");
    }
}
