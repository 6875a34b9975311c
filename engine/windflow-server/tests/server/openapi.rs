//! The document is what the code says.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use windflow_server::{Permission, openapi};

pub(crate) fn document() -> Value {
    serde_json::from_str(&openapi().unwrap()).unwrap()
}

#[test]
fn the_checked_in_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = openapi().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "openapi.json is not what the code says: run this test with UPDATE=1, and look at the difference"
    );
}

#[test]
fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(reference) if key == "$ref" => references.push(reference.clone()),
                    other => collect(other, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_needs() {
    let document = document();
    let mut names = std::collections::BTreeSet::new();
    let known: Vec<&str> = Permission::ALL.iter().map(|permission| permission.word()).collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
            let security =
                operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} says nothing of tokens"));
            for scope in security.iter().filter_map(|entry| entry["token"].as_array()).flatten() {
                assert!(known.contains(&scope.as_str().unwrap()), "{method} {path}: {scope}");
            }
        }
    }
}

#[test]
fn a_linter_finds_nothing_in_it() {
    // What the code says: the file may be written anew at this moment.
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, openapi().unwrap()).unwrap();
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/toolchain/ensure-openapi-linter.sh");
    let tool = Command::new(tool).output().unwrap();
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
    let output = Command::new(String::from_utf8(tool.stdout).unwrap().trim())
        .args(["--extends=recommended", "--format=json", "--max-problems=1000"])
        .arg(&document)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let found: Vec<String> = said["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| format!("{} at {}", problem["ruleId"], problem["location"][0]["pointer"]).replace('"', ""))
        .collect();
    // A WebSocket answers 101, and nothing can be wrong with a question for health.
    let expected = [
        "operation-2xx-response at #/paths/~1api~1v1~1notifications~1ws/get/responses",
        "operation-4xx-response at #/paths/~1healthz/get/responses",
        "operation-4xx-response at #/paths/~1readyz/get/responses",
        "operation-4xx-response at #/paths/~1startupz/get/responses",
    ];
    assert_eq!(found, expected, "{said}");
}
