//! Setting, picking, renaming and removing of fields.

use jaq_json::{Map, Val};
use windflow_sdk::{Fields, Json, NodeError};

use crate::path::Path;
use crate::value;

pub(crate) fn set(mut input: Val, values: &Fields<Json>) -> Result<Val, NodeError> {
    check(&input, "set", true)?;
    for (path, json) in &values.0 {
        Path::parse(path)?.set(&mut input, value::read(json)?)?;
    }
    Ok(input)
}

pub(crate) fn pick(input: &Val, paths: &[String]) -> Result<Val, NodeError> {
    check(input, "pick", false)?;
    let mut picked = Val::obj(Map::default());
    for path in paths {
        let path = Path::parse(path)?;
        if let Some(value) = path.get(input) {
            path.set(&mut picked, value.clone())?;
        }
    }
    Ok(picked)
}

pub(crate) fn rename(mut input: Val, names: &Fields<String>) -> Result<Val, NodeError> {
    check(&input, "rename", false)?;
    // First all are taken and then all are put, so that two fields can change places.
    let mut taken = Vec::new();
    for (from, to) in &names.0 {
        let to = Path::parse(to)?;
        if let Some(value) = Path::parse(from)?.take(&mut input) {
            taken.push((to, value));
        }
    }
    for (to, value) in taken {
        to.set(&mut input, value)?;
    }
    Ok(input)
}

pub(crate) fn remove(mut input: Val, paths: &[String]) -> Result<Val, NodeError> {
    check(&input, "remove", false)?;
    for path in paths {
        Path::parse(path)?.take(&mut input);
    }
    Ok(input)
}

/// Fields are those of an object. Setting some of nothing makes one.
fn check(input: &Val, operation: &str, or_null: bool) -> Result<(), NodeError> {
    let (what, remedy) = match input {
        Val::Obj(_) => return Ok(()),
        Val::Null if or_null => return Ok(()),
        Val::Arr(_) => ("a list", "to change each item write `jq`, such as `map({ id, name })`"),
        Val::Null => ("null", "look at what comes before this node"),
        _ => ("a single value", "to make something of it write `jq`"),
    };
    Err(NodeError::new("no_object", format!("`{operation}` needs an object, but `input` is {what}; {remedy}")))
}
