//! Typed variables of a stack. A document declares them in its own words:
//!
//! ```yaml
//! x-windflow:
//!   variables:
//!     WEB_PORT: { type: port, default: 8080, description: Where the shop is reached }
//!     DB_PASSWORD: { type: password, description: { en: Of the database, fr: De la base de données } }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use windflow_core::manifest::Text;
use windflow_core::place::Place;
use windflow_core::problem::{self, Problem};
use windflow_core::yaml::{Kind as NodeKind, Node};

/// What a variable's value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    #[default]
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// One of `choices`.
    Choice,
    /// 1 to 65535.
    Port,
    /// The name of a machine on the internet.
    Domain,
    /// Kept secret; made where none is given.
    Password,
    /// The part of an image's name behind the colon.
    ImageTag,
}

/// A variable that a document declares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What it is for, by language. A plain text of the document is English.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub description: Text,
    /// Its value where none is given.
    pub default: Option<String>,
    /// The values of a `choice`.
    pub choices: Vec<String>,
    /// Where it is declared.
    #[serde(skip)]
    pub place: Place,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    #[serde(default, rename = "type")]
    kind: Kind,
    description: Option<Description>,
    default: Option<Value>,
    #[serde(default)]
    choices: Vec<String>,
}

/// A description as it is written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a description is a text, or texts by language such as { en: …, fr: … }")]
enum Description {
    English(String),
    ByLanguage(Languages),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Languages {
    en: String,
    fr: Option<String>,
}

impl From<Description> for Text {
    fn from(written: Description) -> Self {
        let (en, fr) = match written {
            Description::English(en) => (en, None),
            Description::ByLanguage(Languages { en, fr }) => (en, fr),
        };
        let french = fr.map(|text| ("fr".to_owned(), text));
        Self(std::iter::once(("en".to_owned(), en)).chain(french).collect())
    }
}

pub(crate) fn child<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let NodeKind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
}

/// The variables that a document declares.
pub(crate) fn declared(node: &Node, problems: &mut Vec<Problem>) -> Vec<Variable> {
    let Some(node) = child(node, "x-windflow").and_then(|node| child(node, "variables")) else { return Vec::new() };
    let NodeKind::Map(entries) = &node.kind else {
        problems.push(Problem::error(
            "invalid_variable",
            &node.place,
            "`variables` is a map from names to declarations",
        ));
        return Vec::new();
    };
    let mut variables = Vec::new();
    for (name, value) in entries {
        let mut refuse = |why: String| problems.push(Problem::error("invalid_variable", &value.place, why));
        if !is_name(name) {
            refuse(format!(
                "{:?} is no name of a variable: it has letters, digits and _ and begins with no digit",
                name.value
            ));
            continue;
        }
        let declaration: Declaration = match serde_json::from_value(value.to_json()) {
            Ok(declaration) => declaration,
            Err(error) => {
                refuse(format!("the declaration of {}: {error}", name.value));
                continue;
            }
        };
        if (declaration.kind == Kind::Choice) == declaration.choices.is_empty() {
            refuse(format!("{}: a choice has `choices`, and nothing else has", name.value));
            continue;
        }
        let variable = Variable {
            name: name.value.clone(),
            kind: declaration.kind,
            description: declaration.description.map(Text::from).unwrap_or_default(),
            default: declaration.default.as_ref().and_then(text),
            choices: declaration.choices,
            place: name.place.clone(),
        };
        if let Some(why) = variable.default.as_deref().and_then(|default| variable.refusal(default)) {
            refuse(format!("the default of {}: {why}", name.value));
        }
        variables.push(variable);
    }
    variables
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Variable {
    /// A value that fits, to check a document with before anybody gives one.
    #[must_use]
    pub fn sample(&self) -> String {
        let sample = match self.kind {
            Kind::Number => "1",
            Kind::Bool => "true",
            Kind::Choice => self.choices.first().map_or("", String::as_str),
            Kind::Port => "8080",
            Kind::Domain => "example.org",
            Kind::String | Kind::Password | Kind::ImageTag => "sample",
        };
        self.default.clone().unwrap_or_else(|| sample.to_owned())
    }

    /// Why a value does not fit.
    #[must_use]
    pub fn refusal(&self, value: &str) -> Option<String> {
        let fits = match self.kind {
            Kind::String | Kind::Password => true,
            Kind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::Bool => ["true", "false"].contains(&value),
            Kind::Choice => self.choices.iter().any(|choice| choice == value),
            Kind::Port => value.parse::<u16>().is_ok_and(|port| port > 0),
            Kind::Domain => is_domain(value),
            Kind::ImageTag => is_tag(value),
        };
        let shown: String = value.chars().take(60).collect();
        (!fits).then(|| match self.kind {
            Kind::Number => format!("{shown:?} is no number"),
            Kind::Bool => format!("{shown:?} is neither true nor false"),
            Kind::Choice => {
                format!("{shown:?} is none of {}", problem::list(self.choices.iter().map(String::as_str)))
            }
            Kind::Port => format!("{shown:?} is no port: it is 1 to 65535"),
            Kind::Domain => format!("{shown:?} is no domain, such as shop.example.org"),
            _ => format!("{shown:?} is no image tag, such as 1.4.2"),
        })
    }
}

fn is_domain(value: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    value.len() <= 253 && value.split('.').all(label)
}

fn is_tag(value: &str) -> bool {
    (1..=128).contains(&value.len())
        && value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// The value of each variable: what was given, else its default, else a new password where it is one.
pub(crate) fn resolve(
    variables: &[Variable],
    given: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, String> {
    let mut values = given.clone();
    for variable in variables {
        let name = &variable.name;
        match values.get(name) {
            Some(value) => {
                if let Some(why) = variable.refusal(value) {
                    problems.push(Problem::error(
                        "invalid_variable",
                        &variable.place,
                        format!("the variable {name}: {why}"),
                    ));
                }
            }
            None => {
                let made = || (variable.kind == Kind::Password).then(password).flatten();
                values.extend(variable.default.clone().or_else(made).map(|value| (name.clone(), value)));
            }
        }
    }
    values
}

/// 32 letters and digits from the system's random numbers.
fn password() -> Option<String> {
    use ring::rand::SecureRandom;
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789xy";
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect())
}

/// The values of a file of `NAME=value` lines.
#[must_use]
pub fn dotenv(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
        let value = match quoted('"').or_else(|| quoted('\'')) {
            Some(value) => value,
            None => value.split(" #").next().unwrap_or_default().trim_end(),
        };
        (!line.starts_with('#') && is_name(name)).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_types() {
        let variable = |kind| Variable {
            name: "X".into(),
            kind,
            description: Text::default(),
            default: None,
            choices: vec!["a".into()],
            place: Place::default(),
        };
        for (kind, good, bad) in [
            (Kind::Number, "1.5", "one"),
            (Kind::Bool, "true", "yes"),
            (Kind::Choice, "a", "b"),
            (Kind::Port, "8080", "0"),
            (Kind::Domain, "shop.example.org", "-x.org"),
            (Kind::ImageTag, "1.4.2-rc1", "a:b"),
        ] {
            assert_eq!(variable(kind).refusal(good), None, "{kind:?}");
            assert_eq!(variable(kind).refusal(&variable(kind).sample()), None, "{kind:?}");
            assert!(variable(kind).refusal(bad).is_some(), "{kind:?}");
        }
    }

    #[test]
    fn descriptions_have_one_language_or_two() {
        let read = |description: &str| {
            let text = format!("x-windflow: {{ variables: {{ A: {{ description: {description} }} }} }}");
            let node = windflow_core::yaml::parse(&text, windflow_core::yaml::Limits::default()).0.unwrap();
            let mut problems = Vec::new();
            let found = declared(&node, &mut problems);
            found.first().map(|variable| variable.description.clone()).ok_or_else(|| problems[0].message.clone())
        };
        let plain = read("Where the shop is").unwrap();
        assert_eq!((plain.get("en"), plain.get("fr")), ("Where the shop is", "Where the shop is"));
        let both = read("{ en: The shop, fr: La boutique }").unwrap();
        assert_eq!((both.get("en"), both.get("fr")), ("The shop", "La boutique"));
        for bad in ["{ fr: La boutique }", "{ en: The shop, de: Der Laden }", "[1]"] {
            assert!(read(bad).unwrap_err().contains("a description is a text"), "{bad}");
        }
    }

    #[test]
    fn passwords_are_made_once_and_differ() {
        let variable = Variable {
            name: "P".into(),
            kind: Kind::Password,
            description: Text::default(),
            default: None,
            choices: Vec::new(),
            place: Place::default(),
        };
        let made = |given: &BTreeMap<_, _>| resolve(std::slice::from_ref(&variable), given, &mut Vec::new());
        let (one, other) = (made(&BTreeMap::new()), made(&BTreeMap::new()));
        assert!(one["P"].len() == 32 && one != other);
        assert_eq!(made(&one), one);
    }

    #[test]
    fn files_of_variables() {
        let found = dotenv("# a\nA=1\nexport B = \"two words\" \nC='x # y'\nD=z # why\n1=no\nnothing\n");
        let expect = [("A", "1"), ("B", "two words"), ("C", "x # y"), ("D", "z")];
        assert_eq!(found, expect.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
