//! Making a document say something else with the smallest change of its text.
//!
//! A wanted value is held against what is there, part by part: what is the same is not touched, so that comments, order,
//! quotes and blank lines survive. It takes three passes (values, removals, additions), since a removal and an addition
//! side by side would touch the same text. In the end the text is read again and must say what was wanted.

use serde_json::{Map, Value};

use super::pieces::Pieces;
use super::render::{self, Rendered};
use super::source::{Entry, Source};
use super::{Change, EditError};
use crate::yaml::{Kind, Node};

/// A line in brackets that would become longer than this is written as a block instead.
const MAX_LINE: usize = 110;

/// The keys of a document in the order in which they are written.
const DOCUMENT_ORDER: &[&str] = &[
    "windflow",
    "name",
    "description",
    "folder",
    "tags",
    "inputs",
    "triggers",
    "permissions",
    "concurrency",
    "nodes",
    "outputs",
    "timeout",
    "notes",
    "layout",
];

/// The keys of a node in the order in which they are written.
const NODE_ORDER: &[&str] = &[
    "title",
    "uses",
    "needs",
    "join",
    "if",
    "for_each",
    "concurrency",
    "on_item_error",
    "with",
    "retry",
    "timeout",
    "on_unknown",
    "compensate",
    "disabled",
];

/// Makes the whole document say `wanted`.
pub(super) fn whole(pieces: &mut Pieces, wanted: &Value) -> Result<(), EditError> {
    for pass in [Pass::Values, Pass::Removals, Pass::Additions] {
        let text = pieces.text().to_owned();
        let source = Source::read(&text)?;
        if source.root.to_json() == *wanted {
            return Ok(());
        }
        let mut differ = Differ { source: &source, step: source.step(), pass, changes: Vec::new() };
        differ.value(&Slot { depth: 0, ..Slot::root() }, &source.root, wanted);
        let mut changes = differ.changes;
        changes.sort_by_key(|change| (change.from, change.to));
        if changes.windows(2).any(|pair| pair[0].to > pair[1].from) {
            return Err(not_possible());
        }
        pieces.apply(changes);
    }
    let read = Source::read(pieces.text())?;
    if read.root.to_json() == *wanted { Ok(()) } else { Err(not_possible()) }
}

/// YAML can be written in more ways than are changed here. Nothing is ever changed to something else than was wanted.
fn not_possible() -> EditError {
    let message = "this change cannot be made in the way the text is written: change the text itself";
    EditError::new("not_possible", message)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Values,
    Removals,
    Additions,
}

/// Where a value stands.
struct Slot<'n> {
    /// The key before it; none for the document and for items of lists.
    key: Option<&'n crate::place::Spanned<String>>,
    /// Indentation of the key, of the dash, or of the document.
    indent: usize,
    /// Within brackets.
    in_flow: bool,
    /// 0 for the document, 1 for its keys, 2 for what is in `nodes`.
    depth: usize,
    /// It is a node of the workflow.
    is_node: bool,
}

impl Slot<'_> {
    fn root() -> Self {
        Self { key: None, indent: 0, in_flow: false, depth: 0, is_node: false }
    }
}

struct Differ<'a, 'n> {
    source: &'n Source<'a>,
    step: usize,
    pass: Pass,
    changes: Vec<Change>,
}

impl<'n> Differ<'_, 'n> {
    fn value(&mut self, slot: &Slot<'n>, node: &'n Node, wanted: &Value) {
        if node.to_json() == *wanted {
            return;
        }
        match (&node.kind, wanted) {
            (Kind::Map(entries), Value::Object(fields))
                if entries.iter().any(|(key, _)| fields.contains_key(&key.value)) =>
            {
                self.map(slot, node, entries, fields);
            }
            (Kind::List(items), Value::Array(wanted)) if items.len() == wanted.len() || extends(items, wanted) => {
                self.list(slot, node, items, wanted);
            }
            _ if self.pass == Pass::Values => self.replace(slot, node, wanted),
            _ => {}
        }
    }

    fn map(&mut self, slot: &Slot<'n>, node: &'n Node, entries: &'n [Entry], wanted: &Map<String, Value>) {
        let in_flow = self.source.is_flow(node);
        let gone = |(key, _): &&Entry| !wanted.contains_key(&key.value);
        let added: Vec<(&String, &Value)> =
            wanted.iter().filter(|(key, _)| !entries.iter().any(|(found, _)| found.value == **key)).collect();
        if self.pass == Pass::Additions && in_flow && (!added.is_empty() || entries.iter().any(|entry| gone(&entry))) {
            return self.rewrite_flow(slot, node, entries, wanted, &added);
        }
        let kept = entries.iter().position(|(key, _)| wanted.contains_key(&key.value)).unwrap_or_default();
        let after_dash = !in_flow && !self.source.is_first_on_line(entries[0].0.place.bytes.start);
        if self.pass == Pass::Removals && after_dash && kept > 0 {
            self.remove_after_dash(entries, kept);
        }
        for (at, (key, value)) in entries.iter().enumerate() {
            if let Some(wanted) = wanted.get(&key.value) {
                let indent = self.source.indent(key.place.bytes.start);
                let is_node = slot.depth == 1 && slot.key.is_some_and(|key| key.value == "nodes");
                self.value(&Slot { key: Some(key), indent, in_flow, depth: slot.depth + 1, is_node }, value, wanted);
            } else if self.pass == Pass::Removals && !in_flow && (!after_dash || at > kept) {
                self.remove_entry(entries, at);
            }
        }
        // After what is added within: both may go to the same place.
        if self.pass == Pass::Additions && !added.is_empty() {
            self.add_entries(slot, entries, &added);
        }
    }

    fn list(&mut self, slot: &Slot<'n>, node: &'n Node, items: &'n [Node], wanted: &[Value]) {
        let in_flow = self.source.is_flow(node);
        for (item, wanted) in items.iter().zip(wanted) {
            let indent = if in_flow { slot.indent } else { self.dash(item) };
            self.value(&Slot { key: None, indent, in_flow, depth: slot.depth + 1, is_node: false }, item, wanted);
        }
        let added = &wanted[items.len().min(wanted.len())..];
        let Some(last) = items.last().filter(|_| self.pass == Pass::Additions && !added.is_empty()) else { return };
        if in_flow {
            let insert: String = added.iter().map(|value| format!(", {}", render::flow(value, true))).collect();
            let at = self.source.end(last);
            return self.change(at, at, insert);
        }
        let indent = self.dash(last);
        let lines = added.iter().flat_map(|value| render::item(value, self.step));
        let insert: String = lines.map(|line| format!("\n{}", render::indented(&line, indent))).collect();
        let at = self.source.line_end(self.source.end(last));
        self.change(at, at, insert);
    }

    /// Writes another value where one stands.
    fn replace(&mut self, slot: &Slot<'n>, node: &'n Node, wanted: &Value) {
        let start = self.source.start(node);
        let absent = self.source.is_absent(node);
        if slot.in_flow {
            if absent {
                let at = slot.key.map_or(start, |key| self.source.after_colon(key));
                let bare = slot.key.is_some_and(|key| self.source.key_end(key) == at);
                let colon = if bare { ":" } else { "" };
                return self.change(at, at, format!("{colon} {}", render::flow(wanted, true)));
            }
            return self.change(start, self.source.end(node), render::flow(wanted, true));
        }
        let child = if slot.key.is_some() { slot.indent + self.step } else { slot.indent + 2 };
        let child = if slot.depth == 0 { 0 } else { child };
        let Rendered { head, lines } = self.like(node, wanted);
        let end = self.source.end(node);
        let below = |lines: &[String]| -> String {
            lines.iter().map(|line| format!("\n{}", render::indented(line, child))).collect()
        };
        let Some(key) = slot.key else {
            // An item of a list, or the document: it begins where the old one did.
            let (first, rest) = match lines.split_first() {
                Some((first, rest)) if head.is_empty() => (first.clone(), rest),
                _ => (head, &*lines),
            };
            return self.change_line(start, node, first, below(rest));
        };
        let colon = self.source.after_colon(key);
        let after_colon = if head.is_empty() { String::new() } else { format!(" {head}") };
        if absent {
            self.change_around_comment(colon, colon, after_colon, below(&lines));
        } else if self.source.text[colon..start].contains('\n') {
            self.change(colon, colon, after_colon);
            self.change(self.source.line_end(colon), self.source.line_end(end), below(&lines));
        } else if head.is_empty() {
            self.change_line(colon, node, head, below(&lines));
        } else {
            self.change_line(start, node, head, below(&lines));
        }
    }

    /// Changes what stands on a line, from a place to the end of a value, and puts lines below it. A comment after it stays
    /// on its line.
    fn change_line(&mut self, from: usize, old: &Node, head: String, below: String) {
        let (start, end) = (self.source.start(old), self.source.end(old));
        if start == old.place.bytes.start {
            return self.change_around_comment(from, end, head, below);
        }
        // Of a text that is written below a `|`, the `|` stands on the line.
        let header = self.source.text[start..].find(char::is_whitespace).map_or(end, |length| start + length);
        self.change(from, header, head);
        self.change(self.source.line_end(start), end, below);
    }

    fn change_around_comment(&mut self, from: usize, to: usize, head: String, below: String) {
        let end = self.source.line_end(to);
        self.change(from, to, head);
        self.change(end, end, below);
    }

    /// A value in the style of the one that it takes the place of.
    fn like(&self, old: &Node, wanted: &Value) -> Rendered {
        let written = &self.source.text[old.place.bytes.clone()];
        match wanted {
            Value::String(text) if written.starts_with('"') && !text.contains(['"', '\\', '\n']) => {
                Rendered { head: render::double_quoted(text), lines: Vec::new() }
            }
            Value::String(text)
                if written.starts_with('\'')
                    && !text.contains(['\'', '\n'])
                    && !text.chars().any(render::is_hidden) =>
            {
                Rendered { head: format!("'{text}'"), lines: Vec::new() }
            }
            Value::Array(_) | Value::Object(_)
                if self.source.is_flow(old) && !written.contains('\n') && !is_empty(old) =>
            {
                let head = render::flow(wanted, false);
                if head.len() <= MAX_LINE {
                    Rendered { head, lines: Vec::new() }
                } else {
                    render::block(wanted, self.step)
                }
            }
            _ => render::block(wanted, self.step),
        }
    }

    /// Removes the first entries after a dash: the first that stays takes their place.
    fn remove_after_dash(&mut self, entries: &[Entry], kept: usize) {
        let (from, to) = (entries[0].0.place.bytes.start, entries[kept].0.place.bytes.start);
        self.change(from, to, String::new());
    }

    /// Removes an entry of a block with the comments directly above it.
    fn remove_entry(&mut self, entries: &[Entry], at: usize) {
        let text = self.source.text;
        let mut from = self.source.lead(entries, at);
        let end = text[self.source.entry_end(&entries[at])..].find('\n');
        let mut to = end.map_or(text.len(), |newline| self.source.entry_end(&entries[at]) + newline + 1);
        // Of two blank lines that would meet, one goes.
        let blank_before = from == 0 || text[..from].ends_with("\n\n");
        if blank_before && text[to..].starts_with('\n') {
            to += 1;
        } else if to == text.len() && blank_before && from > 0 {
            from -= 1;
        }
        self.change(from, to, String::new());
    }

    /// Adds entries to a block: each after those that are written before it, or at the end.
    fn add_entries(&mut self, slot: &Slot<'n>, entries: &[Entry], added: &[(&String, &Value)]) {
        let order = if slot.depth == 0 {
            DOCUMENT_ORDER
        } else if slot.is_node {
            NODE_ORDER
        } else {
            &[]
        };
        let rank = |key: &str| order.iter().position(|known| *known == key);
        let Some((first, _)) = entries.first() else { return };
        let indent = self.source.indent(first.place.bytes.start);
        let mut groups: Vec<(usize, Vec<(&String, &Value)>)> = Vec::new();
        for (key, value) in added {
            let after = rank(key)
                .and_then(|wanted| {
                    entries.iter().rposition(|(key, _)| rank(&key.value).is_some_and(|rank| rank < wanted))
                })
                .unwrap_or(entries.len() - 1);
            match groups.iter_mut().find(|(at, _)| *at == after) {
                Some((_, group)) => group.push((key, value)),
                None => groups.push((after, vec![(key, value)])),
            }
        }
        let spaced = slot.depth <= 1 && self.is_spaced(entries);
        for (after, mut group) in groups {
            group.sort_by_key(|(key, _)| rank(key).unwrap_or(usize::MAX));
            let at = self.source.line_end(self.source.entry_end(&entries[after]));
            let mut insert = String::new();
            for (key, value) in group {
                if spaced && (slot.depth > 0 || value.is_object()) {
                    insert.push('\n');
                }
                for line in render::entry(key, value, self.step) {
                    insert.push('\n');
                    insert.push_str(&render::indented(&line, indent));
                }
            }
            self.change(at, at, insert);
        }
    }

    /// Whether blank lines stand between entries.
    fn is_spaced(&self, entries: &[Entry]) -> bool {
        entries.windows(2).any(|pair| {
            let between = &self.source.text[self.source.entry_end(&pair[0])..pair[1].0.place.bytes.start];
            between.contains("\n\n")
        })
    }

    /// Writes a map in brackets anew out of the parts that stay; as a block where it would become too long.
    fn rewrite_flow(
        &mut self,
        slot: &Slot<'n>,
        node: &'n Node,
        entries: &[Entry],
        wanted: &Map<String, Value>,
        added: &[(&String, &Value)],
    ) {
        let text = self.source.text;
        let end = self.source.end(node);
        let kept = entries.iter().filter_map(|entry| Some((entry, wanted.get(&entry.0.value)?)));
        let parts: Vec<String> = kept
            .map(|(entry, wanted)| match entry.1.to_json() == *wanted {
                true => text[entry.0.place.bytes.start..self.source.entry_end(entry)].to_owned(),
                false => render::flow_entry(&entry.0.value, wanted),
            })
            .chain(added.iter().map(|(key, value)| render::flow_entry(key, value)))
            .collect();
        let rewritten = format!("{{ {} }}", parts.join(", "));
        let start = node.place.bytes.start;
        let single_line = !text[start..end].contains('\n');
        let length = start - self.source.line_start(start) + rewritten.len();
        if single_line && !slot.in_flow && slot.key.is_some() && length > MAX_LINE {
            let mut value = node.to_json();
            if let Value::Object(fields) = &mut value {
                fields.retain(|key, _| wanted.contains_key(key));
                fields.extend(wanted.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            let key_end = slot.key.map_or(start, |key| self.source.after_colon(key));
            let lines = render::block(&value, self.step).lines;
            let below = lines.iter().map(|line| format!("\n{}", render::indented(line, slot.indent + self.step)));
            return self.change_around_comment(key_end, end, String::new(), below.collect());
        }
        self.change(start, end, rewritten);
    }

    /// Where the dash of an item stands on its line.
    fn dash(&self, item: &Node) -> usize {
        let before = &self.source.text[..self.source.start(item)];
        before.rfind('-').map_or(0, |dash| self.source.indent(dash))
    }

    fn change(&mut self, from: usize, to: usize, insert: String) {
        if from < to || !insert.is_empty() {
            self.changes.push(Change { from, to: to.max(from), insert });
        }
    }
}

/// Whether a list begins with the items of another.
fn extends(items: &[Node], wanted: &[Value]) -> bool {
    !items.is_empty()
        && items.len() < wanted.len()
        && items.iter().zip(wanted).all(|(item, wanted)| item.to_json() == *wanted)
}

fn is_empty(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(entries) => entries.is_empty(),
        Kind::List(items) => items.is_empty(),
        Kind::Scalar(_) => false,
    }
}
