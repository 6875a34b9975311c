//! What a field of a configuration can be, and which fields it has itself.

use std::collections::BTreeMap;

use serde_json::Value;

/// One of those that a schema lets choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// A value by itself, a map of one key by that, everything else by its type.
    pub name: String,
    /// Whether the schema says what it means.
    pub is_described: bool,
    /// It is a value and nothing else: forms offer it as it is written.
    pub is_value: bool,
}

/// What a schema itself lets choose from. What may be null is no choice: it is left out.
#[must_use]
pub fn variants(schema: &Value) -> Vec<Choice> {
    let mut found = Vec::new();
    for word in ["oneOf", "anyOf"] {
        let cases = schema.get(word).and_then(Value::as_array).into_iter().flatten();
        let cases: Vec<_> = cases.filter(|case| case["type"] != "null").collect();
        let is_value = cases.iter().all(|case| case.get("const").is_some() || case["enum"].is_array());
        for case in cases.iter().filter(|_| cases.len() > 1) {
            let is_described = case.get("description").is_some();
            found.extend(names(case).into_iter().map(|name| Choice { name, is_described, is_value }));
        }
    }
    found
}

/// What a schema lets choose from, wherever within it. True: the schema describes it.
#[must_use]
pub fn choices(schema: &Value) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    collect(schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut BTreeMap<String, bool>) {
    let Value::Object(map) = schema else { return };
    for choice in variants(schema) {
        *found.entry(choice.name).or_default() |= choice.is_described;
    }
    for value in map.values() {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            value => collect(value, found),
        }
    }
}

fn names(case: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(value) = case.get("const") {
        return text(value).into_iter().collect();
    }
    if let Some(values) = case.get("enum").and_then(Value::as_array) {
        return values.iter().filter_map(text).collect();
    }
    match case.get("properties").and_then(Value::as_object).filter(|properties| properties.len() == 1) {
        Some(properties) => properties.keys().cloned().collect(),
        None => case.get("type").and_then(text).into_iter().collect(),
    }
}

/// Where a schema says what a value is made of, beside `properties`.
const PARTS: [&str; 7] =
    ["oneOf", "anyOf", "allOf", "items", "prefixItems", "additionalProperties", "patternProperties"];

/// The fields that a field has itself: those of a map, of each of several that it can be, and of the entries of a list or a map, but not
/// those within them. One name can stand for several, where it can be several maps.
#[must_use]
pub fn inner(schema: &Value) -> BTreeMap<&str, Vec<&Value>> {
    let mut found = BTreeMap::new();
    gather(schema, &mut found);
    found
}

fn gather<'a>(schema: &'a Value, found: &mut BTreeMap<&'a str, Vec<&'a Value>>) {
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        found.entry(name).or_default().push(field);
    }
    for (word, part) in PARTS.into_iter().filter_map(|word| Some((word, schema.get(word)?))) {
        match part {
            Value::Array(parts) => parts.iter().for_each(|part| gather(part, found)),
            Value::Object(parts) if word == "patternProperties" => parts.values().for_each(|part| gather(part, found)),
            part => gather(part, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_maps_of_one_key_and_types_are_named() {
        let schema = json!({ "oneOf": [
            { "const": "stop", "description": "Stops it." },
            { "enum": ["a", "b"] },
            { "type": "object", "properties": { "run": {
                "type": "object",
                "properties": { "pull": { "anyOf": [{ "oneOf": [{ "const": "always", "description": "Each time." }, { "const": "never" }] }, { "type": "null" }] } },
            } }, "description": "Runs it." },
            { "type": "array", "items": { "type": "string" }, "description": "Several." },
        ] });
        let found = choices(&schema);
        let described: Vec<_> = found.iter().filter(|(_, is)| **is).map(|(name, _)| name.as_str()).collect();
        assert_eq!(described, ["always", "array", "run", "stop"]);
        assert_eq!(
            found.keys().map(String::as_str).collect::<Vec<_>>(),
            ["a", "always", "array", "b", "never", "run", "stop"]
        );
        let own: Vec<_> = variants(&schema).into_iter().map(|choice| (choice.name, choice.is_value)).collect();
        assert_eq!(own, ["stop", "a", "b", "run", "array"].map(|name| (name.to_owned(), false)));
        let values = variants(&json!({ "oneOf": [{ "const": "a" }, { "enum": ["b"] }] }));
        assert!(values.len() == 2 && values.iter().all(|choice| choice.is_value));
        assert_eq!(variants(&json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })), []);
    }

    #[test]
    fn fields_are_found_in_all_that_a_field_is_made_of() {
        let map =
            |name: &str| json!({ "type": "object", "properties": { name: { "properties": { "deeper": true } } } });
        let schema = json!({
            "properties": { "own": true },
            "oneOf": [map("one"), { "type": "array", "items": map("entry") }, map("entry")],
            "anyOf": [{ "anyOf": [map("any"), { "type": "null" }] }],
            "allOf": [map("all")],
            "prefixItems": [map("first")],
            "additionalProperties": map("value"),
            "patternProperties": { "^x": map("pattern") },
        });
        let found: Vec<_> = inner(&schema).into_iter().map(|(name, fields)| (name, fields.len())).collect();
        let expect =
            [("all", 1), ("any", 1), ("entry", 2), ("first", 1), ("one", 1), ("own", 1), ("pattern", 1), ("value", 1)];
        assert_eq!(found, expect);
        assert!(inner(&json!(true)).is_empty());
    }
}
