//! JSON Schemas of configurations and outputs, made from the types and checked in beside the plugin's code.

use std::fs;
use std::path::Path;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema};

use crate::{Emit, Node, NodeError};

/// The schemas of one node type.
#[derive(Debug, Clone, PartialEq)]
pub struct Schemas {
    /// Of `with:`.
    pub config: Schema,
    /// Of the emitted value; none where nothing is ever emitted.
    pub output: Option<Schema>,
}

/// The schemas of a node type's function.
#[must_use]
pub fn of<C: JsonSchema, E: Emit>(_function: fn(C) -> Result<E, NodeError>) -> Schemas
where
    E::Value: JsonSchema,
{
    let emits = SchemaSettings::draft2020_12().into_generator().subschema_for::<E::Value>().as_bool() != Some(false);
    Schemas {
        config: schema::<C>(Contract::Deserialize),
        output: emits.then(|| schema::<E::Value>(Contract::Serialize)),
    }
}

fn schema<T: JsonSchema>(contract: Contract) -> Schema {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.contract = contract;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // Rust's name of the type means nothing to a person in the editor.
    schema.remove("title");
    schema
}

/// Compares a plugin's schema files with its types, or writes them where the variable `UPDATE_SCHEMAS` is set.
///
/// # Panics
///
/// When a file is missing, differs or cannot be written. `plugin!` makes a test that calls this.
#[allow(clippy::panic, reason = "it is the body of a test")]
pub fn check(plugin: &str, nodes: &[Node]) {
    let folder = Path::new(plugin).join("schema");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for node in nodes {
        let Schemas { config, output } = (node.schemas)();
        for (kind, schema) in [("config", Some(config)), ("output", output)] {
            let Some(schema) = schema else { continue };
            let path = folder.join(format!("{}.{kind}.json", node.name));
            let text = serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
            if update {
                let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, &text));
                if let Err(error) = written {
                    panic!("cannot write {}: {error}", path.display());
                }
            } else if fs::read_to_string(&path).unwrap_or_default() != text {
                panic!("{} differs from the types: run the tests once with UPDATE_SCHEMAS=1", path.display());
            }
        }
    }
}
