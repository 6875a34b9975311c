//! What evaluating an expression may cost, and how it fails.

use std::ops::Range;

use serde_json::Value;

use super::code::Code;

/// Steps of one evaluation. A step is a fraction of a microsecond.
const STEPS: usize = 3_000_000;

/// Bytes that one evaluation, or one template, may build.
const BYTES: usize = 32 << 20;

/// What is left to spend.
#[derive(Debug)]
pub(super) struct Budget {
    steps: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { steps: STEPS, bytes: BYTES }
    }

    /// Pays for work.
    pub(super) fn work(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps = self.steps.checked_sub(steps).ok_or_else(|| {
            Fault::fatal("this expression takes too much work")
                .remedy("do it in a `transform` node, whose limits are wider")
        })?;
        Ok(())
    }

    /// Pays for bytes that are built.
    pub(super) fn built(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            Fault::fatal(format!("this expression builds more than {} MiB", BYTES >> 20))
                .remedy("pick the parts that are needed")
        })?;
        self.work(bytes / 64)
    }

    /// Pays for the copy of a value.
    pub(super) fn copy(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.built(16),
            Value::String(text) => self.built(16 + text.len()),
            Value::Array(items) => {
                self.built(32)?;
                items.iter().try_for_each(|item| self.copy(item))
            }
            Value::Object(fields) => {
                self.built(32)?;
                fields.iter().try_for_each(|(key, value)| {
                    self.built(32 + key.len())?;
                    self.copy(value)
                })
            }
        }
    }

    /// Begins the next expression of a template: its work counts by itself, what it builds adds up.
    pub(super) fn refresh(&mut self) {
        self.steps = STEPS;
    }
}

/// Why there is no value. Its place is the innermost part that was being evaluated.
#[derive(Debug, Clone)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    message: String,
    remedy: Option<String>,
    at: Option<Range<usize>>,
    fatal: bool,
}

impl Fault {
    /// One that `&&`, `||` and `all` overlook where another operand decides.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner { message: message.into(), remedy: None, at: None, fatal: false }))
    }

    /// One that nothing overlooks: the budget is spent.
    pub(super) fn fatal(message: impl Into<String>) -> Self {
        let mut fault = Self::new(message);
        fault.0.fatal = true;
        fault
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    pub(super) fn remedy_if(mut self, remedy: Option<String>) -> Self {
        self.0.remedy = remedy;
        self
    }

    pub(super) fn at(mut self, code: &Code) -> Self {
        self.0.at.get_or_insert_with(|| code.span());
        self
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.0.fatal
    }

    pub(super) fn into_error(self, source: &str, place: &crate::place::Place) -> super::ExpressionError {
        let place = match self.0.at {
            Some(at) => place.within(source, at),
            None => place.within(source, 0..source.len()),
        };
        super::ExpressionError { place, message: self.0.message, remedy: self.0.remedy }
    }
}
