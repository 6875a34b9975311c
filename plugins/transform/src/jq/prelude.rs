//! jq's definitions that are written in jq. Parsing all of them would cost more than most filters do, so a filter gets only
//! those that it names, and those that these name.

use jaq_core::load::parse::Def;

/// Each begins a line with `def`; one refers only to those above it and to itself.
static PRELUDE: &str = include_str!("prelude.jq");

/// What the syntax of jq refers to without naming it, such as `..` and string interpolation.
const IMPLICIT: [&str; 3] = ["recurse", "empty", "tostring"];

/// The definitions that a filter needs.
pub(super) fn definitions(filter: &str) -> Vec<Def<&'static str>> {
    let mut needed: Vec<&str> = IMPLICIT.to_vec();
    needed.extend(words(filter));
    let mut definitions: Vec<&'static str> = Vec::new();
    let mut end = PRELUDE.len();
    while end > 0 {
        let start = PRELUDE[..end].rfind("\ndef ").map_or(0, |before| before + 1);
        let definition = &PRELUDE[start..end];
        if words(definition).nth(1).is_some_and(|name| needed.contains(&name)) {
            needed.extend(words(definition).skip(2));
            definitions.push(definition);
        }
        end = start;
    }
    let parse = |text: &'static str| jaq_core::load::parse(text, |parser| parser.defs()).unwrap_or_default();
    definitions.into_iter().rev().flat_map(parse).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_can_be_parsed() {
        let all = definitions(PRELUDE);
        assert_eq!(all.len(), PRELUDE.lines().filter(|line| line.starts_with("def ")).count());
    }

    #[test]
    fn a_filter_gets_what_it_needs() {
        let names: Vec<_> = definitions("unique_by(.a)").iter().map(|definition| definition.name).collect();
        assert!(names.contains(&"unique_by"));
        assert!(!names.contains(&"gsub"));
    }
}
