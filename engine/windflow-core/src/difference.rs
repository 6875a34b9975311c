//! What differs between two documents, as people speak of workflows: which nodes, and what beside them.

use serde_json::{Map, Value};

use crate::yaml;

/// What differs; each list in the order of the document that has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Nodes that only the new one has.
    pub added: Vec<String>,
    /// Nodes that only the old one has.
    pub removed: Vec<String>,
    /// Nodes that say something else.
    pub changed: Vec<String>,
    /// Other keys of the document that say something else. Where nodes are drawn is none of them.
    pub keys: Vec<String>,
}

/// Holds two documents against each other by what they say: comments, order and quotes are no difference. What cannot be read
/// says nothing.
#[must_use]
pub fn between(old: &str, new: &str) -> Difference {
    let (mut old, mut new) = (keys(old), keys(new));
    let (old_nodes, new_nodes) = (nodes(&mut old), nodes(&mut new));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let only_old = old.keys().filter(|key| !new.contains_key(*key));
    Difference {
        added: new_nodes.keys().filter(|id| !old_nodes.contains_key(*id)).cloned().collect(),
        removed: old_nodes.keys().filter(|id| !new_nodes.contains_key(*id)).cloned().collect(),
        changed: new_nodes
            .iter()
            .filter(|(id, node)| old_nodes.get(*id).is_some_and(|old| old != *node))
            .map(|(id, _)| id.clone())
            .collect(),
        keys: new.keys().filter(differs).chain(only_old).cloned().collect(),
    }
}

fn keys(text: &str) -> Map<String, Value> {
    let (root, _) = yaml::parse(text, yaml::Limits::default());
    match root.map(|root| root.to_json()) {
        Some(Value::Object(mut keys)) => {
            keys.remove("layout");
            keys
        }
        _ => Map::new(),
    }
}

fn nodes(keys: &mut Map<String, Value>) -> Map<String, Value> {
    match keys.shift_remove("nodes") {
        Some(Value::Object(nodes)) => nodes,
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
