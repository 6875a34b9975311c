//! Values while an expression is evaluated.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::budget::{Budget, Fault};

/// A value. JSON that an expression reads stays where it lies; only what is built is owned. Numbers of JSON are integers
/// where they fit in 64 bits with a sign, else doubles.
#[derive(Debug, Clone)]
pub(super) enum V<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(&'a str),
    Built(Rc<str>),
    /// A list or an object.
    Json(&'a Value),
    List(Rc<Vec<V<'a>>>),
    Map(Rc<BTreeMap<Rc<str>, V<'a>>>),
    Type(&'static str),
}

impl<'a> V<'a> {
    pub(super) fn borrowed(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Json(value),
        }
    }

    /// A value that nobody else keeps, such as a failure. These are small.
    pub(super) fn owned(value: Value) -> Self {
        match value {
            Value::String(text) => Self::Built(text.into()),
            Value::Array(items) => Self::List(Rc::new(items.into_iter().map(Self::owned).collect())),
            Value::Object(fields) => {
                Self::Map(Rc::new(fields.into_iter().map(|(key, value)| (key.into(), Self::owned(value))).collect()))
            }
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Built(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; none where it is no list.
    pub(super) fn items(&self) -> Option<Items<'_, 'a>> {
        match self {
            Self::Json(Value::Array(items)) => Some(Items::Json(items)),
            Self::List(items) => Some(Items::Built(items)),
            _ => None,
        }
    }

    /// What a comprehension goes over: the items of a list, or the keys of a map in their order.
    pub(super) fn sequence(&self, budget: &mut Budget) -> Result<Option<Vec<V<'a>>>, Fault> {
        Ok(Some(match self {
            Self::Json(Value::Object(fields)) => {
                budget.built(fields.len() * 32)?;
                let mut keys: Vec<_> = fields.keys().map(String::as_str).collect();
                keys.sort_unstable();
                keys.into_iter().map(V::Text).collect()
            }
            Self::Map(fields) => {
                budget.built(fields.len() * 32)?;
                fields.keys().cloned().map(V::Built).collect()
            }
            _ => match self.items() {
                Some(items) => {
                    budget.built(items.len() * 32)?;
                    items.iter().collect()
                }
                None => return Ok(None),
            },
        }))
    }

    /// The value of a key; `Err` where this is no map.
    pub(super) fn field(&self, key: &str) -> Result<Option<V<'a>>, ()> {
        match self {
            Self::Json(Value::Object(fields)) => Ok(fields.get(key).map(V::borrowed)),
            Self::Map(fields) => Ok(fields.get(key).cloned()),
            _ => Err(()),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Uint(_) => "an unsigned integer",
            Self::Double(_) => "a decimal number",
            Self::Text(_) | Self::Built(_) => "text",
            Self::Json(Value::Array(_)) | Self::List(_) => "a list",
            Self::Json(_) | Self::Map(_) => "an object",
            Self::Type(_) => "a type",
        }
    }

    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) | Self::Built(_) => "string",
            Self::Json(Value::Array(_)) | Self::List(_) => "list",
            Self::Json(_) | Self::Map(_) => "map",
            Self::Type(_) => "type",
        }
    }

    /// Turns a result into JSON. What is built is small in memory but may be large when it is written out, since parts
    /// are shared: every part is paid for again.
    pub(super) fn into_json(self, budget: &mut Budget, depth: usize) -> Result<Value, Fault> {
        // JSON that is nested deeper could not be read back.
        if depth > 100 {
            return Err(Fault::fatal("the result is nested too deep"));
        }
        budget.built(16)?;
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => value.into(),
            Self::Uint(value) => value.into(),
            Self::Double(value) => Number::from_f64(value).map(Value::Number).ok_or_else(|| {
                Fault::new("the result is no number (a division by zero, or beyond the largest number)")
            })?,
            Self::Text(text) => {
                budget.built(text.len())?;
                text.into()
            }
            Self::Built(text) => {
                budget.built(text.len())?;
                (*text).into()
            }
            Self::Json(value) => {
                budget.copy(value)?;
                value.clone()
            }
            Self::List(items) => Value::Array(
                items.iter().map(|item| item.clone().into_json(budget, depth + 1)).collect::<Result<_, _>>()?,
            ),
            Self::Map(fields) => {
                let mut object = Map::new();
                for (key, value) in &*fields {
                    budget.built(key.len())?;
                    object.insert(key.to_string(), value.clone().into_json(budget, depth + 1)?);
                }
                Value::Object(object)
            }
            Self::Type(name) => name.into(),
        })
    }
}

/// The items of a list.
pub(super) enum Items<'b, 'a> {
    Json(&'a [Value]),
    Built(&'b [V<'a>]),
}

impl<'a> Items<'_, 'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Built(items) => items.len(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<V<'a>> {
        match self {
            Self::Json(items) => items.get(at).map(V::borrowed),
            Self::Built(items) => items.get(at).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = V<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}
