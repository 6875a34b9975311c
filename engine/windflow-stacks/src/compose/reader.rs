//! Taking values out of a document whose form the schema has checked.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use windflow_core::problem::Problem;

use super::Context;
use super::document::Document;
use super::units;

/// What a document is read by.
pub(super) struct Reader<'a, 'b> {
    pub(super) document: &'a Document<'a>,
    pub(super) context: &'a Context<'b>,
    pub(super) values: &'a BTreeMap<String, String>,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(
        document: &'a Document<'a>,
        context: &'a Context<'b>,
        values: &'a BTreeMap<String, String>,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        Self { document, context, values, problems }
    }

    pub(super) fn get(&self, path: &[&str]) -> Option<&'a Value> {
        let mut value = &self.document.json;
        for part in path {
            value = match value {
                Value::Object(map) => map.get(*part)?,
                Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value).filter(|value| !value.is_null())
    }

    pub(super) fn keys(&self, path: &[&str]) -> Vec<&'a str> {
        let map = self.get(path).and_then(Value::as_object);
        map.into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| !key.starts_with("x-")).collect()
    }

    pub(super) fn refuse(&mut self, path: &[&str], code: &'static str, message: impl Into<String>, remedy: &str) {
        let place = self.document.place(path);
        let problem = Problem::error(code, &place, message);
        self.problems.push(if remedy.is_empty() { problem } else { problem.remedy(remedy) });
    }

    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        self.get(path).and_then(scalar)
    }

    /// A boolean, as such or as the text that a variable gave.
    pub(super) fn flag(&mut self, path: &[&str]) -> Option<bool> {
        match self.get(path)? {
            Value::Bool(flag) => Some(*flag),
            other => match other.as_str().unwrap_or_default() {
                "true" | "True" | "yes" | "on" | "1" => Some(true),
                "false" | "False" | "no" | "off" | "0" => Some(false),
                _ => {
                    self.refuse(path, "invalid_value", format!("this is {other}, but it is true or false"), "");
                    None
                }
            },
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, path: &[&str]) -> Option<T> {
        let text = self.text(path)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.refuse(path, "invalid_value", format!("{text:?} is no number that fits here"), "");
        }
        number
    }

    pub(super) fn bytes(&mut self, path: &[&str]) -> Option<i64> {
        let text = self.text(path)?;
        let bytes = units::bytes(&text);
        if bytes.is_none() {
            self.refuse(path, "invalid_size", format!("{text:?} is no size"), "write it as 512m or 1g");
        }
        bytes
    }

    pub(super) fn milliseconds(&mut self, path: &[&str]) -> Option<u64> {
        let text = self.text(path)?;
        let found = units::milliseconds(&text);
        if found.is_none() {
            self.refuse(path, "invalid_duration", format!("{text:?} is no duration"), "write it as 10s or 1m30s");
        }
        found
    }

    /// A list of texts, or one text.
    pub(super) fn list(&self, path: &[&str]) -> Vec<String> {
        match self.get(path) {
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            Some(other) => scalar(other).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// A map, or a list of `key=value`. A key without a value has none.
    pub(super) fn pairs(&self, path: &[&str], separator: char) -> BTreeMap<String, Option<String>> {
        match self.get(path) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(scalar)
                .map(|item| match item.split_once(separator) {
                    Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                    None => (item, None),
                })
                .collect(),
            Some(Value::Object(map)) => own(map).map(|(key, value)| (key.clone(), scalar(value))).collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The same, where what has no value is empty.
    pub(super) fn texts(&self, path: &[&str]) -> BTreeMap<String, String> {
        self.pairs(path, '=').into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect()
    }

    /// A command: words, or a line that has them.
    pub(super) fn command(&mut self, path: &[&str]) -> Option<Vec<String>> {
        match self.get(path)? {
            Value::Array(items) => Some(items.iter().filter_map(scalar).collect()),
            other => {
                let line = scalar(other)?;
                let words = units::words(&line);
                if words.is_none() {
                    self.refuse(
                        path,
                        "invalid_command",
                        "a quote in this command has no end",
                        "write it as a list of words",
                    );
                }
                words
            }
        }
    }
}

fn own(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.iter().filter(|(key, _)| !key.starts_with("x-"))
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
