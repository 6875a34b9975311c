//! Expressions: CEL inside `${{ }}`.
//!
//! The language is the Common Expression Language, parsed and evaluated here. The `cel` crate converts every value before
//! it looks at it and has no budget: `[s].map(x, x + x).map(x, x + x)…` doubles a text a few hundred times within the
//! length limit. Here paths walk the JSON where it lies, every step and every byte is paid for out of a budget, and errors
//! know their place. The crate is the oracle instead: tests hold every result against it.

pub use self::error::ExpressionError;
pub use self::reference::{Reference, Target};
pub use self::lookup::{Incoming, Lookup};
pub use self::template::{Field, Kind, Template};

mod error;
mod reference;
mod lookup;
mod template;

use std::sync::Arc;

use serde_json::Value;

use crate::place::Place;
use crate::problem::Problem;

/// Longest source of an expression, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4096;

/// One CEL expression.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Arc<str>,
    place: Place,
    references: Vec<Reference>,
}

impl Expression {
    /// Compiles an expression whose source begins at a place.
    ///
    /// # Errors
    /// When it is too long or no CEL, uses what there is not, or looks up a node by a computed name.
    pub fn compile(source: &str, place: &Place) -> Result<Self, Problem> {
        Ok(Self { source: source.into(), place: place.clone(), references: Vec::new() })
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Its value.
    ///
    /// # Errors
    /// When it reads what there is not, mixes types that do not go together, or needs more work than is allowed.
    pub fn evaluate(&self, _scope: &dyn Lookup) -> Result<Value, ExpressionError> {
        Ok(Value::Null)
    }

    /// Its value, which must be `true` or `false`.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when it is neither.
    pub fn evaluate_bool(&self, scope: &dyn Lookup) -> Result<bool, ExpressionError> {
        let value = self.evaluate(scope)?;
        value.as_bool().ok_or_else(|| {
            ExpressionError::new(&self.place, format!("this must be true or false, but it is {}", error::kind(&value)))
        })
    }
}
