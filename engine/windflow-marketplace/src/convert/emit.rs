//! JSON as YAML that people like to read.

use std::fmt::Write as _;

use serde_json::Value;
use windflow_core::yaml;

/// A value in block style.
pub(super) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let _ = write!(out, "{indent}{}:", text(key));
                inner(value, depth + 1, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(out, "{indent}-");
                // What is in a list is short: a line each.
                if is_nested(item) {
                    let _ = writeln!(out, " {item}");
                } else {
                    inner(item, depth + 1, out);
                }
            }
        }
        other => {
            let _ = writeln!(out, "{indent}{}", scalar(other));
        }
    }
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn inner(value: &Value, depth: usize, out: &mut String) {
    if is_nested(value) {
        out.push('\n');
        block(value, depth, out);
    } else {
        let _ = writeln!(out, " {}", scalar(value));
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        other => other.to_string(),
    }
}

/// A text, in quotes where it could mean something else. A JSON string is one in YAML, too.
fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_plain =
        text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain) && yaml::is_text(text);
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "services": { "web": { "image": "nginx:${TAG}", "command": ["a", "- b", "", "#c", "true", "1"], "labels": {},
                "environment": { "A": "x: y\n  z", "on": "no", "é": "\"'", "N": 1.5, "Z": null } } },
            "list": [{ "a": [1, { "b": "c" }] }, []],
        });
        let (node, problems) = yaml::parse(&yaml(&value), yaml::Limits::default());
        assert!(problems.is_empty(), "{problems:?}\n{}", yaml(&value));
        assert_eq!(node.unwrap().to_json(), value);
        assert_eq!(yaml(&json!({ "a": { "b": ["c"] } })), "a:\n  b:\n    - c\n");
    }
}
