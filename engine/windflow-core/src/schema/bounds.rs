//! How much work a schema may ask for. Schemas come from strangers (plugins, forms of approvals, inputs of workflows), and one of a
//! few lines can make a validator recurse for ever, or try a million millions of branches at one value.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::InvalidSchema;

/// Schemas that may be held against one value, those that it refers to included, each as often as it is referred to.
const MAX_WORK: u64 = 10_000;

/// How deep schemas for one value may lie within each other. A value may be 128 levels deep, each of which costs that much stack.
const MAX_DEPTH: usize = 16;

/// Regular expressions in a schema; each may take [`super::PATTERN_BYTES`].
const MAX_PATTERNS: usize = 100;

/// Keywords whose schema is held against the same value.
const HERE: [&str; 4] = ["not", "if", "then", "else"];
/// The same, each of a list.
const HERE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose schema is held against parts of the value.
const BELOW: [&str; 7] = [
    "items",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
/// The same, each of a map.
const BELOW_MAPS: [&str; 2] = ["properties", "patternProperties"];

/// Refuses a schema that a validator could not cope with: it refers to itself without looking deeper into the value, asks
/// for more than [`MAX_WORK`], or refers to anything but its own parts.
///
/// # Errors
/// What is wrong, in words.
pub fn check_bounds(schema: &Value) -> Result<(), InvalidSchema> {
    let mut bounds =
        Bounds { root: schema, anchors: HashMap::new(), known: HashMap::new(), below: vec![schema], patterns: 0 };
    bounds.collect(schema, true)?;
    while let Some(part) = bounds.below.pop() {
        bounds.work(part, 0)?;
    }
    Ok(())
}

struct Bounds<'a> {
    root: &'a Value,
    /// Parts by the names that they give themselves.
    anchors: HashMap<&'a str, &'a Value>,
    /// What each part that was looked at costs; none while it is being looked at.
    known: HashMap<*const Value, Option<Cost>>,
    /// Parts for other values, which are still to be looked at.
    below: Vec<&'a Value>,
    patterns: usize,
}

#[derive(Clone, Copy)]
struct Cost {
    work: u64,
    depth: usize,
}

impl<'a> Bounds<'a> {
    /// Notes anchors, and counts patterns. A value, not a schema: what looks like an anchor may be none, and is none the worse for it.
    fn collect(&mut self, part: &'a Value, is_root: bool) -> Result<(), InvalidSchema> {
        match part {
            Value::Object(fields) => {
                if !is_root && fields.get("$id").is_some_and(Value::is_string) && fields.len() > 1 {
                    return Err(wrong("has an `$id` within it: only the whole may have one"));
                }
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(name) = fields.get(key).and_then(Value::as_str)
                        && self.anchors.insert(name, part).is_some()
                    {
                        return Err(wrong(format!("has the anchor {name:?} twice")));
                    }
                }
                self.patterns += usize::from(fields.get("pattern").is_some_and(Value::is_string));
                self.patterns += fields.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len);
                if self.patterns > MAX_PATTERNS {
                    return Err(wrong(format!("has more than {MAX_PATTERNS} patterns")));
                }
                fields.values().try_for_each(|field| self.collect(field, false))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.collect(item, false)),
            _ => Ok(()),
        }
    }

    /// What it costs to hold this part against one value. Parts for what is within that value are kept for later.
    fn work(&mut self, part: &'a Value, depth: usize) -> Result<Cost, InvalidSchema> {
        let Value::Object(fields) = part else { return Ok(Cost { work: 1, depth: 1 }) };
        match self.known.get(&std::ptr::from_ref(part)) {
            Some(Some(cost)) if depth + cost.depth <= MAX_DEPTH => return Ok(*cost),
            Some(Some(_)) => return Err(too_deep()),
            Some(None) => {
                return Err(wrong("refers to itself without end: nothing of the value is looked at in between"));
            }
            None if depth >= MAX_DEPTH => return Err(too_deep()),
            None => self.known.insert(std::ptr::from_ref(part), None),
        };
        let mut cost = Cost { work: 1, depth: 0 };
        for here in self.here(fields)? {
            let one = self.work(here, depth + 1)?;
            cost = Cost { work: cost.work.saturating_add(one.work), depth: cost.depth.max(one.depth) };
            if cost.work > MAX_WORK {
                return Err(wrong(format!(
                    "asks for too much work: more than {MAX_WORK} of its parts are held against one value"
                )));
            }
        }
        cost.depth += 1;
        self.known.insert(std::ptr::from_ref(part), Some(cost));
        for below in below(fields) {
            if !self.known.contains_key(&std::ptr::from_ref(below)) {
                self.below.push(below);
            }
        }
        Ok(cost)
    }

    /// The parts that are held against the same value.
    fn here(&self, fields: &'a Map<String, Value>) -> Result<Vec<&'a Value>, InvalidSchema> {
        let mut parts: Vec<&Value> = HERE.iter().filter_map(|key| fields.get(*key)).collect();
        parts.extend(HERE_LISTS.iter().filter_map(|key| fields.get(*key)).filter_map(Value::as_array).flatten());
        parts.extend(fields.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values));
        for key in ["$ref", "$dynamicRef"] {
            if let Some(reference) = fields.get(key).and_then(Value::as_str) {
                parts.push(self.follow(reference)?);
            }
        }
        Ok(parts)
    }

    fn follow(&self, reference: &str) -> Result<&'a Value, InvalidSchema> {
        let own = self.root.get("$id").and_then(Value::as_str).map(|id| id.trim_end_matches('#'));
        let within =
            reference.strip_prefix('#').or_else(|| reference.strip_prefix(own?)?.strip_prefix('#').or(Some("")));
        let found = match within {
            Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => self.root.pointer(pointer),
            Some(anchor) => self.anchors.get(anchor).copied(),
            None => None,
        };
        found.ok_or_else(|| {
            let shown: String = reference.chars().take(100).collect();
            wrong(format!("refers to {shown:?}, which is no part of it"))
        })
    }
}

/// The parts that are held against what is within the value.
fn below(fields: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let maps = BELOW_MAPS.iter().filter_map(|key| fields.get(*key)).filter_map(Value::as_object).flat_map(Map::values);
    let items = fields.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
    BELOW.iter().filter_map(|key| fields.get(*key)).chain(maps).chain(items)
}

fn too_deep() -> InvalidSchema {
    wrong(format!("asks for too much work: its parts for one value lie more than {MAX_DEPTH} deep"))
}

fn wrong(why: impl Into<String>) -> InvalidSchema {
    InvalidSchema(format!("it {}", why.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Checker;

    fn refused(schema: &Value, says: &str) {
        let error = check_bounds(schema).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(Checker::new(schema).is_err(), "{schema}");
    }

    #[test]
    fn a_circle_at_one_value_is_refused() {
        refused(&json!({ "$ref": "#" }), "without end");
        refused(&json!({ "$dynamicRef": "#a", "$dynamicAnchor": "a" }), "without end");
        refused(&json!({ "$id": "test:a", "not": { "$ref": "test:a#" } }), "without end");
        refused(&json!({ "$id": "test:a", "anyOf": [{ "$ref": "test:a" }] }), "without end");
        let two = json!({ "a": { "allOf": [{ "$ref": "#/$defs/b" }] }, "b": { "if": { "$ref": "#/$defs/a" } } });
        refused(&json!({ "properties": { "x": { "$ref": "#/$defs/a" } }, "$defs": two }), "without end");
    }

    #[test]
    fn what_multiplies_is_refused() {
        let mut parts = Map::new();
        for n in 0..6 {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            parts.insert(format!("d{n}"), json!({ "anyOf": vec![next; 10] }));
        }
        parts.insert("d6".into(), json!({ "type": "object" }));
        let refused = |schema: Value| refused(&schema, "more than 10000 of its parts");
        refused(json!({ "$ref": "#/$defs/d0", "$defs": parts.clone() }));
        // What is known already counts again wherever it is referred to.
        refused(json!({ "prefixItems": [{ "$ref": "#/$defs/d4" }, { "$ref": "#/$defs/d1" }], "$defs": parts.clone() }));
        assert!(check_bounds(&json!({ "prefixItems": [{ "$ref": "#/$defs/d4" }], "$defs": parts })).is_ok());
    }

    #[test]
    fn a_long_chain_is_refused() {
        let chain = (0..5_000).map(|n| (format!("d{n}"), json!({ "$ref": format!("#/$defs/d{}", n + 1) })));
        refused(&json!({ "$ref": "#/$defs/d0", "$defs": chain.collect::<Map<_, _>>() }), "deep");
    }

    #[test]
    fn nothing_outside_is_referred_to() {
        refused(&json!({ "$ref": "http://127.0.0.1:1/schema" }), "no part of it");
        refused(&json!({ "$ref": "file:///etc/passwd" }), "no part of it");
        refused(&json!({ "$ref": "#/$defs/missing" }), "no part of it");
        refused(&json!({ "$defs": { "a": { "$id": "test:b", "$ref": "test:b" } } }), "`$id` within");
    }

    #[test]
    fn patterns_are_few_and_small() {
        refused(
            &json!((0..101).map(|n| (format!("p{n}"), json!({ "pattern": "a" }))).collect::<Map<_, _>>()),
            "patterns",
        );
        assert!(Checker::new(&json!({ "pattern": "^((x{200}){200}){200}$" })).is_err());
        // One that tries everything gives up: the value does not fit.
        let slow = Checker::new(&json!({ "pattern": "^(x+x+)+(?=y)$" })).unwrap();
        assert!(slow.check(&json!("x".repeat(5_000))).is_err());
    }

    #[test]
    fn trees_and_lists_may_refer_to_themselves() {
        let tree = json!({ "type": "object", "properties": { "children": { "type": "array", "items": { "$ref": "#" } }, "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } } });
        let checker = Checker::new(&tree).unwrap();
        assert!(checker.check(&json!({ "children": [{ "children": [{ "next": null }] }] })).is_ok());
        assert!(checker.check(&json!({ "children": [{ "children": [{ "next": 3 }] }] })).is_err());
        let mut deep = json!({});
        for _ in 0..120 {
            deep = json!({ "next": deep });
        }
        assert!(checker.check(&deep).is_ok());
        assert!(
            Checker::new(&json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$anchor": "x" }, "b": { "$ref": "#x" } } }))
                .is_ok()
        );
    }
}
