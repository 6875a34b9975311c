//! Triggers of the document: their shape. What they mean is the server's.

use indexmap::IndexMap;

use super::Trigger;
use super::parse::templates;
use super::read::Reader;
use crate::expression::Template;
use crate::place::Spanned;
use crate::problem::{did_you_mean, list};
use crate::yaml;

/// The kinds of triggers: what `with` may hold, and what it must.
const KINDS: &[(&str, &[&str], &[&str])] = &[
    ("cron", &["schedule", "timezone", "overlap", "catch_up", "jitter"], &["schedule"]),
    ("webhook", &["path", "method", "auth", "reply"], &["path", "auth"]),
    ("event", &["name", "filter"], &["name"]),
    ("manual", &["title"], &[]),
];

pub(super) fn triggers(reader: &mut Reader, node: &yaml::Node) -> IndexMap<String, Spanned<Trigger>> {
    let mut triggers = IndexMap::new();
    let Some(fields) = reader.open_map(node, "`triggers`") else { return triggers };
    for (key, node) in fields.iter() {
        if let Some(trigger) = one(reader, node) {
            triggers.insert(key.value.clone(), Spanned::new(trigger, key.place.clone()));
        }
    }
    triggers
}

fn one(reader: &mut Reader, node: &yaml::Node) -> Option<Trigger> {
    let fields = reader.map(node, "a trigger", &["uses", "with", "inputs"])?;
    let uses_node = reader.required(&fields, "uses")?;
    let uses = reader.text(uses_node, "`uses`")?;
    let names = KINDS.iter().map(|(name, ..)| *name);
    let Some((_, known, required)) = KINDS.iter().find(|(name, ..)| *name == uses) else {
        let remedy = did_you_mean(uses, names.clone()).unwrap_or_else(|| format!("there are {}", list(names)));
        reader.error_with("unknown_trigger", &uses_node.place, format!("there is no trigger `{uses}`"), remedy);
        return None;
    };
    let with = match fields.get("with") {
        Some(node) => {
            let map = reader.map(node, "this trigger's `with`", known)?;
            for key in *required {
                reader.required(&map, key);
            }
            words(reader, &map);
            reader.template(node)
        }
        None => {
            for key in *required {
                let message = format!("the trigger `{uses}` needs `with: {{ {key}: … }}`");
                reader.error("missing_key", &uses_node.place, message);
            }
            Template::empty_map(&node.place)
        }
    };
    let inputs = fields.get("inputs").map(|node| templates(reader, node, "`inputs`")).unwrap_or_default();
    Some(Trigger { uses: Spanned::new(uses.to_owned(), uses_node.place.clone()), with, inputs })
}

fn words(reader: &mut Reader, with: &super::read::Fields<'_>) {
    let allowed: &[(&str, &[&str])] = &[
        ("overlap", &["skip", "queue", "allow"]),
        ("catch_up", &["none", "latest", "all"]),
        ("reply", &["accepted", "result"]),
        ("method", &["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ];
    for (key, words) in allowed {
        if let Some(node) = with.get(key) {
            let words: Vec<(&str, ())> = words.iter().map(|word| (*word, ())).collect();
            reader.word(node, &format!("`{key}`"), &words);
        }
    }
    if let Some(node) = with.get("jitter") {
        reader.duration(node, "`jitter`");
    }
}
