//! What a workflow gives back: values, and what they have to fit where the document says so.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::read::Reader;
use super::{Output, Typed, config, parse};
use crate::problem::{Problem, nearest};
use crate::schema::Checker;
use crate::yaml::{Kind, Node};

/// The types of JSON Schema.
pub(super) const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];

/// A map with `value` and a type of JSON Schema as its `type` declares what the value has to fit. Any other map is data, as all
/// maps were before there were types.
pub(super) fn parse(reader: &mut Reader, node: &Node) -> IndexMap<String, Output> {
    let mut outputs = IndexMap::new();
    let Some(fields) = reader.open_map(node, "`outputs`") else { return outputs };
    for (key, node) in fields.iter() {
        parse::name(reader, key, "an entry");
        let output = match declared(node) {
            Declared::Type(value, schema) => {
                let value = reader.template(value);
                let typed = match Checker::new(&schema) {
                    Ok(checker) => Some(Typed { schema, checker: Arc::new(checker) }),
                    Err(error) => {
                        let message = format!("output `{}`: {error}", key.value);
                        let remedy = "write `value` and a JSON Schema, such as { value: …, type: string }";
                        reader.error_with("invalid_schema", &node.place, message, remedy);
                        None
                    }
                };
                Output { value, typed }
            }
            Declared::Nothing(misspelt) => {
                if let Some((kind, word, meant)) = misspelt {
                    let message =
                        format!("`type: {word}` is no type, so that output `{}` is a map with that text", key.value);
                    let problem = Problem::warning("output_type", &kind.place, message);
                    reader.problems.push(problem.remedy(format!("did you mean `{meant}`?")));
                }
                Output { value: reader.template(node), typed: None }
            }
        };
        outputs.insert(key.value.clone(), output);
    }
    outputs
}

enum Declared<'a> {
    /// The value, and the schema that it has to fit.
    Type(&'a Node, Value),
    /// No type; perhaps one that was misspelt: where, how, and what is like it.
    Nothing(Option<(&'a Node, String, &'static str)>),
}

fn declared(node: &Node) -> Declared<'_> {
    let Kind::Map(entries) = &node.kind else { return Declared::Nothing(None) };
    let get = |key: &str| entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value);
    let (Some(value), Some(kind)) = (get("value"), get("type")) else { return Declared::Nothing(None) };
    let word = kind.to_json();
    let is_type = |word: &Value| word.as_str().is_some_and(|word| TYPES.contains(&word));
    let names_types = match &word {
        Value::Array(words) => !words.is_empty() && words.iter().all(is_type),
        word => is_type(word),
    };
    if !names_types {
        let word = word.as_str().unwrap_or_default();
        return Declared::Nothing(nearest(word, TYPES).map(|meant| (kind, word.to_owned(), meant)));
    }
    let mut schema = node.to_json();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("value");
    }
    Declared::Type(value, schema)
}

/// What is plainly written fits what is declared; what expressions give is checked at the end of the run.
pub(super) fn check(name: &str, output: &Output, problems: &mut Vec<Problem>) {
    let Some(typed) = &output.typed else { return };
    for misfit in config::misfits(&output.value, &typed.checker) {
        let message = format!("output `{name}` does not fit its type{}: {}", misfit.at(), misfit.message);
        problems.push(Problem::error("invalid_output", misfit.place, message).remedy(misfit.remedy(&typed.schema)));
    }
}
