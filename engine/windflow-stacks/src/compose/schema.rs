//! The Compose Specification's own schema, which says what a document looks like.

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind as Is;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::Value;
use windflow_core::problem::{self, Problem};

use super::document::Document;

const SCHEMA: &str = include_str!("../../schema/compose-spec.json");

fn validator() -> Option<&'static Validator> {
    static VALIDATOR: OnceLock<Option<Validator>> = OnceLock::new();
    // That it is a schema is what the tests make sure of.
    let make = || jsonschema::options().with_draft(Draft::Draft202012).build(&serde_json::from_str(SCHEMA).ok()?).ok();
    VALIDATOR.get_or_init(make).as_ref()
}

/// The code of a key that there is not.
pub(super) const UNKNOWN_KEY: &str = "unknown_key";

/// Words that a document may use as keys, for "did you mean".
fn known_keys() -> &'static [String] {
    static KEYS: OnceLock<Vec<String>> = OnceLock::new();
    fn collect(value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties") {
                    keys.extend(properties.keys().cloned());
                }
                map.values().for_each(|value| collect(value, keys));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, keys)),
            _ => {}
        }
    }
    KEYS.get_or_init(|| {
        let mut keys = Vec::new();
        collect(&serde_json::from_str(SCHEMA).unwrap_or_default(), &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    })
}

pub(super) fn check(document: &Document<'_>, problems: &mut Vec<Problem>) {
    let Some(validator) = validator() else {
        problems.push(Problem::document("schema", "the schema of Compose documents cannot be read"));
        return;
    };
    for error in validator.iter_errors(&document.json).take(100) {
        let pointer = error.instance_path().to_string();
        let path: Vec<String> =
            pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
        if let Is::AdditionalProperties { unexpected } | Is::UnevaluatedProperties { unexpected } = error.kind() {
            for key in unexpected {
                path.push(key);
                let message = format!("`{key}` is unknown here");
                let near = problem::did_you_mean(key, known_keys().iter().map(String::as_str));
                problems.push(Problem::error("unknown_key", &document.key(&path), message).remedy_if(near));
                path.pop();
            }
            continue;
        }
        problems.push(Problem::error("invalid_value", &document.place(&path), describe(&error, &path)));
    }
}

fn describe(error: &ValidationError<'_>, path: &[&str]) -> String {
    let at = if path.is_empty() { "the document".to_owned() } else { format!("`{}`", path.join(".")) };
    match error.kind() {
        Is::Required { property } => format!("{at} lacks {property}"),
        Is::Type { .. } => {
            format!("{at} is {}, which it cannot be: {}", what(error.instance()), short(&error.to_string()))
        }
        // A list of all alternatives helps nobody.
        Is::OneOfNotValid { .. } | Is::AnyOf { .. } | Is::OneOfMultipleValid { .. } => {
            format!("{at} has none of the forms that the Compose Specification allows")
        }
        _ => format!("{at}: {}", short(&error.to_string())),
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_is_one() {
        assert!(super::validator().is_some());
        assert!(super::known_keys().iter().any(|key| key == "healthcheck"));
    }
}
