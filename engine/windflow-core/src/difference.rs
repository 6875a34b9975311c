//! What differs between two documents, as people speak of them: which parts, and what beside them.

use serde_json::{Map, Value};

use crate::yaml;

/// What differs; each list in the order of the document that has it. The parts are the nodes of a workflow, or the services of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Parts that only the new one has.
    pub added: Vec<String>,
    /// Parts that only the old one has.
    pub removed: Vec<String>,
    /// Parts that say something else.
    pub changed: Vec<String>,
    /// Other keys of the document that say something else.
    pub keys: Vec<String>,
}

/// Holds two workflows against each other by what they say: comments, order and quotes are no difference, nor is where nodes are drawn.
/// What cannot be read says nothing.
#[must_use]
pub fn between(old: &str, new: &str) -> Difference {
    let read = |text| {
        let mut keys = keys(text, yaml::Limits::default());
        keys.remove("layout");
        keys
    };
    of(read(old), read(new), "nodes")
}

/// Holds the keys of two documents against each other. The entries of one of them are the parts.
#[must_use]
pub fn of(mut old: Map<String, Value>, mut new: Map<String, Value>, parts: &str) -> Difference {
    let (old_parts, new_parts) = (take(&mut old, parts), take(&mut new, parts));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let only_old = old.keys().filter(|key| !new.contains_key(*key));
    let says_else = |name: &&String| old_parts.get(*name).is_some_and(|part| new_parts.get(*name) != Some(part));
    Difference {
        added: new_parts.keys().filter(|name| !old_parts.contains_key(*name)).cloned().collect(),
        removed: old_parts.keys().filter(|name| !new_parts.contains_key(*name)).cloned().collect(),
        changed: new_parts.keys().filter(says_else).cloned().collect(),
        keys: new.keys().filter(differs).chain(only_old).cloned().collect(),
    }
}

/// The keys at the top of a document, by what they say; none where it cannot be read.
#[must_use]
pub fn keys(text: &str, limits: yaml::Limits) -> Map<String, Value> {
    let (root, _) = yaml::parse(text, limits);
    match root.map(|root| root.to_json()) {
        Some(Value::Object(keys)) => keys,
        _ => Map::new(),
    }
}

fn take(keys: &mut Map<String, Value>, parts: &str) -> Map<String, Value> {
    match keys.shift_remove(parts) {
        Some(Value::Object(parts)) => parts,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str =
        "name: a\ntimeout: 1h\nnodes:\n  x: { uses: log@1 }\n  y: { uses: log@1 }\nlayout: { x: [0, 0] }\n";

    #[test]
    fn what_is_said_counts_and_not_how() {
        let same =
            "name: 'a' # b\ntimeout: 1h\nnodes:\n  y: {uses: log@1}\n  x:\n    uses: log@1\nlayout: { x: [9, 9] }\n";
        assert_eq!(between(OLD, same), Difference::default());
    }

    #[test]
    fn nodes_and_other_keys_are_told_apart() {
        let new = "name: a\ndescription: b\nnodes:\n  x: { uses: fail@1 }\n  z: { uses: log@1 }\n";
        let lists = |found: Difference| (found.added, found.removed, found.changed, found.keys);
        let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(lists(between(OLD, new)), (of(&["z"]), of(&["y"]), of(&["x"]), of(&["description", "timeout"])));
        assert_eq!(between("", OLD).added, of(&["x", "y"]));
        assert_eq!(between("{ [", "- a"), Difference::default());
    }
}
