//! Documents and every problem that is found in them: `documents/<case>.yaml` and `documents/<case>.problems`.
//! A new case is a new file; `UPDATE=1 cargo test -p windflow-core --test documents` writes what is found beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::path::{Path, PathBuf};

use windflow_core::problem;
use windflow_core::workflow::{self, ChildName, Documents, FoundDocument, Workflow};

#[path = "support/registry.rs"]
mod support;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

/// The workflows that cases run, from the folder of the cases.
struct Children;

impl Documents for Children {
    fn find(&self, _: &str, name: &ChildName) -> Result<FoundDocument, String> {
        let ChildName::File(file) = name else { return Err("workflows have no names here".to_owned()) };
        let text = std::fs::read_to_string(folder().join(file)).map_err(|_| format!("there is no file {file}"))?;
        Ok(FoundDocument { location: file.clone(), text })
    }
}

fn problems(text: &str) -> Vec<problem::Problem> {
    let (parsed, mut problems) = Workflow::parse(text);
    if let Some(workflow) = parsed {
        problems.extend(workflow::validate(&workflow, &support::registry()));
        problems
            .extend(workflow::resolve_children(&workflow, &Children, &support::registry()).err().unwrap_or_default());
    }
    problem::sort(&mut problems);
    problems
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    cases.sort();
    cases
}

#[test]
fn every_problem_is_told_with_its_place() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() > 30, "the cases are missing");
    for case in cases {
        let text = std::fs::read_to_string(&case).unwrap();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let problems = problems(&text);
        for problem in &problems {
            assert!(text.get(problem.place.bytes.clone()).is_some(), "{name}: {problem:?} stands outside the text");
        }
        let found = problem::render(&name, &text, &problems);
        let expected_path = case.with_extension("problems");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected_path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_example_of_the_design_is_valid() {
    assert_eq!(problems(include_str!("documents/valid.yaml")), []);
}

#[test]
fn the_schema_of_documents_takes_what_the_parser_takes() {
    let schema = workflow::document_schema(&support::registry());
    let checker = windflow_core::schema::Checker::new(&schema).unwrap();
    let (node, _) = windflow_core::yaml::parse(include_str!("documents/valid.yaml"), Default::default());
    assert_eq!(checker.check(&node.unwrap().to_json()), Ok(()));
    let (node, _) = windflow_core::yaml::parse(include_str!("documents/unknown_keys.yaml"), Default::default());
    assert!(checker.check(&node.unwrap().to_json()).is_err());
}
