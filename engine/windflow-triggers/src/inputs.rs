//! What a trigger brings, as inputs of a run.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use windflow_core::expression::{ExpressionError, Lookup, Template};

struct Data<'a>(&'a Value);

impl Lookup for Data<'_> {
    fn inputs(&self) -> &Value {
        &Value::Null
    }

    fn trigger(&self) -> Option<&Value> {
        Some(self.0)
    }
}

/// The value of a template over what a trigger brings.
pub(crate) fn render(template: &Template, data: &Value) -> Result<Value, ExpressionError> {
    template.render(&Data(data))
}

/// Evaluates the `inputs:` of a trigger over what it brings.
///
/// # Errors
/// The first that has no value; its place is in the document.
pub fn inputs(mapping: &IndexMap<String, Template>, data: &Value) -> Result<Map<String, Value>, ExpressionError> {
    mapping.iter().map(|(name, template)| Ok((name.clone(), render(template, data)?))).collect()
}
