//! Expressions: CEL inside `${{ }}`.
//!
//! The language is the Common Expression Language, parsed and evaluated here. The `cel` crate converts every value before
//! it looks at it and has no budget: `[s].map(x, x + x).map(x, x + x)…` doubles a text a few hundred times within the
//! length limit. Here paths walk the JSON where it lies, every step and every byte is paid for out of a budget, and errors
//! know their place. The crate is the oracle instead: a test holds the results against it.
//!
//! Beyond CEL: integers and decimals mix (JSON does not tell 10 from 10.0), `has` of a field of null is false (the output
//! of a node that did not run is null), and a few functions of texts. Not of CEL: byte strings, timestamps and durations,
//! messages; keys of maps are text.

pub use self::error::ExpressionError;
pub use self::lookup::{Incoming, Lookup};
pub use self::path::reserved;
pub use self::reference::{Reference, Target};
pub use self::shape::Shapes;
pub use self::template::{Field, Kind, Part, Template};

pub mod preview;

mod budget;
mod code;
mod convert;
mod embed;
mod error;
mod eval;
mod functions;
mod lexer;
mod literal;
mod lookup;
mod member;
mod operators;
mod parser;
mod path;
mod reference;
mod shape;
mod template;
mod value;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use self::budget::{Budget, Fault};
use self::code::{Code, CodeKind};
use self::eval::Evaluator;
use self::value::V;
use crate::place::Place;
use crate::problem::Problem;

/// Longest source of an expression, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4096;

/// One CEL expression, compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expression(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Box<str>,
    place: Place,
    references: Vec<Reference>,
    code: Code,
}

impl Expression {
    /// Compiles an expression whose source begins at a place.
    ///
    /// # Errors
    /// When it is too long or no CEL, uses what there is not, or looks up a node by a computed name.
    pub fn compile(source: &str, place: &Place) -> Result<Self, Problem> {
        if source.len() > MAX_SOURCE_BYTES {
            let message = format!("an expression has {MAX_SOURCE_BYTES} bytes at most; this one has {}", source.len());
            return Err(Problem::error("invalid_expression", &place.within(source, 0..0), message));
        }
        let (code, references) = parser::parse(source, place).map_err(|error| error.into_problem(source, place))?;
        Ok(Self(Arc::new(Inner { source: source.into(), place: place.clone(), references, code })))
    }

    /// Its text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What it reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// Its value.
    ///
    /// # Errors
    /// When it reads what there is not, mixes types that do not go together, or needs more work than is allowed.
    pub fn evaluate(&self, scope: &dyn Lookup) -> Result<Value, ExpressionError> {
        self.spend(scope, &mut Budget::new())
    }

    /// Its value, which must be `true` or `false`.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and when it is neither.
    pub fn evaluate_bool(&self, scope: &dyn Lookup) -> Result<bool, ExpressionError> {
        let mut budget = Budget::new();
        let mut evaluator = Evaluator { scope, budget: &mut budget, locals: Vec::new() };
        evaluator.boolean(&self.0.code).map_err(|fault| self.error(fault))
    }

    fn spend(&self, scope: &dyn Lookup, budget: &mut Budget) -> Result<Value, ExpressionError> {
        // A plain path is most of what is written: its value is handed on without becoming anything else in between.
        let result = match &self.0.code.kind {
            CodeKind::Path(path) => walk::walk(path, scope).and_then(|found| found.into_json(budget)),
            _ => self.general(scope, budget),
        };
        result.map_err(|fault| self.error(fault))
    }

    fn general(&self, scope: &dyn Lookup, budget: &mut Budget) -> Result<Value, Fault> {
        self.value(scope, budget)?.into_json(budget, 0)
    }

    fn value<'a>(&'a self, scope: &'a dyn Lookup, budget: &mut Budget) -> Result<V<'a>, Fault> {
        Evaluator { scope, budget, locals: Vec::new() }.eval(&self.0.code)
    }

    fn error(&self, fault: Fault) -> ExpressionError {
        fault.into_error(&self.0.source, &self.0.place)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}
