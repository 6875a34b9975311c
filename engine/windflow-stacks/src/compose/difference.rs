//! What differs between two documents, as people speak of stacks: which services, and what beside them.

use windflow_core::difference::{self, Difference};

use super::limits;

/// Holds two documents against each other by what they say: comments, order and quotes are no difference, and an anchor is what it stands
/// for. What cannot be read says nothing. The parts are services.
#[must_use]
pub fn difference(old: &str, new: &str) -> Difference {
    difference::of(difference::keys(old, limits()), difference::keys(new, limits()), "services")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_other_keys_are_told_apart_by_what_they_say() {
        let old = "name: a\nx-log: &log { driver: json-file }\nservices:\n  web: { image: a, logging: *log }\n  db: { image: b }\n";
        let same = "x-log: &log {driver: 'json-file'} # said otherwise\nservices:\n  db:\n    image: b\n  web: { logging: *log, image: a }\nname: a\n";
        assert_eq!(difference(old, same), Difference::default());
        let new = "name: a\nservices:\n  web: { image: a, logging: { driver: local } }\n  queue: { image: c }\nvolumes: { v: {} }\n";
        let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let Difference { added, removed, changed, keys } = difference(old, new);
        assert_eq!(
            (added, removed, changed, keys),
            (of(&["queue"]), of(&["db"]), of(&["web"]), of(&["volumes", "x-log"]))
        );
        assert_eq!(difference("", old).added, of(&["web", "db"]));
        assert_eq!(difference("{ [", "- a"), Difference::default());
    }
}
