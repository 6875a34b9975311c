//! JSON text to values and back: objects keep their order, numbers that nobody touches keep their digits.

use jaq_json::{Num, Val, read};
use windflow_sdk::{Json, NodeError};

/// Objects and lists are nested at most this deep, so that reading and writing them fits a guest's small stack.
const MAX_DEPTH: usize = 128;

/// An output is at most this long, in bytes.
const MAX_OUTPUT: usize = 16 * 1024 * 1024;

/// Reads a value.
pub(crate) fn read(json: &Json) -> Result<Val, NodeError> {
    let text = json.as_str();
    if depth(text) > MAX_DEPTH {
        return Err(too_deep());
    }
    read::parse_single(text.as_bytes()).map_err(|error| NodeError::new("invalid_json", error.to_string()))
}

/// Writes a value.
pub(crate) fn write(value: &Val) -> Result<Json, NodeError> {
    let mut text = String::new();
    write_value(&mut text, value, 0)?;
    Json::from_text(text)
}

fn write_value(text: &mut String, value: &Val, depth: usize) -> Result<(), NodeError> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    if text.len() > MAX_OUTPUT {
        return Err(NodeError::new("too_large", "the output is longer than 16 MiB; pick what is needed of it"));
    }
    match value {
        Val::Null => text.push_str("null"),
        Val::Bool(true) => text.push_str("true"),
        Val::Bool(false) => text.push_str("false"),
        Val::Num(Num::Float(number)) if !number.is_finite() => {
            return Err(NodeError::new(
                "no_number",
                "the output holds an infinite number or none at all (NaN), which JSON cannot: look for a division by zero",
            ));
        }
        Val::Num(number) => write_number(text, number),
        Val::TStr(bytes) | Val::BStr(bytes) => write_string(text, bytes)?,
        Val::Arr(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(text, item, depth + 1)?;
            }
            text.push(']');
        }
        Val::Obj(fields) => {
            text.push('{');
            for (index, (key, item)) in fields.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                let Val::TStr(key) = key else {
                    return Err(NodeError::new(
                        "invalid_output",
                        format!("the output has a field whose name is no text: {key}; write `tostring` after it"),
                    ));
                };
                write_string(text, key)?;
                text.push(':');
                write_value(text, item, depth + 1)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn write_number(text: &mut String, number: &Num) {
    let start = text.len();
    text.push_str(&number.to_string());
    // jq reads `+1` and the like; JSON does not.
    if text[start..].starts_with('+') {
        text.remove(start);
    }
}

fn write_string(text: &mut String, bytes: &[u8]) -> Result<(), NodeError> {
    let string = String::from_utf8_lossy(bytes);
    text.push_str(Json::of(string.as_ref())?.as_str());
    Ok(())
}

/// How deep objects and lists are nested in a JSON text.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn too_deep() -> NodeError {
    NodeError::new("too_deep", format!("objects and lists are nested deeper than {MAX_DEPTH} levels"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let json = Json::from_text(text.to_owned()).unwrap();
        assert_eq!(write(&read(&json).unwrap()).unwrap().as_str(), text);
    }

    #[test]
    fn what_is_not_touched_comes_out_as_it_came_in() {
        check(r#"{"z":1,"a":[true,false,null],"":{}}"#);
        check(r#"["é\n\"\\ \u0001",-0.10,1e400,123456789012345678901234567890,4294967296]"#);
        check(&("[".repeat(128) + &"]".repeat(128)));
    }

    #[test]
    fn refuses_what_is_too_deep() {
        let deep = "[".repeat(129) + &"]".repeat(129);
        assert_eq!(read(&Json::from_text(deep).unwrap()).unwrap_err().code, "too_deep");
        assert_eq!(depth(r#"["[[[", "\"[[", {"a": []}]"#), 3);
    }
}
