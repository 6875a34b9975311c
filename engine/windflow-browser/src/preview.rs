//! What a field with expressions would be, on the data of a run.

use serde_json::{Value, json};
use windflow_core::expression::preview::{Scope, preview as value_of};

use crate::text::Utf16;

/// `{"value"}`, or `{"error"}` with its place in the text of the template, where that is one text.
pub(crate) fn preview(template: &Value, scope: &Scope) -> Value {
    match value_of(template, scope) {
        Ok(value) => json!({ "value": value }),
        Err(problem) => {
            let text = template.as_str().unwrap_or_default();
            let offsets = Utf16::new(text);
            json!({ "error": {
                "code": problem.code,
                "message": problem.message,
                "help": problem.remedy,
                "from": offsets.of(problem.place.bytes.start.min(text.len())),
                "to": offsets.of(problem.place.bytes.end.min(text.len())),
            } })
        }
    }
}
