//! Parsing of names, paths, calls and literals.

use super::code::{COMPREHENSIONS, Code, CodeKind, Comprehension, FUNCTIONS, Function, Path, Step, TYPES};
use super::lexer::{LexError, Token};
use super::parser::{Parsed, Parser};
use super::path::Unfinished;
use crate::problem::{did_you_mean, list};

/// Comprehensions within each other. Each multiplies the work.
const MAX_COMPREHENSIONS: usize = 3;

/// CEL keeps these words; none can be a name.
pub(super) const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// What is being parsed: a path that may go on, or any other code.
enum Member<'a> {
    Path(Unfinished<'a>),
    Code(Code),
}

impl<'a> Parser<'a> {
    pub(super) fn member(&mut self) -> Parsed {
        let start = self.span.start;
        let mut member = self.primary(start)?;
        loop {
            if self.eat(".")? {
                let Token::Name(name) = self.token else { return Err(self.unexpected("a name")) };
                let at = self.span.clone();
                self.advance()?;
                member = if self.token == Token::Mark("(") {
                    let receiver = self.finish(member)?;
                    Member::Code(self.call(start, name, at, Some(receiver))?)
                } else {
                    match member {
                        Member::Path(path) => Member::Path(path.step(Step::Field(name.into()), self.last)),
                        Member::Code(code) => {
                            let depth = [code.depth];
                            Member::Code(self.code(start, CodeKind::Select(Box::new(code), name.into()), &depth)?)
                        }
                    }
                };
            } else if self.eat("[")? {
                let index = self.expression()?;
                self.expect("]")?;
                member = self.index(start, member, index)?;
            } else {
                return self.finish(member);
            }
        }
    }

    fn finish(&mut self, member: Member<'a>) -> Parsed {
        match member {
            Member::Code(code) => Ok(code),
            Member::Path(path) => self.path(&path),
        }
    }

    fn index(&mut self, start: usize, member: Member<'a>, index: Code) -> Result<Member<'a>, LexError> {
        let code = match member {
            Member::Path(path) => match index.kind {
                CodeKind::Text(key) => return Ok(Member::Path(path.step(Step::Field(key), self.last))),
                CodeKind::Int(at) if path.is_value() => return Ok(Member::Path(path.step(Step::Index(at), self.last))),
                _ if !path.is_value() => {
                    return Err(LexError::new(
                        index.span(),
                        format!("what this reads of `{}` is known only when it runs", path.root),
                    )
                    .remedy("name the node: the order of nodes follows from what expressions read"));
                }
                _ => self.path(&path)?,
            },
            Member::Code(code) => code,
        };
        let depths = [code.depth, index.depth];
        Ok(Member::Code(self.code(start, CodeKind::Index(Box::new(code), Box::new(index)), &depths)?))
    }

    fn primary(&mut self, start: usize) -> Result<Member<'a>, LexError> {
        let kind = match self.token.clone() {
            Token::Name(name) => {
                let at = self.span.clone();
                self.advance()?;
                match name {
                    "true" => CodeKind::Bool(true),
                    "false" => CodeKind::Bool(false),
                    "null" => CodeKind::Null,
                    _ if self.token == Token::Mark("(") => return self.call(start, name, at, None).map(Member::Code),
                    _ => return self.name(name, at),
                }
            }
            Token::Int(value) => {
                // Its negation is handled where the sign is read.
                let value = i64::try_from(value)
                    .map_err(|_| LexError::new(self.span.clone(), "this number does not fit in 64 bits with a sign"))?;
                self.advance()?;
                CodeKind::Int(value)
            }
            Token::Uint(value) => {
                self.advance()?;
                CodeKind::Uint(value)
            }
            Token::Double(value) => {
                self.advance()?;
                CodeKind::Double(value)
            }
            Token::Text(text) => {
                self.advance()?;
                CodeKind::Text(text.into())
            }
            Token::Mark("(") => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(Member::Code(inner));
            }
            Token::Mark("[") => {
                self.advance()?;
                let items = self.arguments("]")?;
                let depths: Vec<_> = items.iter().map(|item| item.depth).collect();
                return self.code(start, CodeKind::List(items), &depths).map(Member::Code);
            }
            Token::Mark("{") => return self.map(start).map(Member::Code),
            _ => return Err(self.unexpected("a value")),
        };
        self.code(start, kind, &[]).map(Member::Code)
    }

    fn name(&mut self, name: &'a str, at: std::ops::Range<usize>) -> Result<Member<'a>, LexError> {
        if let Some(local) = self.locals.iter().rposition(|local| *local == name) {
            return self.code(at.start, CodeKind::Local(local), &[]).map(Member::Code);
        }
        if let Some(path) = Unfinished::begin(name, at.clone()) {
            return Ok(Member::Path(path));
        }
        if let Some(name) = TYPES.iter().find(|known| **known == name) {
            return self.code(at.start, CodeKind::Type(name), &[]).map(Member::Code);
        }
        let known = super::path::ROOTS.into_iter().chain(self.locals.iter().copied());
        Err(LexError::new(at, format!("`{name}` is unknown here"))
            .remedy(did_you_mean(name, known.clone()).unwrap_or_else(|| format!("expressions read {}", list(known)))))
    }

    fn map(&mut self, start: usize) -> Parsed {
        self.expect("{")?;
        let mut entries = Vec::new();
        let mut depths = Vec::new();
        while self.token != Token::Mark("}") {
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            depths.push(key.depth.max(value.depth));
            entries.push((key, value));
            if !self.eat(",")? {
                break;
            }
        }
        self.expect("}")?;
        self.code(start, CodeKind::Map(entries), &depths)
    }

    fn arguments(&mut self, close: &'static str) -> Result<Vec<Code>, LexError> {
        let mut arguments = Vec::new();
        while self.token != Token::Mark(close) {
            arguments.push(self.expression()?);
            if !self.eat(",")? {
                break;
            }
        }
        self.expect(close)?;
        Ok(arguments)
    }

    fn call(&mut self, start: usize, name: &'a str, at: std::ops::Range<usize>, receiver: Option<Code>) -> Parsed {
        self.expect("(")?;
        if name == "has" && receiver.is_none() {
            return self.has(start);
        }
        let comprehension = COMPREHENSIONS.iter().find(|(known, _)| *known == name);
        if let (Some(receiver), Some((_, comprehension))) = (&receiver, comprehension) {
            return self.comprehension(start, *comprehension, receiver.clone());
        }
        let is_method = receiver.is_some();
        let mut arguments: Vec<_> = receiver.into_iter().collect();
        arguments.extend(self.arguments(")")?);
        let found = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        let Some((_, function, global, method, arity)) = found else {
            let known = FUNCTIONS
                .iter()
                .map(|(known, ..)| *known)
                .chain(COMPREHENSIONS.iter().map(|(known, _)| *known))
                .chain(["has"]);
            return Err(LexError::new(at, format!("there is no function `{name}`")).remedy(
                did_you_mean(name, known.clone())
                    .unwrap_or_else(|| format!("there are {}", known.collect::<Vec<_>>().join(", "))),
            ));
        };
        if is_method && !method {
            return Err(LexError::new(at, format!("`{name}` is called as `{name}(…)`")));
        }
        if !is_method && !global {
            return Err(LexError::new(at, format!("`{name}` is called on a value, as in `value.{name}(…)`")));
        }
        if !arity.contains(&arguments.len()) {
            return Err(LexError::new(
                start..self.last,
                format!("`{name}` is called with too few or too many arguments"),
            ));
        }
        let depths: Vec<_> = arguments.iter().map(|argument| argument.depth).collect();
        let kind = match (*function, arguments.as_slice()) {
            (Function::Matches, [_, Code { kind: CodeKind::Text(pattern), .. }]) => {
                let pattern = super::functions::pattern(pattern)
                    .map_err(|message| LexError::new(arguments[1].span(), message))?;
                CodeKind::Matches(Box::new(arguments.swap_remove(0)), Box::new(pattern))
            }
            (function, _) => CodeKind::Call(function, arguments),
        };
        self.code(start, kind, &depths)
    }

    fn has(&mut self, start: usize) -> Parsed {
        let argument = self.expression()?;
        self.expect(")")?;
        let depth = [argument.depth];
        let span = argument.span();
        let invalid = || LexError::new(span, "`has` asks whether a field is there").remedy("write has(a.b)");
        let kind = match argument.kind {
            CodeKind::Select(from, field) => CodeKind::Has(from, field),
            CodeKind::Path(mut path) => match path.steps.pop() {
                Some(Step::Field(field)) => {
                    let from = self.code(start, CodeKind::Path(path), &[])?;
                    CodeKind::Has(Box::new(from), field)
                }
                None if path.is_field() => CodeKind::HasTarget(path.target),
                _ => return Err(invalid()),
            },
            _ => return Err(invalid()),
        };
        self.code(start, kind, &depth)
    }

    fn comprehension(&mut self, start: usize, what: Comprehension, over: Code) -> Parsed {
        let Token::Name(variable) = self.token else { return Err(self.unexpected("the name of a variable")) };
        if RESERVED.contains(&variable) {
            return Err(LexError::new(self.span.clone(), format!("`{variable}` is a word of CEL and no name")));
        }
        if self.locals.len() == MAX_COMPREHENSIONS {
            return Err(LexError::new(
                self.span.clone(),
                format!("more than {MAX_COMPREHENSIONS} comprehensions within each other"),
            )
            .remedy("use a `transform` node"));
        }
        self.advance()?;
        self.expect(",")?;
        self.locals.push(variable);
        let arguments = self.arguments(")")?;
        self.locals.pop();
        let mut depths: Vec<_> = arguments.iter().map(|argument| argument.depth).collect();
        depths.push(over.depth);
        let wrong = || LexError::new(start..self.last, "a comprehension takes a variable and an expression");
        let mut arguments = arguments.into_iter();
        let first = Box::new(arguments.next().ok_or_else(wrong)?);
        let kind = match (what, arguments.next()) {
            (what, None) => CodeKind::Each(what, Box::new(over), first),
            (Comprehension::Map, Some(each)) => CodeKind::MapIf(Box::new(over), first, Box::new(each)),
            _ => return Err(wrong()),
        };
        if arguments.next().is_some() {
            return Err(wrong());
        }
        self.code(start, kind, &depths)
    }
}

impl Path {
    /// Whether it is a field of something by itself, without further steps.
    fn is_field(&self) -> bool {
        use super::reference::Target;
        !matches!(self.target, Target::Inputs(_) | Target::Input | Target::Item | Target::ItemIndex | Target::Trigger)
    }
}
