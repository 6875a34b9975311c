//! How a value is written where the document had none: as a person would.

use serde_json::Value;

use crate::yaml;

/// A list that is written on one line is at most this long.
const MAX_INLINE: usize = 80;

/// A value in block style.
pub(super) struct Rendered {
    /// What stands on the line of its key: all of a scalar, the `|` of a longer text, nothing of a map.
    pub(super) head: String,
    /// The lines below it, as deep as the value stands.
    pub(super) lines: Vec<String>,
}

/// A value in block style, what is within it indented by `step`.
pub(super) fn block(value: &Value, step: usize) -> Rendered {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let lines = fields.iter().flat_map(|(key, value)| entry(key, value, step)).collect();
            Rendered { head: String::new(), lines }
        }
        Value::Array(items) if !is_short(items) => {
            Rendered { head: String::new(), lines: items.iter().flat_map(|value| item(value, step)).collect() }
        }
        Value::String(text) if text.contains('\n') && fits_literal(text) => literal(text),
        _ => Rendered { head: flow(value, false), lines: Vec::new() },
    }
}

/// `key: value` in block style.
pub(super) fn entry(key: &str, value: &Value, step: usize) -> Vec<String> {
    let Rendered { head, lines } = block(value, step);
    let key = scalar_text(key, false);
    let first = if head.is_empty() { format!("{key}:") } else { format!("{key}: {head}") };
    std::iter::once(first).chain(lines.into_iter().map(|line| indented(&line, step))).collect()
}

/// `- value` in block style.
pub(super) fn item(value: &Value, step: usize) -> Vec<String> {
    let Rendered { head, lines } = block(value, step);
    let mut lines = lines.into_iter();
    let first = if head.is_empty() { lines.next().unwrap_or_default() } else { head };
    std::iter::once(format!("- {first}")).chain(lines.map(|line| indented(&line, 2))).collect()
}

/// A line further to the right. Empty lines stay empty.
pub(super) fn indented(line: &str, by: usize) -> String {
    if line.is_empty() { String::new() } else { format!("{:by$}{line}", "") }
}

/// A value on one line.
pub(super) fn flow(value: &Value, within_flow: bool) -> String {
    match value {
        Value::String(text) => scalar_text(text, within_flow),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, true)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(key, value)| flow_entry(key, value)).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `key: value` on one line.
pub(super) fn flow_entry(key: &str, value: &Value) -> String {
    format!("{}: {}", scalar_text(key, true), flow(value, true))
}

fn is_short(items: &[Value]) -> bool {
    let simple = |item: &Value| match item {
        Value::String(text) => text.len() <= MAX_INLINE && !text.contains('\n'),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    };
    items.iter().all(simple) && flow(&Value::Array(items.to_vec()), false).len() <= MAX_INLINE
}

/// Whether a text can be written letter by letter below a `|`.
fn fits_literal(text: &str) -> bool {
    !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && !text.chars().any(|c| c != '\n' && is_hidden(c))
        && text.trim_end() != ""
        && text.lines().all(|line| line.trim_end() == line)
}

fn literal(text: &str) -> Rendered {
    let head = if text.ends_with('\n') { "|" } else { "|-" };
    Rendered { head: head.to_owned(), lines: text.lines().map(str::to_owned).collect() }
}

/// A text on one line, in quotes where it would mean something else without.
pub(super) fn scalar_text(text: &str, within_flow: bool) -> String {
    if is_plain(text, within_flow) {
        return text.to_owned();
    }
    // Expressions stand in the document letter by letter, so that their parts have places of their own.
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(is_hidden) {
        return format!("'{text}'");
    }
    double_quoted(text)
}

pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_hidden(c) => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What nobody sees in a text, or what a parser takes for the end of a line.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text means itself without quotes, to us and to readers of older YAML.
fn is_plain(text: &str, within_flow: bool) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '/' | '.' | '<' | '('));
    let word = text.to_ascii_lowercase();
    first
        && yaml::is_text(text)
        && !matches!(word.as_str(), "y" | "n" | "yes" | "no" | "on" | "off")
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(" -")
        && !text.ends_with(['-', '?'])
        && !text.contains("${{")
        && !text.chars().any(is_hidden)
        && !(within_flow && text.contains([',', '[', ']', '{', '}', ':']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn document(value: &Value) -> String {
        entry("k", value, 2).join("\n") + "\n"
    }

    #[track_caller]
    fn check(value: &Value, text: &str) {
        assert_eq!(document(value), text);
    }

    #[test]
    fn values_are_written_as_a_person_would() {
        check(
            &json!({ "uses": "http@1", "with": { "url": "https://a.example/x?y=1" } }),
            "k:\n  uses: http@1\n  with:\n    url: https://a.example/x?y=1\n",
        );
        check(&json!(["a", "b.false"]), "k: [a, b.false]\n");
        check(&json!([{ "a": 1, "b": [] }, { "a": null }]), "k:\n  - a: 1\n    b: []\n  - a: null\n");
        check(&json!("one\ntwo\n"), "k: |\n  one\n  two\n");
        check(&json!("${{ nodes.a.output == \"x\" }}"), "k: '${{ nodes.a.output == \"x\" }}'\n");
        check(&json!("no"), "k: \"no\"\n");
        check(&json!("5m"), "k: \"5m\"\n");
        check(&json!(""), "k: \"\"\n");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z0-9:#,\\[\\]{}'\"\\\\|>&*!%@` \n\t.-]{0,20}",
            any::<String>(),
            Just("null".to_owned()),
            Just("1e3".to_owned()),
            Just("~".to_owned())
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9f64).prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().filter(|(key, _)| key != "<<").collect()))
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_json()) {
            for text in [document(&value), format!("{}\n", flow_entry("k", &value)), format!("k:\n{}\n", item(&value, 2).join("\n"))] {
                let (node, problems) = yaml::parse(&text, yaml::Limits::default());
                let read = node.map(|node| node.to_json());
                let expected = if text.starts_with("k:\n-") { json!([value]) } else { value.clone() };
                prop_assert_eq!(read.as_ref().and_then(|read| read.get("k")), Some(&expected), "{}\n{:?}", text, problems);
            }
        }
    }
}
