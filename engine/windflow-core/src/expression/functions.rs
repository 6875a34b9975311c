//! Functions.

use std::rc::Rc;

use regex::{Regex, RegexBuilder};

use super::budget::{Budget, Fault};
use super::code::Function;
use super::eval::Evaluated;
use super::value::V;

/// Longest pattern, in bytes, and how large it may become when it is compiled.
const MAX_PATTERN: usize = 512;
const MAX_COMPILED_PATTERN: usize = 1 << 18;

/// Compiles a pattern of `matches`.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > MAX_PATTERN {
        return Err(format!("a pattern has {MAX_PATTERN} bytes at most"));
    }
    RegexBuilder::new(text).size_limit(MAX_COMPILED_PATTERN).dfa_size_limit(1 << 20).nest_limit(32).build().map_err(
        |error| {
            // The last line of the report says what is wrong; those before it draw the pattern.
            let report = error.to_string();
            format!("this is no pattern: {}", report.lines().last().unwrap_or_default().trim_start_matches("error: "))
        },
    )
}

pub(super) fn matches(text: &V<'_>, pattern: &Regex, budget: &mut Budget) -> Result<bool, Fault> {
    let text = text.text().ok_or_else(|| unfit("matches", text))?;
    // Repetitions such as `(a{50}){50}` make every byte dear.
    let weight = if pattern.as_str().contains('{') { 16 } else { 1 };
    budget.work(text.len().saturating_mul(weight))?;
    Ok(pattern.is_match(text))
}

fn unfit(function: &str, value: &V<'_>) -> Fault {
    Fault::new(format!("`{function}` cannot be used with {}", value.kind()))
}

pub(super) fn call<'a>(function: Function, arguments: &[V<'a>], budget: &mut Budget) -> Evaluated<'a> {
    let Some(first) = arguments.first() else { return Ok(V::Null) };
    match function {
        Function::Size => size(first, budget),
        Function::Dyn => Ok(first.clone()),
        Function::Type => Ok(V::Type(first.type_name())),
        Function::Int => super::convert::int(first),
        Function::Uint => super::convert::uint(first),
        Function::Double => super::convert::double(first),
        Function::Bool => super::convert::boolean(first),
        Function::String => super::convert::string(first, budget),
        Function::Join => join(first, arguments.get(1), budget),
        Function::Substring => substring(arguments, budget),
        _ => text_function(function, arguments, budget),
    }
}

fn size<'a>(value: &V<'a>, budget: &mut Budget) -> Evaluated<'a> {
    let length = if let Some(text) = value.text() {
        budget.work(text.len() / 32)?;
        text.chars().count()
    } else if let Some(items) = value.items() {
        items.len()
    } else {
        match value {
            V::Json(serde_json::Value::Object(fields)) => fields.len(),
            V::Map(fields) => fields.len(),
            other => return Err(unfit("size", other)),
        }
    };
    Ok(V::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn text_argument<'b>(name: &str, arguments: &'b [V<'_>], at: usize) -> Result<&'b str, Fault> {
    let value = arguments.get(at).unwrap_or(&V::Null);
    value.text().ok_or_else(|| unfit(name, value))
}

fn text_function<'a>(function: Function, arguments: &[V<'a>], budget: &mut Budget) -> Evaluated<'a> {
    let text = text_argument("a function of text", arguments, 0)?;
    let other = || text_argument("a function of text", arguments, 1);
    budget.work(1 + text.len() / 16)?;
    let build = |text: String, budget: &mut Budget| {
        budget.built(text.len())?;
        Ok(V::Built(text.into()))
    };
    match function {
        Function::Contains => Ok(V::Bool(text.contains(other()?))),
        Function::StartsWith => Ok(V::Bool(text.starts_with(other()?))),
        Function::EndsWith => Ok(V::Bool(text.ends_with(other()?))),
        Function::Matches => {
            budget.work(1000)?;
            let pattern = pattern(other()?).map_err(Fault::new)?;
            Ok(V::Bool(matches(&arguments[0], &pattern, budget)?))
        }
        Function::LowerAscii => build(text.to_ascii_lowercase(), budget),
        Function::UpperAscii => build(text.to_ascii_uppercase(), budget),
        Function::Trim => build(text.trim().to_owned(), budget),
        Function::Split => split(text, other()?, budget),
        Function::Replace => replace(text, other()?, text_argument("replace", arguments, 2)?, budget),
        _ => {
            let at = text.find(other()?).map_or(-1, |at| i64::try_from(text[..at].chars().count()).unwrap_or(i64::MAX));
            Ok(V::Int(at))
        }
    }
}

fn split<'a>(text: &str, separator: &str, budget: &mut Budget) -> Evaluated<'a> {
    let mut parts = Vec::new();
    let mut add = |part: &str| {
        budget.work(1)?;
        budget.built(48 + part.len())?;
        parts.push(V::Built(part.into()));
        Ok(())
    };
    if separator.is_empty() {
        text.chars().try_for_each(|c| add(c.encode_utf8(&mut [0; 4])))?;
    } else {
        text.split(separator).try_for_each(add)?;
    }
    Ok(V::List(Rc::new(parts)))
}

fn replace<'a>(text: &str, from: &str, to: &str, budget: &mut Budget) -> Evaluated<'a> {
    // Counted before it is built: a short text can become a very long one.
    let found = text.matches(from).count();
    budget.built(text.len().saturating_add(found.saturating_mul(to.len())))?;
    budget.work(found)?;
    Ok(V::Built(text.replace(from, to).into()))
}

fn join<'a>(list: &V<'a>, separator: Option<&V<'a>>, budget: &mut Budget) -> Evaluated<'a> {
    let items = list.items().ok_or_else(|| unfit("join", list))?;
    let separator = match separator {
        Some(separator) => separator.text().ok_or_else(|| unfit("join", separator))?,
        None => "",
    };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        let text =
            item.text().ok_or_else(|| Fault::new(format!("`join` joins texts, but item {at} is {}", item.kind())))?;
        budget.work(1)?;
        budget.built(separator.len() + text.len())?;
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
    }
    Ok(V::Built(out.into()))
}

fn substring<'a>(arguments: &[V<'a>], budget: &mut Budget) -> Evaluated<'a> {
    let text = text_argument("substring", arguments, 0)?;
    budget.work(text.len() / 16)?;
    let offset = |at: usize, default: usize| match arguments.get(at) {
        None => Ok(default),
        Some(V::Int(chars)) => {
            let chars = usize::try_from(*chars).ok();
            // The end of the text is an offset too.
            let found = chars.and_then(|chars| text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(chars));
            found.ok_or_else(|| Fault::new("`substring` reaches outside the text"))
        }
        Some(other) => Err(unfit("substring", other)),
    };
    let (start, end) = (offset(1, 0)?, offset(2, text.len())?);
    let part = text.get(start..end).ok_or_else(|| Fault::new("`substring` ends before it begins"))?;
    budget.built(part.len())?;
    Ok(V::Built(part.into()))
}
