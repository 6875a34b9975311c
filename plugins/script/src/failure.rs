//! What went wrong in the code, and where.

use windflow_sdk::NodeError;
use windflow_sdk::serde_json::json;

/// What the engine calls the code in places.
pub(crate) const NAME: &str = "script";

/// The lines that the engine sees before the code.
const LINES_BEFORE: usize = 1;

/// Code that cannot be read.
pub(crate) fn syntax(error: &str, code: &str) -> NodeError {
    let (message, place) = match error.rsplit_once(" at line ") {
        Some((message, place)) => {
            (message, place.split_once(", col ").and_then(|(line, column)| numbers(line, column)))
        }
        None => (error, None),
    };
    told("script_syntax", message, place, code)
}

/// Code that threw.
pub(crate) fn thrown(error: &str, code: &str) -> NodeError {
    // The functions that called each other follow, the innermost first: where it was thrown.
    let calls = error.find("\n    at ").map_or(error, |at| &error[at..]);
    let place = calls.split_once(&format!("({NAME}:")).and_then(|(_, place)| {
        let (line, column) = place.split_once(':')?;
        numbers(line, column)
    });
    let message = error.split("\n    at ").next().unwrap_or(error);
    let message = message.split(&format!(" ({NAME}:")).next().unwrap_or(message);
    told("script_failed", message, place, code)
}

fn numbers(line: &str, column: &str) -> Option<(usize, usize)> {
    let column = column.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((line.parse::<usize>().ok()?.checked_sub(LINES_BEFORE)?, column.parse().ok()?))
}

fn told(kind: &'static str, message: &str, place: Option<(usize, usize)>, code: &str) -> NodeError {
    // Where its own functions throw, the engine says so behind the message, which tells an author nothing.
    let message = message.trim();
    let message = message.strip_suffix("(native)").map_or(message, str::trim_end);
    match place {
        Some((line, column)) if (1..=code.lines().count()).contains(&line) => {
            NodeError::new(kind, format!("the code, line {line}, column {column}: {message}"))
                .with_details(&json!({ "line": line, "column": column }))
        }
        Some(_) => NodeError::new(kind, format!("the code, at its end: {message}")),
        None => NodeError::new(kind, format!("the code: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use windflow_sdk::serde_json::{self, Value};

    use super::*;

    #[test]
    fn places_are_those_of_the_code() {
        let code = "const a = 1;\nreturn a.b.c";
        let error = thrown(
            "TypeError: cannot convert 'null' or 'undefined' to object (script:4:1)\n    at f (script:3:12)\n    at <main> (script:4:1)",
            code,
        );
        assert_eq!(
            error.message,
            "the code, line 2, column 12: TypeError: cannot convert 'null' or 'undefined' to object"
        );
        let details: Value = serde_json::from_slice(&error.details.unwrap()).unwrap();
        assert_eq!(details, json!({ "line": 2, "column": 12 }));
        let error = syntax("SyntaxError: expected token ';', got 'b' in statement at line 2, col 7", code);
        assert_eq!(error.message, "the code, line 1, column 7: SyntaxError: expected token ';', got 'b' in statement");
        let error = syntax("SyntaxError: unexpected token '}' at line 4, col 1", code);
        assert_eq!(error.message, "the code, at its end: SyntaxError: unexpected token '}'");
        assert_eq!(thrown("\"text\"", code).message, "the code: \"text\"");
    }
}
