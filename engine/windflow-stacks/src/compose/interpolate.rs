//! Variables in the values of a Compose document: `$NAME`, `${NAME}` with its defaults and demands, `$$` for a dollar.

/// Defaults within defaults, at most.
const MAX_DEPTH: usize = 16;

/// Longest text that may come out.
const MAX_BYTES: usize = 1 << 20;

/// Why a value has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no expression.
    Syntax(String),
    /// A variable has no value and no default.
    Unset(String),
    /// A variable has no value, and the document says why it needs one.
    Required(String, String),
    /// What comes out is longer than anything may be.
    TooLong,
}

/// Fills variables in.
pub(crate) fn interpolate(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let mut out = String::new();
    expand(text, lookup, 0, &mut out)?;
    Ok(out)
}

/// The variables that a text names, also those in defaults of others.
pub(crate) fn names(text: &str) -> impl Iterator<Item = String> {
    // Two dollars are one, which names nothing.
    let parts = text.split("$$").flat_map(|part| part.split('$').skip(1));
    parts.map(|part| name(part.strip_prefix('{').unwrap_or(part))).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut String) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::Syntax(format!("defaults are nested more than {MAX_DEPTH} deep")));
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = closing(after).ok_or_else(|| Fault::Syntax(format!("`${{{after}` has no end")))?;
            braced(&after[..end], lookup, depth, out)?;
            rest = &after[end + 1..];
        } else {
            let name = name(rest);
            if name.is_empty() {
                return Err(Fault::Syntax("a lone `$`; write `$$` for a dollar".to_owned()));
            }
            out.push_str(&lookup(name).ok_or_else(|| Fault::Unset(name.to_owned()))?);
            rest = &rest[name.len()..];
        }
        if out.len() > MAX_BYTES {
            return Err(Fault::TooLong);
        }
    }
    out.push_str(rest);
    if out.len() > MAX_BYTES { Err(Fault::TooLong) } else { Ok(()) }
}

fn name(text: &str) -> &str {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if starts { &text[..end] } else { "" }
}

/// Where the brace closes that was opened before the text.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => open += 1,
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn braced(body: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: usize, out: &mut String) -> Result<(), Fault> {
    let name = name(body);
    let rest = &body[name.len()..];
    if name.is_empty() {
        return Err(Fault::Syntax(format!("`${{{body}}}` names no variable")));
    }
    let value = lookup(name);
    let (colon, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
    // With a colon an empty value counts as none.
    let given = value.filter(|value| !(colon && value.is_empty()));
    let (operator, operand) = match rest.chars().next() {
        None if !colon => return given.map(|value| out.push_str(&value)).ok_or_else(|| Fault::Unset(name.to_owned())),
        Some(operator @ ('-' | '?' | '+')) => (operator, &rest[1..]),
        _ => {
            return Err(Fault::Syntax(format!(
                "`${{{body}}}` is no expression; there are `:-`, `-`, `:?`, `?`, `:+` and `+`"
            )));
        }
    };
    match (operator, given) {
        ('-' | '?', Some(value)) => out.push_str(&value),
        ('-', None) | ('+', Some(_)) => expand(operand, lookup, depth + 1, out)?,
        ('?', None) => {
            let mut why = String::new();
            expand(operand, lookup, depth + 1, &mut why)?;
            return Err(Fault::Required(name.to_owned(), why));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, Fault>) {
        let lookup = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        assert_eq!(interpolate(text, &lookup), expect.map(str::to_owned), "{text}");
    }

    #[test]
    fn variables_are_filled_in_as_the_specification_says() {
        for (text, value) in [
            ("plain", "plain"),
            ("$A-x", "a-x"),
            ("${A}b", "ab"),
            ("$$A $${A}", "$A ${A}"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NONE:-d}", "d"),
            ("${NONE-d e}", "d e"),
            ("${NONE:-${A}/${NONE:-x}}", "a/x"),
            ("${A:+yes}", "yes"),
            ("${EMPTY:+yes}", ""),
            ("${EMPTY+yes}", "yes"),
            ("${NONE+yes}", ""),
            ("${A:?why}", "a"),
            ("{$A}", "{a}"),
        ] {
            check(text, Ok(value));
        }
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        check("$NONE", Err(Fault::Unset("NONE".into())));
        check("${NONE}", Err(Fault::Unset("NONE".into())));
        check("${NONE:?say $A}", Err(Fault::Required("NONE".into(), "say a".into())));
        check("${EMPTY:?}", Err(Fault::Required("EMPTY".into(), String::new())));
        for bad in ["$", "a $ b", "${", "${A", "${}", "${1}", "${A!}", "${A:}"] {
            let found = interpolate(bad, &|_| None);
            assert!(matches!(found, Err(Fault::Syntax(_))), "{bad}: {found:?}");
        }
        let deep = format!("{}{}", "${X:-".repeat(100), "}".repeat(100));
        assert!(matches!(interpolate(&deep, &|_| None), Err(Fault::Syntax(_))));
        assert_eq!(interpolate(&"$X".repeat(2000), &|_| Some("y".repeat(1000))), Err(Fault::TooLong));
    }
}
