//! Nodes and notes as text: copied from one workflow, pasted into another, comments included.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::pieces::Pieces;
use super::source::{Entry, Source, entries, get};
use super::{Change, Draft, EditError, map, nodes, notes, rename, render, root, set};

/// How far pasted nodes stand from those that they were copied from.
const SHIFT: f64 = 40.0;

/// Nodes and notes of a workflow as YAML text, with their comments and their places on the canvas.
///
/// # Errors
/// When the text is no YAML, or there is no such node or note.
pub fn copy(text: &str, ids: &[String], note_ids: &[String]) -> Result<String, EditError> {
    let source = Source::read(text)?;
    let mut copied = section(&source, "nodes", ids, EditError::no_such_node)?;
    copied.push_str(&section(&source, "notes", note_ids, notes::no_such_note)?);
    let wanted = |(key, _): &&Entry| ids.contains(&key.value);
    let layout: Vec<&Entry> =
        get(&source.root, "layout").map(entries).unwrap_or_default().iter().filter(wanted).collect();
    if !layout.is_empty() {
        copied.push_str("layout:\n");
        for (key, value) in layout {
            copied.push_str(&format!("  {}: {}\n", key.value, render::flow(&value.to_json(), false)));
        }
    }
    Ok(copied)
}

/// Entries of a section in the order of the file, whatever was picked first.
fn section(
    source: &Source<'_>,
    name: &str,
    ids: &[String],
    missing: impl Fn(&str) -> EditError,
) -> Result<String, EditError> {
    let all = get(&source.root, name).map(entries).unwrap_or_default();
    if let Some(id) = ids.iter().find(|id| !all.iter().any(|(key, _)| key.value == **id)) {
        return Err(missing(id));
    }
    let mut copied = String::new();
    for at in (0..all.len()).filter(|at| ids.contains(&all[*at].0.value)) {
        if copied.is_empty() {
            copied = format!("{name}:\n");
        }
        for line in lines(source, all, at) {
            copied.push_str(&render::indented(&line, 2));
            copied.push('\n');
        }
    }
    Ok(copied)
}

/// An entry's lines with the comments above it, as deep as they stand in it.
fn lines(source: &Source<'_>, entries: &[Entry], at: usize) -> Vec<String> {
    let entry = &entries[at];
    let start = entry.0.place.bytes.start;
    if !source.is_first_on_line(start) {
        return render::entry(&entry.0.value, &entry.1.to_json(), source.step());
    }
    let indent = source.indent(start);
    let from = source.lead(entries, at);
    let raw = &source.text[from..source.line_end(source.entry_end(entry))];
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    raw.lines().map(|line| line[spaces(line).min(indent)..].trim_end_matches('\r').to_owned()).collect()
}

impl Draft {
    pub(super) fn paste(&mut self, yaml: &str, at: Option<[f64; 2]>) -> Result<(), EditError> {
        let mut pasted = Pieces::new(yaml);
        let mut document = Source::read(self.pieces.text())?.root.to_json();
        let there = map(root(&mut document)?, "nodes")?.clone();
        let names = free_names(pasted.text(), &there)?;
        if !names.is_empty() {
            rename::rename(&mut pasted, &names)?;
            cut_loose(&mut pasted, &there)?;
        }

        let pasted = pasted.text();
        let source = Source::read(pasted)?;
        let new = get(&source.root, "nodes").map(entries).unwrap_or_default();
        let new_notes = get(&source.root, "notes").map(entries).unwrap_or_default();
        let shift = shift(&source, new, new_notes, at);
        if !new.is_empty() {
            let nodes = map(root(&mut document)?, "nodes")?;
            for (key, value) in new {
                nodes.insert(key.value.clone(), value.to_json());
            }
            self.insert_text(&source, new, &document);
            set::whole(&mut self.pieces, &document)?;
        }
        let positions = positions(&source, new, shift, at);
        if !positions.is_empty() {
            self.change(|document| nodes::place(document, &positions))?;
        }
        self.paste_notes(new_notes, shift)?;
        self.added.extend(new.iter().map(|(key, _)| key.value.clone()));
        Ok(())
    }

    fn paste_notes(&mut self, new: &[Entry], shift: [f64; 2]) -> Result<(), EditError> {
        if new.is_empty() {
            return Ok(());
        }
        let mut ids = Vec::new();
        self.change(|document| {
            let notes = map(root(document)?, "notes")?;
            for (key, value) in new {
                let mut note = value.to_json();
                let [x, y] = notes::place_of(&note);
                if let Some(fields) = note.as_object_mut() {
                    fields.insert("at".into(), nodes::pixels([x + shift[0], y + shift[1]]));
                }
                let id = nodes::free_id(notes, &key.value)?;
                notes.insert(id.clone(), note);
                ids.push(id);
            }
            Ok(())
        })?;
        self.added_notes.append(&mut ids);
        Ok(())
    }

    /// Puts the very lines below the last node, where that gives what is wanted: comments come along.
    fn insert_text(&mut self, source: &Source<'_>, new: &[Entry], wanted: &Value) {
        let text = self.pieces.text().to_owned();
        let Ok(target) = Source::read(&text) else { return };
        let nodes = get(&target.root, "nodes").filter(|nodes| !target.is_flow(nodes)).map(entries).unwrap_or_default();
        let (Some(first), Some(last)) = (nodes.first(), nodes.last()) else { return };
        let indent = target.indent(first.0.place.bytes.start);
        let end = target.line_end(target.entry_end(last));
        let spaced =
            nodes.windows(2).any(|pair| text[target.entry_end(&pair[0])..pair[1].0.place.bytes.start].contains("\n\n"));
        let mut insert = String::new();
        for at in 0..new.len() {
            insert.push_str(if spaced { "\n" } else { "" });
            for line in lines(source, new, at) {
                insert.push('\n');
                insert.push_str(&render::indented(&line, indent));
            }
        }
        let change = vec![Change { from: end, to: end, insert }];
        let mut tried = Pieces::new(&text);
        tried.apply(change.clone());
        if Source::read(tried.text()).is_ok_and(|read| read.root.to_json() == *wanted) {
            self.pieces.apply(change);
        }
    }
}

/// The names that pasted nodes get: their own, or with a number where those are taken.
fn free_names(pasted: &str, there: &serde_json::Map<String, Value>) -> Result<BTreeMap<String, String>, EditError> {
    let source = Source::read(pasted)?;
    let new = get(&source.root, "nodes").map(entries).unwrap_or_default();
    if new.is_empty() && get(&source.root, "notes").is_none_or(|notes| entries(notes).is_empty()) {
        return Err(EditError::new(
            "nothing_to_paste",
            "there are no nodes in what was copied: it begins with `nodes:`",
        ));
    }
    let mut taken = there.clone();
    let mut names = BTreeMap::new();
    for (key, _) in new {
        let free = nodes::free_id(&taken, &key.value)?;
        taken.insert(free.clone(), Value::Null);
        names.insert(key.value.clone(), free);
    }
    // A name that one gives up is free for no other: renaming is all at once.
    Ok(names)
}

/// Takes away the edges to nodes that are neither pasted nor there.
fn cut_loose(pasted: &mut Pieces, there: &serde_json::Map<String, Value>) -> Result<(), EditError> {
    let mut document = Source::read(pasted.text())?.root.to_json();
    let nodes = map(root(&mut document)?, "nodes")?;
    let known: HashSet<String> = nodes.keys().chain(there.keys()).cloned().collect();
    for node in nodes.values_mut().filter_map(Value::as_object_mut) {
        let named =
            ["needs", "compensate"].into_iter().filter_map(|key| node.get(key)).flat_map(named).collect::<Vec<_>>();
        let unknown: Vec<String> = named.into_iter().filter(|id| !known.contains(id)).collect();
        nodes::forget(node, &unknown);
    }
    set::whole(pasted, &document)
}

/// The nodes that a need, or a list of them, names.
fn named(needs: &Value) -> Vec<String> {
    let id = |need: &Value| need.as_str().and_then(|need| need.split('.').next()).map(str::to_owned);
    match needs {
        Value::Array(needs) => needs.iter().filter_map(id).collect(),
        need => id(need).into_iter().collect(),
    }
}

/// How far what is pasted moves from where it stood: to where it was dropped, or a little aside.
fn shift(source: &Source<'_>, new: &[Entry], new_notes: &[Entry], at: Option<[f64; 2]>) -> [f64; 2] {
    let places: Vec<[f64; 2]> = places(source, new)
        .into_values()
        .chain(new_notes.iter().map(|(_, note)| notes::place_of(&note.to_json())))
        .collect();
    let least = |axis: usize| places.iter().map(|place| place[axis]).fold(f64::INFINITY, f64::min);
    match at.filter(|_| !places.is_empty()) {
        Some([x, y]) => [x - least(0), y - least(1)],
        None => [SHIFT, SHIFT],
    }
}

/// Where the copied nodes stood, as far as that is written.
fn places(source: &Source<'_>, new: &[Entry]) -> BTreeMap<String, [f64; 2]> {
    let layout = get(&source.root, "layout").map(entries).unwrap_or_default();
    let number = |value: &Value, index: usize| value.get(index).and_then(Value::as_f64).unwrap_or_default();
    let is_new = |id: &str| new.iter().any(|(key, _)| key.value == id);
    layout
        .iter()
        .filter(|(key, _)| is_new(&key.value))
        .map(|(key, value)| {
            let value = value.to_json();
            (key.value.clone(), [number(&value, 0), number(&value, 1)])
        })
        .collect()
}

fn positions(source: &Source<'_>, new: &[Entry], shift: [f64; 2], at: Option<[f64; 2]>) -> BTreeMap<String, [f64; 2]> {
    let places = places(source, new);
    if places.is_empty() {
        // Nothing says where they stood: one below the other, from where they were dropped.
        let Some([x, y]) = at else { return BTreeMap::new() };
        let rows = (0u32..).map(|row| [x, y + f64::from(row) * 120.0]);
        return new.iter().map(|(key, _)| key.value.clone()).zip(rows).collect();
    }
    places.into_iter().map(|(id, [x, y])| (id, [x + shift[0], y + shift[1]])).collect()
}
