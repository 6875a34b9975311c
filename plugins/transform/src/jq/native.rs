//! jq's filters that are no definitions, beside those that the engine brings: regular expressions, escapes, arithmetic.

use std::fmt::Write as _;

use jaq_core::data::JustLut;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Cv, Error, RunPtr};
use jaq_json::{Val, ValR};
use jaq_std::ValT as _;
use regex_bites::bytes::{Match, Regex, RegexBuilder};

type Data = JustLut<Val>;
type Native = (&'static str, usize, RunPtr<Data>);

/// Every native filter.
pub(super) fn filters() -> impl Iterator<Item = Fun<Data>> {
    let own: [Native; 27] = [
        ("matches", 2, |cv| bome(regex(cv, false, true))),
        ("split_matches", 2, |cv| bome(regex(cv, true, true))),
        ("split_", 2, |cv| bome(regex(cv, true, false))),
        ("encode_html", 0, |cv| bome(text(&cv.1, html))),
        ("encode_uri", 0, |cv| bome(text(&cv.1, uri))),
        ("encode_base64", 0, |cv| bome(text(&cv.1, windflow_sdk::base64::encode))),
        ("decode_base64", 0, |cv| bome(decode_base64(&cv.1))),
        ("escape_csv", 0, |cv| bome(text(&cv.1, |bytes| lossy(bytes).replace('"', "\"\"")))),
        ("escape_tsv", 0, |cv| bome(text(&cv.1, tsv))),
        ("sqrt", 0, |cv| bome(number(&cv.1, f64::sqrt))),
        ("cbrt", 0, |cv| bome(number(&cv.1, f64::cbrt))),
        ("exp", 0, |cv| bome(number(&cv.1, f64::exp))),
        ("exp2", 0, |cv| bome(number(&cv.1, f64::exp2))),
        ("exp10", 0, |cv| bome(number(&cv.1, |x| 10_f64.powf(x)))),
        ("log", 0, |cv| bome(number(&cv.1, f64::ln))),
        ("log2", 0, |cv| bome(number(&cv.1, f64::log2))),
        ("log10", 0, |cv| bome(number(&cv.1, f64::log10))),
        ("fabs", 0, |cv| bome(number(&cv.1, f64::abs))),
        ("trunc", 0, |cv| bome(number(&cv.1, f64::trunc))),
        ("sin", 0, |cv| bome(number(&cv.1, f64::sin))),
        ("cos", 0, |cv| bome(number(&cv.1, f64::cos))),
        ("tan", 0, |cv| bome(number(&cv.1, f64::tan))),
        ("atan", 0, |cv| bome(number(&cv.1, f64::atan))),
        ("pow", 2, |cv| bome(numbers(cv, f64::powf))),
        ("atan2", 2, |cv| bome(numbers(cv, f64::atan2))),
        ("fmin", 2, |cv| bome(numbers(cv, f64::min))),
        ("fmax", 2, |cv| bome(numbers(cv, f64::max))),
    ];
    let engine = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs());
    // `halt` would end the whole instance.
    engine
        .filter(|(name, ..)| *name != "halt")
        .chain(own.into_iter().map(|(name, arity, function)| run::<Data>((name, v(arity), function))))
}

fn fail(message: String) -> Error<Val> {
    Error::str(message)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(value: &Val, function: impl Fn(&[u8]) -> String) -> ValR {
    value.try_as_utf8_bytes().map(|bytes| Val::utf8_str(function(bytes)))
}

fn number(value: &Val, function: impl Fn(f64) -> f64) -> ValR {
    let number = value.as_f64().ok_or_else(|| Error::typ(value.clone(), "number"))?;
    Ok(shortest(function(number)))
}

fn numbers(mut cv: Cv<'_, Data>, function: impl Fn(f64, f64) -> f64) -> ValR {
    let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
    let number = |value: Val| value.as_f64().ok_or_else(|| Error::typ(value, "number"));
    Ok(shortest(function(number(left)?, number(right)?)))
}

/// A whole number as one, so that `4 | sqrt` is `2` and can be an index.
#[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
fn shortest(number: f64) -> Val {
    if number.fract() == 0.0 && number.abs() < f64::from(i32::MAX) {
        Val::from(number as isize)
    } else {
        Val::from(number)
    }
}

fn html(bytes: &[u8]) -> String {
    let mut out = String::new();
    for character in lossy(bytes).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn uri(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn tsv(bytes: &[u8]) -> String {
    lossy(bytes).replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn decode_base64(value: &Val) -> ValR {
    let decoded = windflow_sdk::base64::decode(value.try_as_utf8_bytes()?);
    decoded.map(Val::utf8_str).ok_or_else(|| fail(format!("cannot decode {value} as base64")))
}

/// The parts of a text that match, that do not, or both in turn.
fn regex(mut cv: Cv<'_, Data>, between: bool, matched: bool) -> ValR {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    let (flags, pattern) = (lossy(flags.try_as_utf8_bytes()?), lossy(pattern.try_as_utf8_bytes()?));
    let regex = compile(&pattern, &flags)?;
    let subject = cv.1.try_as_utf8_bytes()?;
    let (mut parts, mut end) = (Vec::new(), 0);
    for captures in regex.captures_iter(subject) {
        let Some(whole) = captures.get(0) else { continue };
        if flags.contains('n') && whole.as_bytes().is_empty() {
            continue;
        }
        if between {
            parts.push(part(&subject[end..whole.start()]));
            end = whole.end();
        }
        if matched {
            let groups = captures.iter().zip(regex.capture_names());
            parts.push(groups.filter_map(|(group, name)| Some(describe(subject, group?, name))).collect());
        }
        if !flags.contains('g') {
            break;
        }
    }
    if between {
        parts.push(part(&subject[end..]));
    }
    Ok(parts.into_iter().collect())
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, Error<Val>> {
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            'g' | 'n' => &mut builder,
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'p' => builder.multi_line(true).dot_matches_new_line(true),
            'l' => builder.swap_greed(true),
            'x' => builder.ignore_whitespace(true),
            other => {
                return Err(fail(format!(
                    "`{other}` is no flag of a regular expression: there are g, n, i, m, s, p, l, x"
                )));
            }
        };
    }
    builder.build().map_err(|error| fail(format!("`{pattern}` is no regular expression: {error}")))
}

fn part(bytes: &[u8]) -> Val {
    Val::utf8_str(bytes.to_vec())
}

/// A match as jq shows it; offset and length count characters.
fn describe(subject: &[u8], group: Match<'_>, name: Option<&str>) -> Val {
    let characters = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().count();
    let field = |name: &str, value: Val| (Val::utf8_str(name.to_owned()), value);
    let mut fields = vec![
        field("offset", Val::from(characters(&subject[..group.start()]))),
        field("length", Val::from(characters(group.as_bytes()))),
        field("string", part(group.as_bytes())),
    ];
    if let Some(name) = name {
        fields.push(field("name", Val::utf8_str(name.to_owned())));
    }
    Val::obj(fields.into_iter().collect())
}
