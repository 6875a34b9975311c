//! Whether JSON fits a schema: as much of JSON Schema as answers of models are asked for. A whole validator would be several
//! times as large as the rest of this plugin.

use windflow_sdk::serde_json::{Value, from_str};
use windflow_sdk::{Json, NodeError};

/// What restricts, and is checked here.
const CHECKED: [&str; 18] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "$defs",
];

/// What says something without restricting.
const PASSED_OVER: [&str; 10] =
    ["$schema", "$id", "title", "description", "default", "examples", "format", "deprecated", "$comment", "readOnly"];

/// Deeper schemas and answers are refused.
const DEPTH: usize = 64;

/// The most problems that are told.
const PROBLEMS: usize = 8;

/// Checks answers.
pub(crate) struct Checker<'a>(&'a Value);

impl<'a> Checker<'a> {
    /// Looks through the schema, so that nothing in it is silently not checked.
    pub(crate) fn new(schema: &'a Value) -> Result<Self, NodeError> {
        understood(schema, 0).map_err(|problem| NodeError::new("invalid_config", format!("`schema`: {problem}")))?;
        Ok(Self(schema))
    }

    /// The JSON in a model's text, if it fits; else what is wrong.
    pub(crate) fn read(&self, text: &str) -> Result<Json, Vec<String>> {
        let Some((text, value)) = find(text) else { return Err(vec!["it is no JSON".to_owned()]) };
        let mut problems = Vec::new();
        self.check(self.0, &value, "", 0, &mut problems);
        if problems.is_empty() {
            return Json::from_text(text.to_owned()).map_err(|error| vec![error.message]);
        }
        problems.truncate(PROBLEMS);
        Err(problems)
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, depth: usize, problems: &mut Vec<String>) {
        let mut wrong = |problem: String| {
            if problems.len() < PROBLEMS {
                problems.push(if at.is_empty() { problem } else { format!("{at}: {problem}") });
            }
        };
        if depth > DEPTH {
            return wrong("it is nested too deep".to_owned());
        }
        if *schema == Value::Bool(false) {
            return wrong("nothing may be here".to_owned());
        }
        let kinds =
            schema["type"].as_array().cloned().unwrap_or_else(|| schema.get("type").cloned().into_iter().collect());
        if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind.as_str().unwrap_or_default(), value)) {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            return wrong(format!("it is not of the type {}", kinds.join(" or ")));
        }
        if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
            wrong(format!("it is none of {}", schema["enum"]));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            wrong(format!("it is not {}", schema["const"]));
        }
        let size = match value {
            Value::String(text) => Some((text.chars().count(), "minLength", "maxLength", "characters")),
            Value::Array(items) => Some((items.len(), "minItems", "maxItems", "items")),
            _ => None,
        };
        if let Some((size, least, most, what)) = size {
            let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
            if bound(least).is_some_and(|least| size < least) || bound(most).is_some_and(|most| size > most) {
                wrong(format!("it has {size} {what}"));
            }
        }
        if let Some(number) = value.as_f64() {
            let below = schema["minimum"].as_f64().is_some_and(|least| number < least);
            if below || schema["maximum"].as_f64().is_some_and(|most| number > most) {
                wrong(format!("{number} is out of its range"));
            }
        }
        if let Some(fields) = value.as_object() {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    wrong(format!("`{name}` is missing"));
                }
            }
            for (name, value) in fields {
                let below = format!("{at}/{name}");
                if let Some(schema) = schema["properties"].get(name) {
                    self.check(schema, value, &below, depth + 1, problems);
                } else if let Some(schema) = schema.get("additionalProperties") {
                    self.check(schema, value, &below, depth + 1, problems);
                }
            }
        }
        if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
            for (index, value) in items.iter().enumerate() {
                self.check(schema, value, &format!("{at}/{index}"), depth + 1, problems);
            }
        }
        self.combined(schema, value, at, depth, problems);
    }

    fn combined(&self, schema: &Value, value: &Value, at: &str, depth: usize, problems: &mut Vec<String>) {
        for schema in schema["allOf"].as_array().into_iter().flatten() {
            self.check(schema, value, at, depth + 1, problems);
        }
        if let Some(target) = schema["$ref"].as_str().and_then(|name| self.target(name)) {
            self.check(target, value, at, depth + 1, problems);
        }
        for (name, only_one) in [("anyOf", false), ("oneOf", true)] {
            let Some(all) = schema[name].as_array() else { continue };
            let fits = |schema: &&Value| {
                let mut problems = Vec::new();
                self.check(schema, value, at, depth + 1, &mut problems);
                problems.is_empty()
            };
            let fitting = all.iter().filter(fits).count();
            if fitting == 0 || (only_one && fitting > 1) {
                problems.push(format!("{at}: it fits {fitting} of the alternatives of `{name}`"));
            }
        }
    }

    fn target(&self, reference: &str) -> Option<&'a Value> {
        if reference == "#" { Some(self.0) } else { self.0["$defs"].get(reference.strip_prefix("#/$defs/")?) }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

/// Models like to put a word before JSON, and a fence around it.
fn find(text: &str) -> Option<(&str, Value)> {
    let text = text.trim();
    if let Ok(value) = from_str(text) {
        return Some((text, value));
    }
    let begin = text.find(['{', '['])?;
    let end = text.rfind(['}', ']'])?;
    let inner = text.get(begin..=end)?;
    from_str(inner).ok().map(|value| (inner, value))
}

fn understood(schema: &Value, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err("it is nested too deep".to_owned());
    }
    let fields = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(fields) => fields,
        _ => return Err("a schema is an object".to_owned()),
    };
    for (name, value) in fields {
        if !CHECKED.contains(&name.as_str()) && !PASSED_OVER.contains(&name.as_str()) {
            return Err(format!("`{name}` is not checked here; leave it out, or check the output with a later node"));
        }
        let schemas: Vec<&Value> = match (name.as_str(), value) {
            ("properties" | "$defs", Value::Object(all)) => all.values().collect(),
            ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => all.iter().collect(),
            ("items" | "additionalProperties", value) => vec![value],
            ("$ref", Value::String(to)) if to == "#" || to.starts_with("#/$defs/") => Vec::new(),
            ("$ref", _) => return Err("`$ref` may lead to `#/$defs/…` only".to_owned()),
            _ => Vec::new(),
        };
        schemas.into_iter().try_for_each(|schema| understood(schema, depth + 1))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, text: &str, expect: &[&str]) {
        let problems = Checker::new(schema).unwrap().read(text).err().unwrap_or_default();
        assert_eq!(problems, expect, "{text}");
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let task = json!({ "type": "object", "properties": { "name": { "type": "string", "minLength": 1, "maxLength": 5 }, "days": { "type": "integer", "minimum": 1 } }, "required": ["name"], "additionalProperties": false });
        let schema = json!({ "type": "object", "properties": { "tasks": { "type": "array", "items": { "$ref": "#/$defs/task" }, "minItems": 1 }, "state": { "enum": ["on", "off"] }, "who": { "type": ["string", "null"] } }, "required": ["tasks"], "$defs": { "task": task } });
        check(&schema, r#"{"tasks":[{"name":"a","days":2.0}],"state":"on","who":null}"#, &[]);
        check(&schema, "Here it is:\n```json\n{\"tasks\":[{\"name\":\"a\"}]}\n```", &[]);
        check(
            &schema,
            r#"{"tasks":[{"name":"","days":0,"x":1},{"name":"toolong"}],"state":"of","who":1}"#,
            &[
                "/tasks/0/name: it has 0 characters",
                "/tasks/0/days: 0 is out of its range",
                "/tasks/0/x: nothing may be here",
                "/tasks/1/name: it has 7 characters",
                "/state: it is none of [\"on\",\"off\"]",
                "/who: it is not of the type string or null",
            ],
        );
        check(&schema, "[]", &["it is not of the type object"]);
        check(&schema, "{}", &["`tasks` is missing"]);
        check(&schema, "I cannot do that.", &["it is no JSON"]);
        check(
            &json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }),
            "1",
            &[": it fits 2 of the alternatives of `oneOf`"],
        );
        check(
            &json!({ "anyOf": [{ "const": 1 }, { "type": "string" }] }),
            "2",
            &[": it fits 0 of the alternatives of `anyOf`"],
        );
    }

    #[test]
    fn nothing_is_silently_not_checked() {
        for (schema, says) in [
            (json!({ "type": "object", "properties": { "a": { "pattern": "^a" } } }), "`pattern` is not checked"),
            (json!({ "$ref": "https://example.org/a" }), "`#/$defs/…` only"),
            (json!([]), "an object"),
        ] {
            let error = Checker::new(&schema).err().unwrap();
            assert!(error.message.contains(says), "{error}");
        }
        // A schema that leads to itself ends all the same.
        check(&json!({ "$ref": "#" }), "1", &["it is nested too deep"]);
    }
}
