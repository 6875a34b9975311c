//! `file`: files that the nodes of a run share until it ends.

use windflow_sdk::files::{self, Error};
use windflow_sdk::{Json, NodeError, base64, config, node, output};

/// What is read of a file at most, in bytes: as base64 it still is an output.
const MOST: usize = 8 << 20;

/// Which file, and what is done with it.
#[config]
pub struct Config {
    /// The file, as reports/may.csv; to list and to remove also a folder, or nothing for all.
    #[serde(default)]
    path: String,
    /// What is done.
    #[serde(default)]
    action: Action,
    /// What is written; what came in, unless you write something else.
    #[serde(default = "windflow_sdk::input")]
    content: Json,
    /// What the content is outside of the file.
    #[serde(default, rename = "as")]
    form: Form,
}

/// What is done.
#[config]
#[derive(Default, Clone, Copy)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Reads a file, of 8 MiB at most.
    #[default]
    Read,
    /// Writes a file, whatever was there before.
    Write,
    /// Tells which files there are.
    List,
    /// Takes away a file, or all below a folder.
    Remove,
}

/// What content is outside of the file.
#[config]
#[derive(Default, Clone, Copy)]
#[cfg_attr(not(target_arch = "wasm32"), derive(windflow_sdk::serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Text in UTF-8. What is no text is written as JSON.
    #[default]
    Text,
    /// Any value, which is JSON in the file.
    Json,
    /// Any bytes, in Base64.
    Base64,
}

/// What was done.
#[output]
#[derive(Default)]
pub struct Output {
    /// The file or folder.
    path: String,
    /// How long the file is, or all files that were listed together.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Json>,
    /// The files that there are, by their paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<Listed>>,
    /// How many files were taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<u32>,
}

/// A file.
#[output]
pub struct Listed {
    /// Where it is.
    path: String,
    /// How long it is.
    bytes: u64,
}

/// Does it.
#[node]
pub fn file(config: Config) -> Result<Output, NodeError> {
    let Config { path, action, content, form } = config;
    if path.is_empty() && matches!(action, Action::Read | Action::Write) {
        return Err(NodeError::new("no_path", "`path` is empty: name the file, as in reports/may.csv"));
    }
    let output = match action {
        Action::Read => {
            let bytes = files::read(&path, MOST).map_err(|error| explained(error, &path))?;
            let length = bytes.len() as u64;
            Output { bytes: Some(length), content: Some(given(bytes, form, &path)?), ..Output::default() }
        }
        Action::Write => {
            let bytes = written(&content, form)?;
            files::write(&path, &bytes)?;
            Output { bytes: Some(bytes.len() as u64), ..Output::default() }
        }
        Action::List => {
            let found: Vec<Listed> =
                files::list(&path)?.into_iter().map(|file| Listed { path: file.path, bytes: file.bytes }).collect();
            Output { bytes: Some(found.iter().map(|file| file.bytes).sum()), files: Some(found), ..Output::default() }
        }
        Action::Remove => Output { removed: Some(files::remove(&path)?), ..Output::default() },
    };
    Ok(Output { path, ..output })
}

/// The bytes of a file that is to have this content.
fn written(content: &Json, form: Form) -> Result<Vec<u8>, NodeError> {
    let is_text = content.as_str().starts_with('"');
    match form {
        Form::Text if is_text => Ok(content.parse::<String>()?.into_bytes()),
        Form::Text | Form::Json => Ok(content.as_str().as_bytes().to_vec()),
        Form::Base64 => {
            let text = if is_text { content.parse::<String>()? } else { String::new() };
            let decoded = base64::decode(text.as_bytes()).filter(|_| is_text);
            decoded.ok_or_else(|| {
                NodeError::new("invalid_base64", "`content` is no Base64: look at where it comes from, or at `as`")
            })
        }
    }
}

/// What a file has, as it is wanted.
fn given(bytes: Vec<u8>, form: Form, path: &str) -> Result<Json, NodeError> {
    if matches!(form, Form::Base64) {
        return Json::of(&base64::encode(&bytes));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| NodeError::new("not_text", format!("{path} is no text in UTF-8: read it with `as: base64`")))?;
    match form {
        Form::Json => Json::from_text(text)
            .map_err(|error| NodeError::new("not_json", format!("{path} is no JSON: {}", error.message))),
        Form::Text | Form::Base64 => Json::of(&text),
    }
}

fn explained(error: Error, path: &str) -> NodeError {
    match error {
        Error::NotFound => NodeError::new(
            "file_not_found",
            format!("the run has no file {path}; `action: list` tells which there are. Files go when their run ends"),
        ),
        other => other.into(),
    }
}

windflow_sdk::plugin!(file);

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "tests hand over `json!(…)`")]
mod tests {
    use windflow_sdk::serde_json::{Value, json};
    use windflow_sdk::testing;

    use super::*;

    fn run(config: Value) -> Result<Value, NodeError> {
        let mut config = config;
        // The engine's to fill.
        config.as_object_mut().unwrap().entry("content").or_insert(Value::Null);
        testing::run(file::NODE, config).map(|emitted| emitted.value)
    }

    #[track_caller]
    fn check(config: Value, output: Value) {
        assert_eq!(run(config).unwrap(), output);
    }

    #[test]
    fn what_is_written_is_read_listed_and_removed() {
        check(
            json!({ "path": "a/b.txt", "action": "write", "content": "é" }),
            json!({ "path": "a/b.txt", "bytes": 2 }),
        );
        check(json!({ "path": "a/b.txt" }), json!({ "path": "a/b.txt", "bytes": 2, "content": "é" }));
        check(
            json!({ "path": "a/c", "action": "write", "content": { "n": 1.50 } }),
            json!({ "path": "a/c", "bytes": 9 }),
        );
        check(
            json!({ "path": "", "action": "list" }),
            json!({ "path": "", "bytes": 11, "files": [{ "path": "a/b.txt", "bytes": 2 }, { "path": "a/c", "bytes": 9 }] }),
        );
        check(json!({ "path": "a/b.txt", "action": "remove" }), json!({ "path": "a/b.txt", "removed": 1 }));
        assert_eq!(run(json!({ "path": "a/b.txt" })).unwrap_err().code, "file_not_found");
        check(json!({ "action": "remove" }), json!({ "path": "", "removed": 1 }));
        check(json!({ "action": "list" }), json!({ "path": "", "bytes": 0, "files": [] }));
    }

    #[test]
    fn content_has_the_form_that_is_wanted() {
        for (form, given, bytes) in [
            ("text", json!("a\n\"b\""), "a\n\"b\""),
            ("json", json!("a\n\"b\""), r#""a\n\"b\"""#),
            ("json", json!({ "k": [1, null] }), r#"{"k":[1,null]}"#),
            ("base64", json!("YSsv"), "a+/"),
        ] {
            run(json!({ "path": "f", "action": "write", "content": given, "as": form })).unwrap();
            assert_eq!(run(json!({ "path": "f" })).unwrap()["content"], bytes);
            assert_eq!(run(json!({ "path": "f", "as": form })).unwrap()["content"], given);
        }
        // Any bytes.
        run(json!({ "path": "f", "action": "write", "content": "/wA=", "as": "base64" })).unwrap();
        assert_eq!(run(json!({ "path": "f", "as": "base64" })).unwrap()["content"], "/wA=");
        for (form, code) in [("text", "not_text"), ("json", "not_text")] {
            assert_eq!(run(json!({ "path": "f", "as": form })).unwrap_err().code, code);
        }
        run(json!({ "path": "f", "action": "write", "content": "{" })).unwrap();
        assert_eq!(run(json!({ "path": "f", "as": "json" })).unwrap_err().code, "not_json");
        for content in [json!("a b !"), json!(7), json!({})] {
            let failed = run(json!({ "path": "f", "action": "write", "content": content, "as": "base64" }));
            assert_eq!(failed.unwrap_err().code, "invalid_base64");
        }
        for action in ["read", "write"] {
            assert_eq!(run(json!({ "action": action })).unwrap_err().code, "no_path");
        }
        assert_eq!(run(json!({ "path": "../f" })).unwrap_err().code, "file_refused");
    }

    #[test]
    fn only_what_is_an_output_is_read() {
        fill("long", MOST + 1);
        assert_eq!(run(json!({ "path": "long" })).unwrap_err().code, "file_refused");
        fill("long", MOST);
        assert_eq!(run(json!({ "path": "long" })).unwrap()["bytes"], MOST);
    }

    fn fill(path: &str, length: usize) {
        files::write(path, &vec![b'x'; length]).unwrap();
    }
}
