//! From a table to JSON.

use windflow_sdk::serde_json::{Map, Value};
use windflow_sdk::{NodeError, config, node};

use crate::delimiter;

/// What is read, and how.
#[config]
pub struct Config {
    /// The table; what came in, unless you write something else.
    #[serde(default = "input")]
    text: String,
    /// One character; left out, the one of the first line: comma, semicolon, tab or bar.
    #[serde(default)]
    delimiter: Option<String>,
    /// Whether the first line names the columns. If not, a list of lists is given.
    #[serde(default = "yes")]
    header: bool,
    /// Whether numbers, true, false and empty cells become what they are, and not text.
    #[serde(default = "yes")]
    types: bool,
    /// How many rows are read at most; the node fails beyond.
    #[serde(default = "many")]
    max_rows: u32,
}

fn input() -> String {
    "${{ input }}".to_owned()
}

fn yes() -> bool {
    true
}

fn many() -> u32 {
    100_000
}

/// Reads the table.
#[node(name = "csv-read")]
pub fn csv_read(config: Config) -> Result<Vec<Value>, NodeError> {
    // Spreadsheets begin with a byte order mark.
    let text = config.text.strip_prefix('\u{feff}').unwrap_or(&config.text);
    let delimiter = match &config.delimiter {
        Some(written) => delimiter(written)?,
        None => guess(text),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(config.header)
        .flexible(!config.header)
        .from_reader(text.as_bytes());
    let names = if config.header { names(reader.headers().map_err(|error| invalid(&error))?)? } else { Vec::new() };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| invalid(&error))?;
        if rows.len() == config.max_rows as usize {
            let message = format!("the table has more than {} rows; raise `max_rows`", config.max_rows);
            return Err(NodeError::new("too_large", message));
        }
        let cells = record.iter().map(|cell| if config.types { typed(cell) } else { Value::from(cell) });
        rows.push(if config.header {
            Value::Object(names.iter().cloned().zip(cells).collect::<Map<_, _>>())
        } else {
            Value::Array(cells.collect())
        });
    }
    Ok(rows)
}

/// The names of the columns. One that is empty or comes twice would lose cells.
fn names(header: &csv::StringRecord) -> Result<Vec<String>, NodeError> {
    let mut names: Vec<String> = Vec::new();
    for (index, name) in header.iter().map(str::trim).enumerate() {
        let name = if name.is_empty() { format!("column_{}", index + 1) } else { name.to_owned() };
        if names.contains(&name) {
            let message = format!("two columns are named `{name}`; rename one, or read with `header: false`");
            return Err(NodeError::new("invalid_csv", message));
        }
        names.push(name);
    }
    Ok(names)
}

/// The usual delimiter that the first line has most of, outside of quotes.
fn guess(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, count)| *count += 1),
        }
    }
    // Of several that come as often, the first.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

fn typed(cell: &str) -> Value {
    match cell {
        "" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(cell).unwrap_or_else(|| Value::from(cell)),
    }
}

/// Numbers as JSON writes them; `007` is a code, and digits beyond 64 bits would be lost.
fn number(cell: &str) -> Option<Value> {
    if !cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    if let Ok(whole) = cell.parse::<i64>() {
        return (whole.to_string() == cell).then(|| Value::from(whole));
    }
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let value = windflow_sdk::serde_json::from_str::<Value>(cell).ok().filter(Value::is_f64)?;
    (digits <= 15).then_some(value)
}

fn invalid(error: &csv::Error) -> NodeError {
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!(
                "line {line} has {len} cells where the first has {expected_len}; look for the delimiter, or read with `header: false`"
            )
        }
        _ => error.to_string(),
    };
    NodeError::new("invalid_csv", problem)
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    #[track_caller]
    fn check(config: Value, expect: Value) {
        assert_eq!(testing::run(csv_read::NODE, config).unwrap().value, expect);
    }

    #[test]
    fn cells_become_what_they_are() {
        let text =
            "\u{feff}name,n,ok,code,big\r\n\"Ada, L.\",1,true,007,12345678901234567890\n\"a \"\"b\"\"\",-1.5,,+3,1e3\n";
        check(
            json!({ "text": text }),
            json!([
                { "name": "Ada, L.", "n": 1, "ok": true, "code": "007", "big": "12345678901234567890" },
                { "name": "a \"b\"", "n": -1.5, "ok": null, "code": "+3", "big": 1000.0 },
            ]),
        );
        check(json!({ "text": "a\n1", "types": false }), json!([{ "a": "1" }]));
        check(json!({ "text": "" }), json!([]));
    }

    #[test]
    fn delimiters_are_found_or_written() {
        for delimiter in [",", ";", "\t", "|"] {
            check(json!({ "text": format!("\"x,;x\"{delimiter}b\n1{delimiter}2") }), json!([{ "x,;x": 1, "b": 2 }]));
        }
        check(json!({ "text": "a:b\n1:2", "delimiter": ":" }), json!([{ "a": 1, "b": 2 }]));
        check(json!({ "text": "1,2\n3", "header": false }), json!([[1, 2], [3]]));
    }

    #[test]
    fn says_what_is_wrong() {
        for (config, code, says) in [
            (json!({ "text": "a,b\n1,2\n3" }), "invalid_csv", "line 3 has 1 cells"),
            (json!({ "text": "a,a\n1,2" }), "invalid_csv", "two columns are named `a`"),
            (json!({ "text": "a\n1\n2", "max_rows": 1 }), "too_large", "more than 1 rows"),
            (json!({ "text": "a", "delimiter": "ab" }), "invalid_config", "one character"),
        ] {
            let error = testing::run(csv_read::NODE, config).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.contains(says), "{error}");
        }
    }
}
