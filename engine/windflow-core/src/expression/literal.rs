//! Numbers and texts as CEL writes them.

use std::ops::Range;

use super::lexer::{LexError, Token};

/// The number that begins at `start`.
pub(super) fn number(source: &str, start: usize) -> Result<(Token<'_>, Range<usize>), LexError> {
    let rest = &source[start..];
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let digits = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        return integer(source, start, 2 + digits, u64::from_str_radix(&hex[..digits], 16).ok());
    }
    let digits = |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| from + n);
    let mut end = digits(0);
    let mut double = false;
    if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end + 1);
        double = true;
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        if rest[end + 1 + sign..].starts_with(|c: char| c.is_ascii_digit()) {
            end = digits(end + 1 + sign);
            double = true;
        }
    }
    if !double {
        return integer(source, start, end, rest[..end].parse().ok());
    }
    let value: f64 = rest[..end].parse().map_err(|_| invalid(start..start + end))?;
    if !value.is_finite() {
        return Err(LexError::new(start..start + end, "this number is too large"));
    }
    finish(source, start..start + end, Token::Double(value))
}

fn integer(
    source: &str,
    start: usize,
    length: usize,
    value: Option<u64>,
) -> Result<(Token<'_>, Range<usize>), LexError> {
    let at = start..start + length;
    let Some(value) = value else { return Err(LexError::new(at, "this number does not fit in 64 bits")) };
    if source[at.end..].starts_with(['u', 'U']) {
        return finish(source, start..at.end + 1, Token::Uint(value));
    }
    finish(source, at, Token::Int(value))
}

fn finish<'a>(source: &'a str, at: Range<usize>, token: Token<'a>) -> Result<(Token<'a>, Range<usize>), LexError> {
    // `1x` would otherwise be read as two words.
    if source[at.end..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        return Err(invalid(at.start..at.end + 1));
    }
    Ok((token, at))
}

fn invalid(at: Range<usize>) -> LexError {
    LexError::new(at, "this is no number")
}

/// The text that a literal means, its quotes included in `literal`.
pub(super) fn unescape(literal: &str, start: usize) -> Result<String, LexError> {
    let raw = literal.starts_with(['r', 'R']);
    let body = &literal[usize::from(raw)..];
    let quotes = if body.len() >= 6 && (body.starts_with("'''") || body.starts_with("\"\"\"")) { 3 } else { 1 };
    let inner = &body[quotes..body.len() - quotes];
    let base = start + usize::from(raw) + quotes;
    if raw || !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let bad = |end: usize| {
            LexError::new(base + at..base + end, "this escape is unknown")
                .remedy("write a backslash twice to mean one, or put `r` before the quote")
        };
        let (escape_at, escape) = chars.next().ok_or_else(|| bad(inner.len()))?;
        let (digits, radix, from) = match escape {
            'x' | 'X' => (2, 16, escape_at + 1),
            'u' => (4, 16, escape_at + 1),
            'U' => (8, 16, escape_at + 1),
            '0'..='3' => (3, 8, escape_at),
            _ => {
                out.push(simple(escape).ok_or_else(|| bad(escape_at + escape.len_utf8()))?);
                continue;
            }
        };
        let code = inner.get(from..from + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, radix).ok()).and_then(char::from_u32);
        out.push(code.ok_or_else(|| bad(escape_at + 1))?);
        for _ in from..from + digits - usize::from(radix == 8) {
            chars.next();
        }
    }
    Ok(out)
}

fn simple(escape: char) -> Option<char> {
    Some(match escape {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '\'' | '"' | '?' | '`' => escape,
        _ => return None,
    })
}
