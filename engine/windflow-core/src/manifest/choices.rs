//! What a field of a configuration can be.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a schema lets choose from, wherever within it: values by themselves, maps of one key by that, everything else by its type. True: the schema describes it.
#[must_use]
pub fn choices(schema: &Value) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    collect(schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut BTreeMap<String, bool>) {
    let Value::Object(map) = schema else { return };
    for cases in ["oneOf", "anyOf"].into_iter().filter_map(|word| map.get(word)?.as_array()) {
        let cases: Vec<_> = cases.iter().filter(|case| case["type"] != "null").collect();
        // What may be null is no choice: it is left out.
        for case in cases.iter().filter(|_| cases.len() > 1) {
            let is_described = case.get("description").is_some();
            names(case).into_iter().for_each(|name| *found.entry(name).or_default() |= is_described);
        }
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
    }
}
