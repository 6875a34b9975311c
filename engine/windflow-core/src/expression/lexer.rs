//! Words of CEL.

use std::ops::Range;

use crate::problem::Problem;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    /// Operators and brackets.
    Mark(&'static str),
    End,
}

/// What is no word, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LexError {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
}

impl LexError {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), remedy: None }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn into_problem(self, source: &str, place: &crate::place::Place) -> Problem {
        Problem::error("invalid_expression", &place.within(source, self.at), self.message).remedy_if(self.remedy)
    }
}

/// Longest first, so that `==` is not read as `=` twice.
const MARKS: [&str; 27] = [
    "==", "!=", "<=", ">=", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "+", "-", "*", "/", "%", "!",
    "<", ">", "=", "&", "|",
];

/// The next word at or after `at`, and where it is.
pub(super) fn next(source: &str, at: usize) -> Result<(Token<'_>, Range<usize>), LexError> {
    let start = skip_blank(source, at);
    let rest = &source[start..];
    let Some(first) = rest.chars().next() else { return Ok((Token::End, start..start)) };
    if let Some(end) = text_end(source, start)? {
        return Ok((Token::Text(super::literal::unescape(&source[start..end], start)?), start..end));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        return Ok((Token::Name(&rest[..length]), start..start + length));
    }
    let number = first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if number {
        return super::literal::number(source, start);
    }
    for mark in MARKS {
        if rest.starts_with(mark) {
            let at = start..start + mark.len();
            return match mark {
                "=" => Err(LexError::new(at, "`=` is no operator").remedy("write `==` to compare")),
                "&" | "|" => {
                    Err(LexError::new(at, format!("`{mark}` is no operator")).remedy(format!("write `{mark}{mark}`")))
                }
                _ => Ok((Token::Mark(mark), at)),
            };
        }
    }
    Err(LexError::new(start..start + first.len_utf8(), format!("{first:?} means nothing here")))
}

fn skip_blank(source: &str, mut at: usize) -> usize {
    loop {
        let rest = &source[at..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']);
        at += rest.len() - trimmed.len();
        if !trimmed.starts_with("//") {
            return at;
        }
        at += trimmed.find('\n').unwrap_or(trimmed.len());
    }
}

/// Where the text that begins at `start` ends; none where no text begins.
fn text_end(source: &str, start: usize) -> Result<Option<usize>, LexError> {
    let rest = &source[start..];
    // Never further than the prefix: the rest of the text may be long.
    let prefix = rest.bytes().take(3).position(|b| matches!(b, b'"' | b'\''));
    let Some(prefix) =
        prefix.filter(|length| matches!(&rest[..*length], "" | "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR"))
    else {
        return Ok(None);
    };
    if rest[..prefix].contains(['b', 'B']) {
        return Err(LexError::new(start..start + prefix, "byte strings have no form in JSON")
            .remedy("write text without the `b`"));
    }
    let raw = prefix > 0;
    let body = &rest[prefix..];
    let quote = if body.starts_with("'''") || body.starts_with("\"\"\"") { &body[..3] } else { &body[..1] };
    let mut at = quote.len();
    while let Some(c) = body[at..].chars().next() {
        if body[at..].starts_with(quote) {
            return Ok(Some(start + prefix + at + quote.len()));
        }
        if c == '\n' && quote.len() == 1 {
            break;
        }
        at += c.len_utf8();
        if c == '\\' && !raw {
            at += body[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    Err(LexError::new(start..start + prefix + quote.len(), format!("text that begins with {quote} is not closed"))
        .remedy(format!("close it with {quote}")))
}

/// Where the expression ends that begins at `start` and is followed by `}}`: braces within text and maps do not count.
pub(super) fn find_close(source: &str, start: usize) -> Result<usize, LexError> {
    let mut at = start;
    let mut open = 0_usize;
    loop {
        let blank = skip_blank(source, at);
        if open == 0 && source[blank..].starts_with("}}") {
            return Ok(blank);
        }
        if let Some(end) = text_end(source, blank)? {
            at = end;
            continue;
        }
        let Some(c) = source[blank..].chars().next() else {
            return Err(LexError::new(start..start, "`${{` is not closed").remedy("close it with `}}`"));
        };
        match c {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        at = blank + c.len_utf8();
    }
}
