//! Anchors, aliases and merge keys, for documents of others that have them (Compose files). Our own refuse them.

use std::collections::{HashMap, HashSet};

use super::{Kind, Node};
use crate::place::Spanned;
use crate::problem::Problem;

/// What anchors name, with the number of values in it.
#[derive(Default)]
pub(super) struct Anchors(HashMap<usize, (Node, usize)>);

impl Anchors {
    /// Keeps a value that has an anchor. Anchor 0 is none.
    pub(super) fn keep(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.0.insert(anchor, (node.clone(), size(node)));
        }
    }

    pub(super) fn get(&self, anchor: usize) -> Option<(&Node, usize)> {
        self.0.get(&anchor).map(|(node, size)| (node, *size))
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(entries) => entries.iter().map(|(_, value)| 1 + size(value)).sum(),
    }
}

/// Resolves `<<`: what it brings stands behind what the map says itself, and an earlier one before a later one.
pub(super) fn merge(
    entries: Vec<(Spanned<String>, Node)>,
    problems: &mut Vec<Problem>,
) -> Vec<(Spanned<String>, Node)> {
    if entries.iter().all(|(key, _)| key.value != "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key.value == "<<");
    let mut keys: HashSet<String> = own.iter().map(|(key, _)| key.value.clone()).collect();
    for (_, value) in merges {
        let sources = match value.kind {
            Kind::List(items) => items,
            kind => vec![Node { place: value.place, kind }],
        };
        for source in sources {
            let Kind::Map(brought) = source.kind else {
                let message = format!("`<<` merges maps, but this is {}", source.what());
                problems.push(Problem::error("merge", &source.place, message).remedy("name a map, or a list of maps"));
                continue;
            };
            own.extend(brought.into_iter().filter(|(key, _)| keys.insert(key.value.clone())));
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::yaml::{Limits, parse};

    fn limits() -> Limits {
        Limits { aliases: true, ..Limits::default() }
    }

    #[test]
    fn aliases_and_merges_mean_what_they_do_elsewhere() {
        let text = "x: &x { a: 1, b: 2 }\ny: { <<: *x, b: 3 }\nz: { <<: [{ c: 4 }, *x] }\nw: *x\n";
        let (node, problems) = parse(text, limits());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(
            node.unwrap().to_json(),
            json!({ "x": { "a": 1, "b": 2 }, "y": { "b": 3, "a": 1 }, "z": { "c": 4, "a": 1, "b": 2 }, "w": { "a": 1, "b": 2 } })
        );
    }

    #[test]
    fn a_short_text_does_not_become_an_endless_one() {
        let mut text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for n in 1..12 {
            let uses = format!("*a{}, ", n - 1).repeat(10);
            text += &format!("a{n}: &a{n} [{uses}]\n");
        }
        let (node, problems) = parse(&text, limits());
        assert!(node.is_none() && problems[0].code == "too_many_values", "{problems:?}");
        let (_, problems) = parse("a: &a [*a]\nb: { <<: 1 }\n", limits());
        assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["alias", "merge"]);
    }
}
