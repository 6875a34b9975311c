//! JSON Schemas: of configurations, inputs and outputs.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use self::bounds::check_bounds;
pub use self::secret::secrets;
use crate::expression::{Field, Kind, Template};

mod bounds;
mod secret;

/// The most that a compiled pattern may take.
const PATTERN_BYTES: usize = 4 << 20;

/// Steps back that a pattern may take before the value counts as not fitting it.
const PATTERN_STEPS: usize = 100_000;

/// A compiled schema.
pub struct Checker(jsonschema::Validator);

/// A schema that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no JSON Schema: {0}")]
pub struct InvalidSchema(String);

/// A schema that is compiled when it is first needed, and once. Clones share it. It is no part of what a value is.
#[derive(Debug, Clone, Default)]
pub struct CompiledOnce(Arc<OnceLock<Result<Checker, InvalidSchema>>>);

impl CompiledOnce {
    /// The schema, compiled.
    ///
    /// # Errors
    /// When it is none.
    pub fn get(&self, schema: &Value) -> Result<&Checker, &InvalidSchema> {
        self.0.get_or_init(|| Checker::new(schema)).as_ref()
    }
}

impl PartialEq for CompiledOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Where and why a value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// JSON Pointer to the part that does not fit.
    pub path: String,
    /// Why.
    pub message: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.path, self.message) }
    }
}

/// Where and why a value does not fit, with what is needed to say it well.
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) message: String,
    /// Keys that the schema does not know.
    pub(crate) unexpected: Vec<String>,
    /// A key that the schema wants.
    pub(crate) missing: Option<String>,
    /// Whether it says that none, or several, of some alternatives fit.
    pub(crate) is_choice: bool,
}

/// Violations that are told of one value.
const MAX_VIOLATIONS: usize = 100;

impl Checker {
    /// Every way in which a value does not fit.
    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        use jsonschema::error::ValidationErrorKind as Is;
        self.0
            .iter_errors(value)
            .take(MAX_VIOLATIONS)
            .map(|error| {
                let (unexpected, missing, is_choice) = match error.kind() {
                    Is::AdditionalProperties { unexpected } | Is::UnevaluatedProperties { unexpected } => {
                        (unexpected.clone(), None, false)
                    }
                    Is::Required { property } => (Vec::new(), property.as_str().map(str::to_owned), false),
                    Is::AnyOf { .. } | Is::OneOfNotValid { .. } | Is::OneOfMultipleValid { .. } | Is::Not { .. } => {
                        (Vec::new(), None, true)
                    }
                    _ => (Vec::new(), None, false),
                };
                let message = describe(&error);
                Violation { path: error.instance_path().to_string(), message, unexpected, missing, is_choice }
            })
            .collect()
    }

    /// Compiles a schema. It may reference its own parts only.
    ///
    /// # Errors
    /// When it is no schema of JSON Schema 2020-12, or asks for [too much](check_bounds).
    pub fn new(schema: &Value) -> Result<Self, InvalidSchema> {
        check_bounds(schema)?;
        let patterns = jsonschema::PatternOptions::fancy_regex()
            .backtrack_limit(PATTERN_STEPS)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES);
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_pattern_options(patterns)
            .build(schema)
            .map(Self)
            .map_err(|error| InvalidSchema(error.to_string()))
    }

    /// Holds a value against the schema.
    ///
    /// # Errors
    /// Every part that does not fit.
    pub fn check(&self, value: &Value) -> Result<(), Vec<SchemaError>> {
        if self.0.is_valid(value) {
            return Ok(());
        }
        Err(self
            .0
            .iter_errors(value)
            .take(MAX_VIOLATIONS)
            .map(|error| SchemaError { path: error.instance_path().to_string(), message: describe(&error) })
            .collect())
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checker")
    }
}

/// A violation in words. Values that come from outside can be long; what is told of them is not.
fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    let text = error.to_string();
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A part of a schema, or what it refers to within the schema.
pub(crate) fn followed<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    let reference = part.get("$ref").and_then(Value::as_str);
    reference.and_then(|reference| schema.pointer(reference.trim_start_matches('#'))).unwrap_or(part)
}

/// The alternatives of a part of a schema, where it has some.
pub(crate) fn choices<'a>(schema: &'a Value, part: &'a Value) -> impl Iterator<Item = &'a Value> {
    let part = followed(schema, part);
    let list = ["oneOf", "anyOf"].into_iter().find_map(|key| part.get(key).and_then(Value::as_array));
    list.into_iter().flatten().map(move |one| followed(schema, one))
}

/// What a part of a schema takes, where it lists that: words as they are, objects as `{ key: … }`, others by their type.
#[must_use]
pub fn alternatives(schema: &Value, part: &Value) -> Vec<String> {
    /// Alternatives may hold further ones, as those of what may be left out do; and schemas of strangers may refer to themselves.
    const DEPTH: usize = 4;
    listed(schema, part, DEPTH)
}

fn listed(schema: &Value, part: &Value, depth: usize) -> Vec<String> {
    let part = followed(schema, part);
    if let Some(words) = part.get("enum").and_then(Value::as_array) {
        return words.iter().map(word).collect();
    }
    let each = |one: &Value| {
        if let Some(only) = one.get("const") {
            return vec![word(only)];
        }
        if one.get("enum").is_some() {
            return one["enum"].as_array().into_iter().flatten().map(word).collect();
        }
        let required: Vec<_> = one.get("required").and_then(Value::as_array).into_iter().flatten().map(word).collect();
        match one.get("type").and_then(Value::as_str) {
            Some("object") if !required.is_empty() => {
                vec![format!("{{ {} }}", required.iter().map(|key| format!("{key}: …")).collect::<Vec<_>>().join(", "))]
            }
            Some("null") => vec!["null".to_owned()],
            Some(kind) => vec![format!("{} {kind}", if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" })],
            None if depth > 0 => listed(schema, one, depth - 1),
            None => Vec::new(),
        }
    };
    choices(schema, part).flat_map(each).collect()
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A node's configuration with the defaults of its type's schema, where they are expressions (`${{ input }}`) and the
/// field is absent. Other defaults are the plugin's own business.
#[must_use]
pub fn fill_defaults(with: &Template, schema: &Value) -> Template {
    let mut filled = with.clone();
    let Kind::Map(fields) = &mut filled.kind else { return filled };
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(default) =
            field.get("default").filter(|default| default.as_str().is_some_and(|text| text.contains("${{")))
        else {
            continue;
        };
        if let (false, Ok(value)) = (fields.contains_key(name), Template::from_json(default, &with.place)) {
            fields.insert(name.clone(), Field { key: with.place.clone(), value });
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn alternatives_of_a_schema_that_refers_to_itself_end() {
        let schema = json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "const": "x" }] } } });
        let found = alternatives(&schema, &json!({ "$ref": "#/$defs/a" }));
        assert!(found.iter().all(|one| one == "x") && found.len() < 10, "{found:?}");
    }

    #[test]
    fn alternatives_are_what_can_be_written() {
        let schema = json!({ "$defs": { "set": { "type": "object", "required": ["set"] } } });
        for (part, expect) in [
            (json!({ "enum": ["a", 1] }), vec!["a", "1"]),
            (
                json!({ "oneOf": [{ "const": "get" }, { "$ref": "#/$defs/set" }, { "type": "integer" }] }),
                vec!["get", "{ set: … }", "an integer"],
            ),
            (json!({ "anyOf": [{ "enum": ["x", "y"] }, { "type": "null" }] }), vec!["x", "y", "null"]),
            (
                json!({ "anyOf": [{ "oneOf": [{ "const": "day" }, { "$ref": "#/$defs/set" }] }, { "type": "null" }] }),
                vec!["day", "{ set: … }", "null"],
            ),
            (json!({ "type": "string" }), vec![]),
        ] {
            assert_eq!(alternatives(&schema, &part), expect, "{part}");
        }
    }

    use super::*;
    use crate::place::Place;

    #[test]
    fn defaults_that_are_expressions_are_filled_in() {
        let schema =
            json!({ "properties": { "input": { "default": "${{ input }}" }, "level": { "default": "info" } } });
        let with = Template::empty_map(&Place::default());
        let filled = fill_defaults(&with, &schema);
        assert_eq!(filled.keys().collect::<Vec<_>>(), ["input"]);
        assert!(!filled.is_literal());
        let given = Template::from_json(&json!({ "input": 1 }), &Place::default()).unwrap();
        assert!(fill_defaults(&given, &schema).is_literal());
    }

    #[test]
    fn values_are_held_against_schemas() {
        let checker =
            Checker::new(&json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } } }))
                .unwrap();
        assert!(checker.check(&json!({ "a": 1 })).is_ok());
        let errors = checker.check(&json!({ "a": "x".repeat(1000) })).unwrap_err();
        assert_eq!(errors[0].path, "/a");
        assert!(errors[0].message.len() < 400);
        assert!(Checker::new(&json!({ "type": 7 })).is_err());
    }
}
