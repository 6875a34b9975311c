//! The JSON Schema of workflow files, for editors.

use serde_json::{Value, json};

use super::note::{FARTHEST, MAX_NOTE_CHARS, NOTE_SIDE, NOTE_SIZE, NoteColor};
use crate::native::WithNative;
use crate::ports::host::Registry;

/// The schema of the format, with the configuration of every installed node type.
pub(super) fn document_schema(registry: &(impl Registry + ?Sized)) -> Value {
    let registry = &WithNative(registry);
    let types: Vec<Value> = registry
        .list()
        .iter()
        .map(|(uses, installed)| {
            let node_type = installed.node_type();
            json!({
                "if": { "properties": { "uses": { "const": uses.to_string() } } },
                "then": { "properties": { "with": with_expressions(&node_type.config) } },
            })
        })
        .collect();
    let uses: Vec<Value> = registry
        .list()
        .iter()
        .map(|(uses, installed)| json!({ "const": uses.to_string(), "description": installed.node_type().description.get("en") }))
        .collect();
    let duration = json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" });
    let name = "^[a-z][a-z0-9_]{0,63}$";
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "WindFlow workflow",
        "type": "object",
        "required": ["windflow", "name", "nodes"],
        "additionalProperties": false,
        "properties": {
            "windflow": { "const": super::FORMAT, "description": "The version of the format" },
            "name": { "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$" },
            "description": { "type": "string" },
            "folder": { "type": "string", "maxLength": 204, "description": "Where lists show it, as in team/reports" },
            "tags": { "type": "array", "maxItems": 20, "uniqueItems": true, "items": { "type": "string", "minLength": 1, "maxLength": 40 }, "description": "By what lists find it" },
            "inputs": { "type": "object", "additionalProperties": { "type": "object" }, "description": "What a start wants to know: JSON Schemas by name" },
            "triggers": { "type": "object", "additionalProperties": { "$ref": "#/$defs/trigger" } },
            "permissions": {
                "type": "object", "additionalProperties": false, "description": "What the nodes may touch; empty means nothing",
                "properties": {
                    "http": { "type": "array", "items": { "type": "string" } },
                    "credentials": { "type": "array", "items": { "type": "string" } },
                    "docker": { "type": "array", "items": { "type": "string" }, "description": "Names of targets" },
                    "email": { "type": "array", "items": { "type": "string" }, "description": "Mail servers with their ports" },
                    "state": { "type": "boolean", "description": "Whether nodes may keep values for later runs" },
                    "files": { "type": "boolean", "description": "Whether nodes may keep files in the scratch folder of the run, and name folders of it for targets to build from" },
                    "events": { "type": "array", "items": { "type": "string" }, "description": "Events that nodes may publish" },
                    "clock": { "type": "boolean", "description": "Whether nodes may read the time of the machine; others see the time at which the run began" },
                    "random": { "type": "boolean", "description": "Whether nodes may draw random numbers of the machine; those of others follow from the run" },
                },
            },
            "nodes": {
                "type": "object", "minProperties": 1, "propertyNames": { "pattern": name },
                "additionalProperties": { "$ref": "#/$defs/node" },
            },
            "outputs": {
                "type": "object", "description": "What a run gives back: values, or a value with the type that it has to fit",
                "additionalProperties": { "anyOf": [{ "$ref": "#/$defs/output" }, true] },
            },
            "concurrency": {
                "description": "How many runs go on at the same time",
                "anyOf": [
                    { "type": "integer", "minimum": 1 },
                    {
                        "type": "object", "required": ["limit"], "additionalProperties": false,
                        "properties": {
                            "limit": { "type": "integer", "minimum": 1 },
                            "key": { "type": "string", "description": "Runs with different keys do not count together; reads inputs only" },
                            "on_limit": { "enum": ["queue", "skip", "cancel_oldest"], "default": "queue", "description": "What becomes of one more" },
                        },
                    },
                ],
            },
            "timeout": { "$ref": "#/$defs/duration", "description": "The longest that a run may take" },
            "notes": {
                "type": "object", "maxProperties": super::MAX_NOTES, "propertyNames": { "pattern": name },
                "description": "What people wrote beside the nodes", "additionalProperties": { "$ref": "#/$defs/note" },
            },
            "layout": {
                "type": "object", "description": "Where the editor draws the nodes",
                "additionalProperties": { "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 },
            },
        },
        "$defs": {
            "duration": duration,
            "trigger": {
                "type": "object", "required": ["uses"], "additionalProperties": false,
                "properties": {
                    "uses": { "enum": ["cron", "webhook", "event", "manual"] },
                    "with": { "type": "object" },
                    "inputs": { "type": "object" },
                },
            },
            "output": {
                "type": "object", "required": ["value", "type"], "description": "A value and the JSON Schema that it has to fit",
                "properties": { "value": true, "type": { "enum": super::outputs::TYPES }, "description": { "type": "string" } },
            },
            "note": note(),
            "node": {
                "type": "object", "required": ["uses"], "additionalProperties": false,
                "properties": {
                    "uses": { "type": "string", "anyOf": uses },
                    "with": { "type": "object" },
                    "needs": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
                    "join": { "enum": ["all", "any"] },
                    "if": { "type": ["string", "boolean"] },
                    "for_each": {
                        "anyOf": [{ "type": "array" }, { "type": "string", "pattern": "\\$\\{\\{" }],
                        "description": "Runs the node for each item of this list; `item` and `item_index` are known in `with`",
                    },
                    "concurrency": { "type": "integer", "minimum": 1, "maximum": 1000, "description": "How many items at the same time" },
                    "on_item_error": { "enum": ["fail", "collect"] },
                    "compensate": { "type": "string", "pattern": name, "description": "The node that undoes this one where the run fails or is cancelled" },
                    "retry": {
                        "type": "object", "additionalProperties": false,
                        "properties": {
                            "attempts": { "type": "integer", "minimum": 1, "maximum": 100 },
                            "backoff": { "enum": ["fixed", "linear", "exponential"] },
                            "initial": { "$ref": "#/$defs/duration" },
                            "max": { "$ref": "#/$defs/duration" },
                            "jitter": { "type": "number", "minimum": 0, "maximum": 1 },
                        },
                    },
                    "timeout": { "$ref": "#/$defs/duration" },
                    "on_unknown": { "enum": ["retry", "fail"] },
                    "disabled": { "type": "boolean" },
                    "title": { "type": "string" },
                },
                "allOf": types,
            },
        },
    })
}

fn note() -> Value {
    let pair = |least: f64, most: f64| json!({ "type": "array", "items": { "type": "number", "minimum": least, "maximum": most }, "minItems": 2, "maxItems": 2 });
    let mut at = pair(-FARTHEST, FARTHEST);
    at["description"] = json!("Where its upper left corner stands");
    let mut size = pair(*NOTE_SIDE.start(), *NOTE_SIDE.end());
    size["description"] = json!("Width and height");
    size["default"] = json!(NOTE_SIZE);
    json!({
        "type": "object", "required": ["text"], "additionalProperties": false,
        "properties": {
            "text": { "type": "string", "maxLength": MAX_NOTE_CHARS, "description": "Markdown" },
            "at": at,
            "size": size,
            "color": { "enum": NoteColor::WORDS.map(|(word, _)| word), "default": "yellow" },
        },
    })
}

/// A configuration's schema in which every setting may be an expression instead.
fn with_expressions(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for field in properties.values_mut() {
            let plain = field.take();
            let expression = json!({ "type": "string", "pattern": "\\$\\{\\{" });
            let description = plain.get("description").cloned().unwrap_or(Value::Null);
            *field = json!({ "anyOf": [plain, expression] });
            if let (Value::Object(field), Value::String(_)) = (field, &description) {
                field.insert("description".into(), description);
            }
        }
    }
    schema
}
