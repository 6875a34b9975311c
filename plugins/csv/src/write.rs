//! From JSON to a table.

use windflow_sdk::serde_json::Value;
use windflow_sdk::{Fields, Json, NodeError, config, node};

use crate::delimiter;

/// What is written, and how.
#[config]
pub struct Config {
    /// A list of objects or of lists; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    rows: Json,
    /// Which columns, in which order; else all of them, in the order in which they appear.
    #[serde(default)]
    columns: Vec<String>,
    /// One character.
    #[serde(default = "comma")]
    delimiter: String,
    /// Whether the first line names the columns.
    #[serde(default = "yes")]
    header: bool,
    /// Leave texts as they are that a spreadsheet would take for formulas. By default an apostrophe comes before them.
    #[serde(default)]
    formulas: bool,
}

fn comma() -> String {
    ",".to_owned()
}

fn yes() -> bool {
    true
}

fn wrong(message: impl Into<String>) -> NodeError {
    NodeError::new("invalid_config", message)
}

/// Writes the table.
#[node(name = "csv-write")]
pub fn csv_write(config: Config) -> Result<String, NodeError> {
    let rows: Vec<Json> = config.rows.parse().map_err(|_| wrong("`rows` is no list"))?;
    let mut writer =
        csv::WriterBuilder::new().delimiter(delimiter(&config.delimiter)?).flexible(true).from_writer(Vec::new());
    let cannot = |error: csv::Error| wrong(format!("the table cannot be written: {error}"));
    let objects = rows.first().is_some_and(|row| row.as_str().starts_with('{'));
    if objects {
        // Read in the order in which they were written.
        let rows: Vec<Fields<Value>> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| row.parse().map_err(|_| wrong(format!("`rows`: row {} is no object", index + 1))))
            .collect::<Result<_, _>>()?;
        let columns = if config.columns.is_empty() { columns(&rows) } else { config.columns };
        if config.header {
            writer.write_record(&columns).map_err(cannot)?;
        }
        for row in &rows {
            let cells = columns.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null), config.formulas));
            writer.write_record(cells).map_err(cannot)?;
        }
    } else {
        if config.header && !config.columns.is_empty() {
            writer.write_record(&config.columns).map_err(cannot)?;
        }
        for (index, row) in rows.iter().enumerate() {
            let row: Vec<Value> =
                row.parse().map_err(|_| wrong(format!("`rows`: row {} is no list as the first", index + 1)))?;
            writer.write_record(row.iter().map(|value| cell(value, config.formulas))).map_err(cannot)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))
}

fn columns(rows: &[Fields<Value>]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for (name, _) in rows.iter().flat_map(|row| &row.0) {
        if known.insert(name) {
            columns.push(name.clone());
        }
    }
    columns
}

fn cell(value: &Value, formulas: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if !formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::json;
    use windflow_sdk::testing;

    use super::*;

    #[track_caller]
    fn check(config: Value, expect: &str) {
        assert_eq!(testing::run(csv_write::NODE, config).unwrap().value, json!(expect));
    }

    #[test]
    fn objects_and_lists_become_rows() {
        let rows = json!([{ "name": "Ada, \"L\"", "n": 1.5 }, { "n": null, "tags": ["a"] }]);
        check(json!({ "rows": rows }), "name,n,tags\n\"Ada, \"\"L\"\"\",1.5,\n,,\"[\"\"a\"\"]\"\n");
        check(json!({ "rows": rows, "columns": ["n", "x"], "header": false, "delimiter": ";" }), "1.5;\n;\n");
        check(json!({ "rows": [[1, true], ["x"]], "columns": ["a", "b"] }), "a,b\n1,true\nx\n");
        check(json!({ "rows": [] }), "");
    }

    #[test]
    fn spreadsheets_are_given_no_formulas() {
        check(json!({ "rows": [["=HYPERLINK(1)", "@x", -1, "a=b"]] }), "'=HYPERLINK(1),'@x,-1,a=b\n");
        check(json!({ "rows": [["=1+1"]], "formulas": true }), "=1+1\n");
    }

    #[test]
    fn says_which_row_is_wrong() {
        for (rows, says) in
            [(json!({}), "no list"), (json!([{}, 1]), "row 2 is no object"), (json!([[], 1]), "row 2 is no list")]
        {
            let error = testing::run(csv_write::NODE, json!({ "rows": rows })).unwrap_err();
            assert!(error.message.contains(says), "{error}");
        }
    }
}
