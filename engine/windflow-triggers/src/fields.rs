//! Reading the `with:` of a trigger. The document's shape was checked when it was parsed; here is what only triggers know.

use serde_json::{Map, Value};
use windflow_core::place::Place;
use windflow_core::problem::Problem;
use windflow_core::workflow::Trigger;

/// The fields of `with:`, and where they stand.
pub(crate) struct Fields<'a> {
    pub(crate) values: Map<String, Value>,
    pub(crate) place: &'a Place,
}

impl<'a> Fields<'a> {
    /// The configuration as values. It is read when the trigger is enabled, when there is nothing yet to evaluate.
    pub(crate) fn of(trigger: &'a Trigger) -> Result<Self, Problem> {
        let place = &trigger.with.place;
        if let Some(reference) = trigger.with.references().next() {
            let message = "the configuration of a trigger cannot hold expressions: it is read before anything happens";
            return Err(Problem::error("trigger_expression", &reference.place, message)
                .remedy("write the value itself; expressions belong into the trigger's `inputs:`"));
        }
        match trigger.with.render(&Value::Null) {
            Ok(Value::Object(values)) => Ok(Self { values, place }),
            Ok(_) => Ok(Self { values: Map::new(), place }),
            Err(error) => Err(Problem::error("invalid_expression", &error.place, error.message)),
        }
    }

    /// A text field; none where it is not written.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, Problem> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.problem("invalid_trigger", format!("`{key}` has to be text"))),
        }
    }

    pub(crate) fn problem(&self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::error(code, self.place, message)
    }
}
