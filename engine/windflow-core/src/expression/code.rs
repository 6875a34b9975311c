//! Compiled expressions.

use std::ops::Range;

use regex::Regex;

use super::reference::Target;

/// A part of an expression and where it stands in its source.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) kind: CodeKind,
    pub(super) start: u16,
    pub(super) end: u16,
    /// Parts within each other, itself included. Bounded when it is built, so that walking it needs no check.
    pub(super) depth: u8,
}

impl Code {
    pub(super) fn span(&self) -> Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }
}

#[derive(Debug, Clone)]
pub(super) enum CodeKind {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<str>),
    /// A type by its name, as in `type(x) == int`.
    Type(&'static str),
    Path(Path),
    /// Whether a path's target is there at all.
    HasTarget(Target),
    /// A variable of a comprehension, counted from the outermost.
    Local(usize),
    Select(Box<Code>, Box<str>),
    Has(Box<Code>, Box<str>),
    Index(Box<Code>, Box<Code>),
    Not(Box<Code>),
    Negate(Box<Code>),
    Binary(Operator, Box<Code>, Box<Code>),
    And(Vec<Code>),
    Or(Vec<Code>),
    If(Box<[Code; 3]>),
    List(Vec<Code>),
    Map(Vec<(Code, Code)>),
    Call(Function, Vec<Code>),
    /// `matches` with a pattern that is known.
    Matches(Box<Code>, Box<Regex>),
    /// A comprehension: over what, and what for each.
    Each(Comprehension, Box<Code>, Box<Code>),
    /// `map` with a condition: over what, condition, and what for each that meets it.
    MapIf(Box<Code>, Box<Code>, Box<Code>),
}

/// A path that is known before anything runs: it is walked in the JSON where that lies.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// Where it begins; `inputs` is always whole here.
    pub(super) target: Target,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Field(Box<str>),
    Index(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comprehension {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// Functions. Receivers are the first argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Int,
    Uint,
    Double,
    String,
    Bool,
    Dyn,
    Type,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Join,
    Replace,
    Substring,
    IndexOf,
}

/// Name, function, whether it may be called as a function, as a method, and its arguments, the receiver included.
type Signature = (&'static str, Function, bool, bool, std::ops::RangeInclusive<usize>);

pub(super) const FUNCTIONS: [Signature; 20] = [
    ("size", Function::Size, true, true, 1..=1),
    ("int", Function::Int, true, false, 1..=1),
    ("uint", Function::Uint, true, false, 1..=1),
    ("double", Function::Double, true, false, 1..=1),
    ("string", Function::String, true, false, 1..=1),
    ("bool", Function::Bool, true, false, 1..=1),
    ("dyn", Function::Dyn, true, false, 1..=1),
    ("type", Function::Type, true, false, 1..=1),
    ("contains", Function::Contains, false, true, 2..=2),
    ("startsWith", Function::StartsWith, false, true, 2..=2),
    ("endsWith", Function::EndsWith, false, true, 2..=2),
    ("matches", Function::Matches, true, true, 2..=2),
    ("lowerAscii", Function::LowerAscii, false, true, 1..=1),
    ("upperAscii", Function::UpperAscii, false, true, 1..=1),
    ("trim", Function::Trim, false, true, 1..=1),
    ("split", Function::Split, false, true, 2..=2),
    ("join", Function::Join, false, true, 1..=2),
    ("replace", Function::Replace, false, true, 3..=3),
    ("substring", Function::Substring, false, true, 2..=3),
    ("indexOf", Function::IndexOf, false, true, 2..=2),
];

/// Comprehensions by name.
pub(super) const COMPREHENSIONS: [(&str, Comprehension); 6] = [
    ("all", Comprehension::All),
    ("exists", Comprehension::Exists),
    ("exists_one", Comprehension::ExistsOne),
    ("existsOne", Comprehension::ExistsOne),
    ("filter", Comprehension::Filter),
    ("map", Comprehension::Map),
];

/// Types by name.
pub(super) const TYPES: [&str; 8] = ["int", "uint", "double", "bool", "string", "list", "map", "null_type"];
