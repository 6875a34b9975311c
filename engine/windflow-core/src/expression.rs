//! Expressions: CEL inside `${{ }}`.

/// One CEL expression.
#[derive(Debug, Clone)]
pub struct Expression;

/// A value of a document that may hold expressions.
#[derive(Debug, Clone)]
pub struct Template;
