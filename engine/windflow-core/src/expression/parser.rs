//! From the source of an expression to code.

use std::ops::Range;

use super::code::{Code, CodeKind, Operator};
use super::lexer::{self, LexError, Token};
use super::reference::Reference;
use crate::place::Place;

/// Parts of an expression within each other. Evaluation goes as deep.
const MAX_DEPTH: u8 = 48;

pub(super) type Parsed = Result<Code, LexError>;

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    pub(super) place: &'a Place,
    /// The word that is looked at.
    pub(super) token: Token<'a>,
    pub(super) span: Range<usize>,
    /// Where the word before it ended.
    pub(super) last: usize,
    nesting: u8,
    /// Variables of the comprehensions around.
    pub(super) locals: Vec<&'a str>,
    pub(super) references: Vec<Reference>,
}

/// Parses a whole expression.
pub(super) fn parse(source: &str, place: &Place) -> Result<(Code, Vec<Reference>), LexError> {
    let (token, span) = lexer::next(source, 0)?;
    let mut parser =
        Parser { source, place, token, span, last: 0, nesting: 0, locals: Vec::new(), references: Vec::new() };
    if parser.token == Token::End {
        return Err(LexError::new(0..source.len(), "this expression is empty"));
    }
    let code = parser.expression()?;
    if parser.token != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok((code, parser.references))
}

impl<'a> Parser<'a> {
    pub(super) fn advance(&mut self) -> Result<Token<'a>, LexError> {
        self.last = self.span.end;
        let (token, span) = lexer::next(self.source, self.span.end)?;
        self.span = span;
        Ok(std::mem::replace(&mut self.token, token))
    }

    pub(super) fn eat(&mut self, mark: &'static str) -> Result<bool, LexError> {
        let found = self.token == Token::Mark(mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, mark: &'static str) -> Result<(), LexError> {
        if self.eat(mark)? { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> LexError {
        let found = match &self.source[self.span.clone()] {
            "" => "the end of the expression".to_owned(),
            text => format!("`{text}`"),
        };
        LexError::new(self.span.clone(), format!("{found} stands where {wanted} should"))
    }

    /// Makes code out of parts, whose depths bound its own.
    pub(super) fn code(&self, start: usize, kind: CodeKind, parts: &[u8]) -> Parsed {
        let depth = parts.iter().max().copied().unwrap_or(0) + 1;
        if depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let short = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Ok(Code { kind, start: short(start), end: short(self.last), depth })
    }

    fn too_deep(&self) -> LexError {
        LexError::new(self.span.clone(), "this expression is nested too deep")
            .remedy("take it apart, in a `transform` node for example")
    }

    pub(super) fn expression(&mut self) -> Parsed {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let start = self.span.start;
        let condition = self.logical("||")?;
        let code = if self.eat("?")? {
            let then = self.logical("||")?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            let depths = [condition.depth, then.depth, otherwise.depth];
            self.code(start, CodeKind::If(Box::new([condition, then, otherwise])), &depths)?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(code)
    }

    fn logical(&mut self, mark: &'static str) -> Parsed {
        let start = self.span.start;
        let or = mark == "||";
        let first = if or { self.logical("&&")? } else { self.relation()? };
        if self.token != Token::Mark(mark) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat(mark)? {
            parts.push(if or { self.logical("&&")? } else { self.relation()? });
        }
        let depths: Vec<_> = parts.iter().map(|part| part.depth).collect();
        self.code(start, if or { CodeKind::Or(parts) } else { CodeKind::And(parts) }, &depths)
    }

    fn relation(&mut self) -> Parsed {
        self.binary(Self::relation_operator, Self::sum)
    }

    fn sum(&mut self) -> Parsed {
        self.binary(Self::sum_operator, Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.binary(Self::product_operator, Self::unary)
    }

    fn binary(&mut self, operator: fn(&Self) -> Option<Operator>, operand: fn(&mut Self) -> Parsed) -> Parsed {
        let start = self.span.start;
        let mut left = operand(self)?;
        while let Some(operator) = operator(self) {
            self.advance()?;
            let right = operand(self)?;
            let depths = [left.depth, right.depth];
            left = self.code(start, CodeKind::Binary(operator, Box::new(left), Box::new(right)), &depths)?;
        }
        Ok(left)
    }

    fn relation_operator(&self) -> Option<Operator> {
        Some(match self.token {
            Token::Mark("==") => Operator::Equal,
            Token::Mark("!=") => Operator::NotEqual,
            Token::Mark("<") => Operator::Less,
            Token::Mark("<=") => Operator::LessOrEqual,
            Token::Mark(">") => Operator::Greater,
            Token::Mark(">=") => Operator::GreaterOrEqual,
            Token::Name("in") => Operator::In,
            _ => return None,
        })
    }

    fn sum_operator(&self) -> Option<Operator> {
        match self.token {
            Token::Mark("+") => Some(Operator::Add),
            Token::Mark("-") => Some(Operator::Subtract),
            _ => None,
        }
    }

    fn product_operator(&self) -> Option<Operator> {
        match self.token {
            Token::Mark("*") => Some(Operator::Multiply),
            Token::Mark("/") => Some(Operator::Divide),
            Token::Mark("%") => Some(Operator::Modulo),
            _ => None,
        }
    }

    pub(super) fn unary(&mut self) -> Parsed {
        let start = self.span.start;
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let code = if self.eat("!")? {
            let inner = self.unary()?;
            let depth = [inner.depth];
            self.code(start, CodeKind::Not(Box::new(inner)), &depth)
        } else if self.eat("-")? {
            self.negative(start)
        } else {
            self.member()
        };
        self.nesting -= 1;
        code
    }

    fn negative(&mut self, start: usize) -> Parsed {
        // The smallest integer has no positive counterpart, so the sign belongs to the literal.
        if self.token == Token::Int(i64::MIN.unsigned_abs()) {
            self.advance()?;
            return self.code(start, CodeKind::Int(i64::MIN), &[]);
        }
        let inner = self.unary()?;
        let depth = [inner.depth];
        let kind = match inner.kind {
            CodeKind::Int(value) if value != i64::MIN => CodeKind::Int(-value),
            CodeKind::Double(value) => CodeKind::Double(-value),
            _ => CodeKind::Negate(Box::new(inner)),
        };
        self.code(start, kind, &depth)
    }
}
