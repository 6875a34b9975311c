//! Renaming nodes wherever they are named.

use std::collections::{BTreeMap, HashSet};

use super::pieces::Pieces;
use super::source::{Source, entries, get};
use super::{Change, EditError};
use crate::expression::{Expression, Target, reserved};
use crate::id::NodeId;
use crate::place::Place;
use crate::plan::dependencies;
use crate::workflow::{Node, Workflow};
use crate::yaml::{self, Kind};

/// Renames nodes, all at the same time, so that two can swap their names.
pub(super) fn rename(pieces: &mut Pieces, names: &BTreeMap<String, String>) -> Result<(), EditError> {
    let names: BTreeMap<&str, &str> =
        names.iter().filter(|(from, to)| from != to).map(|(from, to)| (&**from, &**to)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = pieces.text().to_owned();
    let source = Source::read(&text)?;
    let (Some(workflow), _) = Workflow::parse(&text) else {
        return Err(EditError::new("unreadable", "the text is no workflow yet"));
    };
    check(&source, &names)?;
    let mut renamer = Renamer { text: &text, names: &names, changes: Vec::new() };
    for section in ["nodes", "layout"] {
        for (key, _) in get(&source.root, section).map(entries).unwrap_or_default() {
            renamer.word(&key.place, &key.value);
        }
    }
    for (_, node) in get(&source.root, "nodes").map(entries).unwrap_or_default() {
        get(node, "compensate").into_iter().for_each(|by| renamer.need(by));
        match get(node, "needs").map(|needs| (&needs.kind, needs)) {
            Some((Kind::List(items), _)) => items.iter().for_each(|need| renamer.need(need)),
            Some((_, need)) => renamer.need(need),
            None => {}
        }
    }
    renamer.expressions(&workflow);
    let mut changes = renamer.changes;
    changes.sort_by_key(|change| change.from);
    changes.dedup();
    pieces.apply(changes);
    Ok(())
}

fn check(source: &Source<'_>, names: &BTreeMap<&str, &str>) -> Result<(), EditError> {
    let nodes = get(&source.root, "nodes").map(entries).unwrap_or_default();
    let exists = |id: &str| nodes.iter().any(|(key, _)| key.value == id);
    for (from, to) in names {
        if !exists(from) {
            return Err(EditError::no_such_node(from));
        }
        to.parse::<NodeId>().map_err(|error| EditError::new("invalid_name", error.to_string()))?;
        if let Some(why) = reserved(to) {
            return Err(EditError::new("invalid_name", why));
        }
        if exists(to) && !names.contains_key(to) {
            return Err(EditError::new("name_taken", format!("there is a node `{to}` already")));
        }
    }
    Ok(())
}

struct Renamer<'a> {
    text: &'a str,
    names: &'a BTreeMap<&'a str, &'a str>,
    changes: Vec<Change>,
}

impl Renamer<'_> {
    /// A name, perhaps in quotes.
    fn word(&mut self, place: &Place, name: &str) {
        if let (Some(to), Some(at)) = (self.names.get(name), self.text[place.bytes.clone()].find(name)) {
            let from = place.bytes.start + at;
            self.changes.push(Change { from, to: from + name.len(), insert: (*to).to_owned() });
        }
    }

    /// `a` or `a.port`.
    fn need(&mut self, need: &yaml::Node) {
        if let Some(name) = need.as_str().and_then(|need| need.split('.').next()) {
            self.word(&need.place, name);
        }
    }

    fn expressions(&mut self, workflow: &Workflow) {
        for node in workflow.nodes.values() {
            let of_several = reads_several(workflow, node);
            let with = node.with.expressions().into_iter();
            let items = node.for_each.iter().flat_map(|each| each.items.expressions());
            let condition = node.condition.iter().map(|condition| &condition.value);
            with.chain(items).chain(condition).for_each(|expression| self.expression(expression, of_several));
        }
        let outputs = workflow.outputs.values().flat_map(|output| output.value.expressions());
        outputs.for_each(|expression| self.expression(expression, false));
    }

    fn expression(&mut self, expression: &Expression, of_several: bool) {
        for reference in expression.references() {
            let range = reference.place.bytes.clone();
            let Some(written) = self.text.get(range.clone()) else { continue };
            let (prefix, name) = match &reference.target {
                Target::Output(id) | Target::Error(id) | Target::Status(id) | Target::Callback(id) => {
                    ("nodes", Some(id.as_str()))
                }
                // Where several nodes are needed, `input` is a map by their names.
                Target::Input if of_several => ("input", None),
                _ => continue,
            };
            let Some(rest) = written.strip_prefix(prefix) else { continue };
            let lead = rest.len() - rest.trim_start_matches(['.', '[', '"', '\'', ' ', '\\']).len();
            let rest = &rest[lead..];
            let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())];
            if lead == 0 || name.is_some_and(|name| name != word) {
                continue;
            }
            if let Some(to) = self.names.get(word) {
                let from = range.start + prefix.len() + lead;
                self.changes.push(Change { from, to: from + word.len(), insert: (*to).to_owned() });
            }
        }
    }
}

/// Whether `input` is a map by node.
fn reads_several(workflow: &Workflow, node: &Node) -> bool {
    let needs = dependencies(workflow, node).into_iter().filter(|dependency| dependency.is_need);
    needs.map(|need| need.on_node).collect::<HashSet<_>>().len() > 1
}
