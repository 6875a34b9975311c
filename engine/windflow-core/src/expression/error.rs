//! Why an expression has no value.

use std::fmt;

use crate::place::Place;

/// An expression that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionError {
    /// Where in the document.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub remedy: Option<String>,
}

impl ExpressionError {
    /// An error at a place.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), remedy: None }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.place.line, self.place.column)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for ExpressionError {}
