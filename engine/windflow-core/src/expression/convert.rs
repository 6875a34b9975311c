//! Conversions between types.

use super::budget::{Budget, Fault};
use super::eval::Evaluated;
use super::value::V;

/// The first double beyond the integers.
const TWO_TO_63: f64 = (1_u64 << 63) as f64;

fn unfit(to: &str, value: &V<'_>) -> Fault {
    match value.text() {
        Some(text) => Fault::new(format!("{:?} is no {to}", text.chars().take(40).collect::<String>())),
        None => Fault::new(format!("{} cannot become {to}", value.kind())),
    }
}

pub(super) fn int<'a>(value: &V<'a>) -> Evaluated<'a> {
    let fits = match value {
        V::Int(value) => Some(*value),
        V::Uint(value) => i64::try_from(*value).ok(),
        // Beyond 2^63 either way the cast would saturate without a word.
        V::Double(value) if value.abs() < TWO_TO_63 => Some(*value as i64),
        other => other.text().and_then(|text| text.parse().ok()),
    };
    fits.map(V::Int).ok_or_else(|| unfit("integer", value))
}

pub(super) fn uint<'a>(value: &V<'a>) -> Evaluated<'a> {
    let fits = match value {
        V::Uint(value) => Some(*value),
        V::Int(value) => u64::try_from(*value).ok(),
        V::Double(value) if (0.0..2.0 * TWO_TO_63).contains(value) => Some(*value as u64),
        other => other.text().and_then(|text| text.parse().ok()),
    };
    fits.map(V::Uint).ok_or_else(|| unfit("unsigned integer", value))
}

pub(super) fn double<'a>(value: &V<'a>) -> Evaluated<'a> {
    let fits = match value {
        V::Double(value) => Some(*value),
        V::Int(value) => Some(*value as f64),
        V::Uint(value) => Some(*value as f64),
        other => other.text().and_then(|text| text.parse().ok()),
    };
    fits.map(V::Double).ok_or_else(|| unfit("number", value))
}

pub(super) fn boolean<'a>(value: &V<'a>) -> Evaluated<'a> {
    match (value, value.text()) {
        (V::Bool(value), _) => Ok(V::Bool(*value)),
        (_, Some("true" | "True" | "TRUE" | "t" | "1")) => Ok(V::Bool(true)),
        (_, Some("false" | "False" | "FALSE" | "f" | "0")) => Ok(V::Bool(false)),
        _ => Err(unfit("boolean", value)),
    }
}

pub(super) fn string<'a>(value: &V<'a>, budget: &mut Budget) -> Evaluated<'a> {
    let text = match value {
        V::Text(_) | V::Built(_) => return Ok(value.clone()),
        V::Bool(value) => value.to_string(),
        V::Int(value) => value.to_string(),
        V::Uint(value) => value.to_string(),
        V::Double(value) => value.to_string(),
        other => return Err(unfit("text", other)),
    };
    budget.built(text.len())?;
    Ok(V::Built(text.into()))
}
