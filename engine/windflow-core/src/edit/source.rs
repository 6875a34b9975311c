//! Where the parts of a document stand, as exactly as editing needs.

use std::ops::Range;

use serde_json::Value;

use super::EditError;
use crate::place::Spanned;
use crate::yaml::{self, Kind, Limits, Node};

/// A text and what it says.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) root: Node,
}

/// An entry of a map.
pub(super) type Entry = (Spanned<String>, Node);

impl<'a> Source<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, EditError> {
        match yaml::parse(text, Limits::default()) {
            (Some(root), problems) if !problems.iter().any(crate::problem::Problem::is_error) => {
                Ok(Self { text, root })
            }
            (_, problems) => {
                let why = problems.first().map_or_else(
                    || "it is empty".to_owned(),
                    |problem| {
                        format!("{} at line {}, column {}", problem.message, problem.place.line, problem.place.column)
                    },
                );
                Err(EditError::new("unreadable", format!("the text cannot be edited before it can be read: {why}")))
            }
        }
    }

    /// The number of spaces that this document indents by.
    pub(super) fn step(&self) -> usize {
        entries(&self.root)
            .iter()
            .find_map(|(_, value)| match &value.kind {
                Kind::Map(inner) if !self.is_flow(value) => {
                    inner.first().map(|(key, _)| self.indent(key.place.bytes.start))
                }
                _ => None,
            })
            .filter(|step| (1..=8).contains(step))
            .unwrap_or(2)
    }

    /// Whether a list or map is written in brackets.
    pub(super) fn is_flow(&self, node: &Node) -> bool {
        let opens = match node.kind {
            Kind::List(_) => '[',
            Kind::Map(_) => '{',
            Kind::Scalar(_) => return false,
        };
        self.text[node.place.bytes.start..].starts_with(opens)
    }

    /// Where the line of a place begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where the line of a place ends, its newline not included.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        if self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    /// How many characters stand before a place on its line.
    pub(super) fn indent(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }

    /// Whether nothing but space stands before a place on its line.
    pub(super) fn is_first_on_line(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].chars().all(|c| c == ' ')
    }

    /// Just after the colon of a key. In brackets a key may have none, and no value either: then after the key.
    pub(super) fn after_colon(&self, key: &Spanned<String>) -> usize {
        let end = self.key_end(key);
        let rest = &self.text[end..];
        let colon = rest.trim_start();
        if colon.starts_with(':') { end + rest.len() - colon.len() + 1 } else { end }
    }

    /// Just after a key.
    pub(super) fn key_end(&self, key: &Spanned<String>) -> usize {
        self.text[key.place.bytes.clone()].trim_end().len() + key.place.bytes.start
    }

    /// Where an entry ends, comments after it not included.
    pub(super) fn entry_end(&self, (key, value): &Entry) -> usize {
        if self.is_absent(value) { self.after_colon(key) } else { self.end(value) }
    }

    /// Whether a value is null because nothing was written.
    pub(super) fn is_absent(&self, value: &Node) -> bool {
        match &value.kind {
            Kind::Scalar(scalar) => scalar.value.is_null() && scalar.text.is_empty(),
            _ => false,
        }
    }

    /// After the bracket that closes a list or map whose last part ends here.
    fn close(&self, mut at: usize) -> usize {
        while let Some(next) = self.text[at..].chars().next() {
            match next {
                ']' | '}' => return at + 1,
                '#' => at = self.line_end(at),
                _ => at += next.len_utf8(),
            }
        }
        at
    }

    /// Where the lines of an entry of a block begin, with the comments directly above it.
    pub(super) fn lead(&self, entries: &[Entry], at: usize) -> usize {
        let mut from = self.line_start(entries[at].0.place.bytes.start);
        // What looks like a comment may be a line of the text above.
        let least = at.checked_sub(1).map_or(0, |before| self.line_end(self.entry_end(&entries[before])) + 1);
        while from > least {
            let above = self.line_start(from - 1);
            if !self.text[above..from].trim_start().starts_with('#') {
                break;
            }
            from = above;
        }
        from
    }

    /// Where a value begins, the `|` of a text that is written below it included.
    pub(super) fn start(&self, node: &Node) -> usize {
        let start = node.place.bytes.start;
        if !matches!(&node.kind, Kind::Scalar(scalar) if scalar.block) {
            return start;
        }
        let header_end = self.text[..start].trim_end().len();
        let line = self.line_start(header_end);
        let header = &self.text[line..header_end];
        let header = &header[..header.find(" #").unwrap_or(header.len())];
        header.rfind(['|', '>']).map_or(start, |at| line + at)
    }

    /// Where a value ends, comments after it not included: the parser ends it where the next one begins.
    pub(super) fn end(&self, node: &Node) -> usize {
        let Range { start, end } = node.place.bytes;
        match &node.kind {
            Kind::Map(entries) if !self.is_flow(node) => entries.last().map_or(start, |entry| self.entry_end(entry)),
            Kind::List(items) if !self.is_flow(node) => items.last().map_or(start, |item| self.end(item)),
            Kind::Map(entries) => self.close(entries.last().map_or(start + 1, |entry| self.entry_end(entry))),
            Kind::List(items) => self.close(items.last().map_or(start + 1, |item| self.end(item))),
            Kind::Scalar(scalar) => {
                let text = &self.text[start..end];
                if scalar.block || text.starts_with(['"', '\'']) { end } else { start + plain_length(text) }
            }
        }
    }
}

/// A plain scalar ends where a comment begins.
fn plain_length(text: &str) -> usize {
    let comment = text.match_indices('#').map(|(at, _)| at).find(|at| text[..*at].ends_with([' ', '\t', '\n']));
    text[..comment.unwrap_or(text.len())].trim_end().len()
}

/// The entries of a map; none of anything else.
pub(super) fn entries(node: &Node) -> &[Entry] {
    if let Kind::Map(entries) = &node.kind { entries } else { &[] }
}

/// The value of a key.
pub(super) fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entries(node).iter().find(|(found, _)| found.value == key).map(|(_, value)| value)
}

/// The value at a path of JSON, which is made where there is none.
pub(super) fn json_at<'v>(value: &'v mut Value, path: &[super::Segment]) -> Result<&'v mut Value, EditError> {
    path.iter().try_fold(value, |value, segment| {
        if value.is_null() && matches!(segment, super::Segment::Key(_)) {
            *value = Value::Object(serde_json::Map::new());
        }
        match (value, segment) {
            (Value::Object(fields), super::Segment::Key(key)) => Ok(fields.entry(key.clone()).or_insert(Value::Null)),
            (Value::Array(items), super::Segment::Index(index)) => {
                if *index == items.len() {
                    items.push(Value::Null);
                }
                items.get_mut(*index).ok_or_else(|| EditError::new("no_such_item", format!("there is no item {index}")))
            }
            (_, segment) => Err(EditError::new("no_such_place", format!("there is no place for `{segment}`"))),
        }
    })
}
