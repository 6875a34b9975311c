//! Which parts of a value its schema calls secret.

use serde_json::Value;

/// Schemas within each other that are looked into.
const MAX_DEPTH: usize = 32;

/// The parts of a value that its schema marks with `format: password` or `writeOnly: true`, each with the names that lead to it.
#[must_use]
pub fn secrets<'a>(schema: &Value, value: &'a Value) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    collect(schema, value, String::new(), MAX_DEPTH, &mut found);
    found
}

fn collect<'a>(schema: &Value, value: &'a Value, path: String, depth: usize, found: &mut Vec<(String, &'a Value)>) {
    if depth == 0 || value.is_null() {
        return;
    }
    let is_password = schema.get("format").and_then(Value::as_str) == Some("password");
    if is_password || schema.get("writeOnly") == Some(&Value::Bool(true)) {
        found.push((path, value));
        return;
    }
    match value {
        Value::Object(fields) => {
            let properties = schema.get("properties");
            for (name, value) in fields {
                let of = properties.and_then(|all| all.get(name)).or_else(|| schema.get("additionalProperties"));
                let within = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if let Some(schema) = of {
                    collect(schema, value, within, depth - 1, found);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, value) in items.iter().enumerate() {
                collect(schema, value, format!("{path}.{index}"), depth - 1, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_at_any_depth() {
        let schema = json!({ "properties": {
            "token": { "type": "string", "format": "password" },
            "user": { "properties": { "name": { "type": "string" }, "pin": { "type": "integer", "writeOnly": true } } },
            "keys": { "items": { "format": "password" } },
            "map": { "additionalProperties": { "writeOnly": true } },
        } });
        let value = json!({ "token": "t", "user": { "name": "ada", "pin": 7 }, "keys": ["a", null], "map": { "x": { "y": 1 } }, "more": "m" });
        let mut found: Vec<_> = secrets(&schema, &value).into_iter().map(|(at, value)| (at, value.clone())).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let expected =
            [("keys.0", json!("a")), ("map.x", json!({ "y": 1 })), ("token", json!("t")), ("user.pin", json!(7))];
        assert_eq!(found, expected.map(|(at, value)| (at.to_owned(), value)));
    }
}
