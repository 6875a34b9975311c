//! Operators.

use std::cmp::Ordering;
use std::rc::Rc;

use super::budget::{Budget, Fault};
use super::code::Operator;
use super::eval::Evaluated;
use super::value::V;
use super::walk::keys;

fn mismatch(operator: &str, left: &V<'_>, right: &V<'_>) -> Fault {
    let fault = Fault::new(format!("`{operator}` does not go together with {} and {}", left.kind(), right.kind()));
    match (left, right) {
        (V::Null, _) | (_, V::Null) => fault,
        (V::Text(_) | V::Built(_), _) | (_, V::Text(_) | V::Built(_)) => {
            fault.remedy("convert with string(…), int(…) or double(…)")
        }
        _ => fault,
    }
}

fn overflow() -> Fault {
    Fault::new("the result does not fit in 64 bits").remedy("calculate with decimals: double(…)")
}

pub(super) fn negate<'a>(value: &V<'a>) -> Evaluated<'a> {
    match value {
        V::Int(value) => value.checked_neg().map(V::Int).ok_or_else(overflow),
        V::Double(value) => Ok(V::Double(-value)),
        other => Err(Fault::new(format!("`-` needs a number, not {}", other.kind()))),
    }
}

pub(super) fn add<'a>(left: &V<'a>, right: &V<'a>, budget: &mut Budget) -> Evaluated<'a> {
    if let (Some(a), Some(b)) = (left.text(), right.text()) {
        budget.built(a.len() + b.len())?;
        let mut text = String::with_capacity(a.len() + b.len());
        text.push_str(a);
        text.push_str(b);
        return Ok(V::Built(text.into()));
    }
    if let (Some(a), Some(b)) = (left.items(), right.items()) {
        budget.built((a.len() + b.len()) * 32)?;
        return Ok(V::List(Rc::new(a.iter().chain(b.iter()).collect())));
    }
    match (left, right) {
        (V::Int(a), V::Int(b)) => a.checked_add(*b).map(V::Int).ok_or_else(overflow),
        (V::Uint(a), V::Uint(b)) => a.checked_add(*b).map(V::Uint).ok_or_else(overflow),
        _ => match doubles(left, right) {
            Some((a, b)) => Ok(V::Double(a + b)),
            None => Err(mismatch("+", left, right)),
        },
    }
}

/// Both as doubles, where at least one is. CEL itself refuses to mix, but JSON does not tell 10 from 10.0: an expression
/// would fail on some data and not on other.
fn doubles(left: &V<'_>, right: &V<'_>) -> Option<(f64, f64)> {
    match (left, right) {
        (V::Double(a), V::Double(b)) => Some((*a, *b)),
        (V::Double(a), V::Int(b)) => Some((*a, *b as f64)),
        (V::Int(a), V::Double(b)) => Some((*a as f64, *b)),
        _ => None,
    }
}

pub(super) fn arithmetic<'a>(operator: Operator, left: &V<'a>, right: &V<'a>) -> Evaluated<'a> {
    let symbol = match operator {
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        _ => "%",
    };
    let divides = matches!(operator, Operator::Divide | Operator::Modulo);
    match (left, right) {
        (V::Int(_), V::Int(0)) | (V::Uint(_), V::Uint(0)) if divides => Err(Fault::new("division by zero")),
        (V::Int(a), V::Int(b)) => match operator {
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(V::Int)
        .ok_or_else(overflow),
        (V::Uint(a), V::Uint(b)) => match operator {
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(V::Uint)
        .ok_or_else(overflow),
        _ => match (operator, doubles(left, right)) {
            (Operator::Subtract, Some((a, b))) => Ok(V::Double(a - b)),
            (Operator::Multiply, Some((a, b))) => Ok(V::Double(a * b)),
            (Operator::Divide, Some((a, b))) => Ok(V::Double(a / b)),
            _ => Err(mismatch(symbol, left, right)),
        },
    }
}

/// How two numbers compare, whatever their types; none where one is no number or not comparable.
fn numbers(left: &V<'_>, right: &V<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (V::Int(a), V::Int(b)) => Some(a.cmp(b)),
        (V::Uint(a), V::Uint(b)) => Some(a.cmp(b)),
        (V::Int(a), V::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (V::Uint(a), V::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (V::Double(a), V::Double(b)) => a.partial_cmp(b),
        (V::Double(a), V::Int(b)) => against(*a, i128::from(*b)),
        (V::Double(a), V::Uint(b)) => against(*a, i128::from(*b)),
        (V::Int(a), V::Double(b)) => against(*b, i128::from(*a)).map(Ordering::reverse),
        (V::Uint(a), V::Double(b)) => against(*b, i128::from(*a)).map(Ordering::reverse),
        _ => return None,
    })
}

/// Exactly: converting a large integer to a double would make different numbers equal.
fn against(double: f64, integer: i128) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double.abs() >= 1e20 {
        return Some(if double > 0.0 { Ordering::Greater } else { Ordering::Less });
    }
    let whole = double.trunc() as i128;
    Some(whole.cmp(&integer).then(double.fract().partial_cmp(&0.0)?))
}

pub(super) fn equal(left: &V<'_>, right: &V<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    budget.work(1)?;
    if let Some(order) = numbers(left, right) {
        return Ok(order == Some(Ordering::Equal));
    }
    if let (Some(a), Some(b)) = (left.text(), right.text()) {
        budget.work(a.len().min(b.len()) / 16)?;
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (left.items(), right.items()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b.iter()) {
            if !equal(&a, &b, budget)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    Ok(match (left, right) {
        (V::Null, V::Null) => true,
        (V::Bool(a), V::Bool(b)) => a == b,
        (V::Type(a), V::Type(b)) => a == b,
        (V::Json(_) | V::Map(_), V::Json(_) | V::Map(_)) if left.items().is_none() && right.items().is_none() => {
            let names = keys(left);
            budget.work(names.len())?;
            if names.len() != keys(right).len() {
                return Ok(false);
            }
            for name in names {
                match (left.field(name), right.field(name)) {
                    (Ok(Some(a)), Ok(Some(b))) if equal(&a, &b, budget)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// `in`.
pub(super) fn contains(item: &V<'_>, within: &V<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    if let Some(items) = within.items() {
        for candidate in items.iter() {
            if equal(item, &candidate, budget)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    match (within, item.text()) {
        (V::Json(_) | V::Map(_), Some(key)) => Ok(matches!(within.field(key), Ok(Some(_)))),
        (V::Json(_) | V::Map(_), None) => Ok(false),
        (V::Text(_) | V::Built(_), Some(_)) => {
            Err(Fault::new("`in` looks into a list or an object, not into text").remedy("write text.contains(part)"))
        }
        _ => Err(mismatch("in", item, within)),
    }
}

pub(super) fn compare(operator: Operator, left: &V<'_>, right: &V<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    let order = if let Some(order) = numbers(left, right) {
        order
    } else if let (Some(a), Some(b)) = (left.text(), right.text()) {
        budget.work(a.len().min(b.len()) / 16)?;
        Some(a.cmp(b))
    } else if let (V::Bool(a), V::Bool(b)) = (left, right) {
        Some(a.cmp(b))
    } else {
        let symbol = match operator {
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            _ => ">=",
        };
        return Err(mismatch(symbol, left, right));
    };
    Ok(order.is_some_and(|order| match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        _ => order.is_ge(),
    }))
}
