//! Reading maps with known keys out of a document, problems collected.

use std::collections::HashSet;
use std::time::Duration;

use crate::expression::Template;
use crate::place::{Place, Spanned};
use crate::problem::{Problem, did_you_mean, list};
use crate::yaml::{Kind, Node};

/// Collects problems while parts of a document are read. What cannot be read is left out, and reading goes on.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Problem>,
    /// See [`Workflow`](super::Workflow).
    pub(super) unreadable: HashSet<String>,
}

/// A map of the document.
pub(super) struct Fields<'a> {
    what: &'static str,
    pub(super) place: &'a Place,
    entries: &'a [(Spanned<String>, Node)],
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }

    pub(super) fn key(&self, key: &str) -> Option<&'a Spanned<String>> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(name, _)| name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a (Spanned<String>, Node)> {
        self.entries.iter()
    }
}

impl Reader {
    pub(super) fn error(&mut self, code: &'static str, place: &Place, message: impl Into<String>) {
        self.problems.push(Problem::error(code, place, message));
    }

    pub(super) fn error_with(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.problems.push(Problem::error(code, place, message).remedy(remedy));
    }

    pub(super) fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        self.error("wrong_type", &node.place, format!("{what} must be {expected}, but this is {}", node.what()));
    }

    /// A map whose keys are names that the document chooses.
    pub(super) fn open_map<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
        match &node.kind {
            Kind::Map(entries) => Some(Fields { what, place: &node.place, entries }),
            _ => {
                self.wrong_type(node, what, "a map");
                None
            }
        }
    }

    /// A map with known keys; the others are told.
    pub(super) fn map<'a>(&mut self, node: &'a Node, what: &'static str, known: &[&str]) -> Option<Fields<'a>> {
        let fields = self.open_map(node, what)?;
        for (key, _) in fields.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            let message = format!("{what} has no key `{}`", key.value);
            let remedy = did_you_mean(&key.value, known.iter().copied())
                .unwrap_or_else(|| format!("its keys are {}", list(known.iter().copied())));
            self.error_with("unknown_key", &key.place, message, remedy);
        }
        Some(fields)
    }

    pub(super) fn required<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<&'a Node> {
        let found = fields.get(key);
        if found.is_none() {
            let place = Place { bytes: fields.place.bytes.start..fields.place.bytes.start, ..fields.place.clone() };
            self.error_with(
                "missing_key",
                &place,
                format!("{} needs the key `{key}`", fields.what),
                format!("add `{key}: …`"),
            );
        }
        found
    }

    pub(super) fn list<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.kind {
            Kind::List(items) => items,
            _ => {
                self.wrong_type(node, what, "a list");
                &[]
            }
        }
    }

    pub(super) fn text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        let text = node.as_str();
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text
    }

    pub(super) fn bool(&mut self, node: &Node, what: &str) -> Option<bool> {
        let value = node.to_json().as_bool();
        if value.is_none() {
            self.wrong_type(node, what, "true or false");
        }
        value
    }

    pub(super) fn number(&mut self, node: &Node, what: &str, least: f64, most: f64) -> Option<f64> {
        let value = node.to_json().as_f64();
        match value {
            Some(number) if (least..=most).contains(&number) => Some(number),
            Some(number) => {
                self.error(
                    "out_of_range",
                    &node.place,
                    format!("{what} must lie between {least} and {most}, but it is {number}"),
                );
                None
            }
            None => {
                self.wrong_type(node, what, "a number");
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word);
            let remedy = did_you_mean(text, known.clone()).unwrap_or_else(|| format!("it is one of {}", list(known)));
            self.error_with("unknown_word", &node.place, format!("{what} cannot be `{text}`"), remedy);
        }
        found
    }

    /// A name or identifier that parses from text.
    pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        code: &'static str,
        text: &str,
        place: &Place,
    ) -> Option<T> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                self.error(code, place, error.to_string());
                None
            }
        }
    }

    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let Some(text) = node.as_str() else {
            let message = format!("{what} must be a duration, but this is {}", node.what());
            self.error_with("wrong_type", &node.place, message, "write it as 500ms, 10s, 5m, 1h30m or 2d");
            return None;
        };
        let duration = super::duration::parse(text);
        if duration.is_none() {
            let message = format!("{what} `{text}` is no duration");
            self.error_with(
                "invalid_duration",
                &node.place,
                message,
                "write it as 500ms, 10s, 5m, 1h30m or 2d; at most 366d",
            );
        }
        duration
    }

    pub(super) fn template(&mut self, node: &Node) -> Template {
        Template::from_yaml(node, &mut self.problems)
    }
}
