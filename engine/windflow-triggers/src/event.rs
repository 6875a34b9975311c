//! Events: something has happened, in the engine or outside, that has a name.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use windflow_core::capability::{MAX_EVENT_NAME_BYTES, is_event_name};
use windflow_core::expression::{ExpressionError, Template};
use windflow_core::problem::Problem;
use windflow_core::workflow::Trigger;

use crate::fields::Fields;
use crate::inputs::render;

/// A trigger that listens to events.
#[derive(Debug, Clone)]
pub struct EventTrigger {
    /// Its name in the document.
    pub name: Arc<str>,
    /// The event, or all that begin so: `order.placed`, `order.*`.
    pub event: String,
    /// Which of them count; evaluated over what the event brings.
    pub filter: Option<Template>,
    /// How an event becomes inputs.
    pub inputs: IndexMap<String, Template>,
}

impl EventTrigger {
    pub(crate) fn read(name: &str, trigger: &Trigger) -> Result<Self, Problem> {
        // The filter is the one thing here that is an expression.
        let with = trigger.with.get("name").map(|name| Trigger { with: name.clone(), ..trigger.clone() });
        if let Some(named) = &with {
            Fields::of(named)?;
        }
        let event = trigger.with.get("name").and_then(Template::as_str).unwrap_or_default();
        if !is_event_name(event.strip_suffix(".*").unwrap_or(event)) {
            let message = format!("`name: {event}` is no name of an event");
            let remedy = format!(
                "write words with dots between them, as in order.placed or order.*, {MAX_EVENT_NAME_BYTES} characters at most"
            );
            return Err(Problem::error("invalid_event", &trigger.with.place, message).remedy(remedy));
        }
        let filter = trigger.with.get("filter").cloned();
        Ok(Self { name: name.into(), event: event.to_owned(), filter, inputs: trigger.inputs.clone() })
    }

    /// Whether it listens to events of that name.
    #[must_use]
    pub fn listens_to(&self, event: &str) -> bool {
        match self.event.strip_suffix('*') {
            Some(beginning) => event.starts_with(beginning),
            None => event == self.event,
        }
    }

    /// Whether its filter lets an event pass.
    ///
    /// # Errors
    /// The filter has no value here, or one that is neither true nor false.
    pub fn passes(&self, data: &Value) -> Result<bool, ExpressionError> {
        let Some(filter) = &self.filter else { return Ok(true) };
        match render(filter, data)? {
            Value::Bool(passes) => Ok(passes),
            other => {
                Err(ExpressionError::new(&filter.place, format!("`filter` gives {other}, which is not true or false")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windflow_core::workflow::Workflow;

    use super::*;

    fn read(with: &str) -> Result<EventTrigger, Problem> {
        let text = format!(
            "windflow: 1\nname: a\ntriggers:\n  t: {{ uses: event, with: {with} }}\nnodes: {{ n: {{ uses: log@1 }} }}\n"
        );
        EventTrigger::read("t", &Workflow::parse(&text).0.unwrap().triggers["t"])
    }

    #[test]
    fn events_are_heard_by_name_or_by_beginning() {
        let exact = read("{ name: order.placed }").unwrap();
        assert!(exact.listens_to("order.placed") && !exact.listens_to("order.placed.twice"));
        let all = read("{ name: \"order.*\" }").unwrap();
        assert!(all.listens_to("order.placed") && !all.listens_to("orders.placed") && !all.listens_to("order"));
        for wrong in ["{ name: \"\" }", "{ name: \"a b\" }", "{ name: \"a..b\" }", "{ name: \"*\" }"] {
            assert_eq!(read(wrong).unwrap_err().code, "invalid_event", "{wrong}");
        }
        assert_eq!(read("{ name: \"${{ trigger.x }}\" }").unwrap_err().code, "trigger_expression");
    }

    #[test]
    fn a_filter_says_which_count() {
        let large = read("{ name: order, filter: \"${{ trigger.data.total > 10 }}\" }").unwrap();
        assert!(large.passes(&json!({ "data": { "total": 11 } })).unwrap());
        assert!(!large.passes(&json!({ "data": { "total": 3 } })).unwrap());
        assert!(large.passes(&json!({ "data": {} })).is_err());
        assert!(
            read("{ name: order, filter: \"${{ trigger.data }}\" }").unwrap().passes(&json!({ "data": 1 })).is_err()
        );
    }
}
