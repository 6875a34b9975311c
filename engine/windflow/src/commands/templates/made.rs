//! Templates that are made of a stack or a workflow.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use windflow_marketplace::authored::Source;
use windflow_marketplace::manifest::Kind;

use crate::cli::{AboutArgs, Global, PublishArgs};
use crate::commands::document;
use crate::deploying::{Deploying, kept};
use crate::engine;
use crate::exit::invalid;

/// The fields of `template.yaml` that were said. What is said in one language is said in both, unless the other one is given.
pub(crate) fn about(args: &AboutArgs) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |field: &str, value: Option<Value>| value.map(|value| fields.insert(field.to_owned(), value));
    put("name", args.name.as_ref().map(|named| json!(named.name)));
    let version = args.name.as_ref().and_then(|named| named.version.as_ref());
    put("version", version.map(|version| json!(version.to_string())));
    let both = |english: &Option<String>, french: &Option<String>| {
        english.as_ref().map(|english| json!({ "en": english, "fr": french.as_ref().unwrap_or(english) }))
    };
    put("title", both(&args.title, &args.title_fr));
    put("summary", both(&args.summary, &args.summary_fr));
    put("category", args.category.as_ref().map(|category| json!(category)));
    put("tags", Some(&args.tags).filter(|tags| !tags.is_empty()).map(|tags| json!(tags)));
    fields
}

/// What a template is to be made of, and what problems with it are told of.
pub(super) fn source(global: &Global, deploying: &Deploying, args: &PublishArgs) -> anyhow::Result<(Source, PathBuf)> {
    if let Some(name) = &args.stack {
        let stack = deploying.book.stack(name).map_err(kept)?;
        let text = deploying.book.stack_version(name, stack.version).map_err(kept)?.text;
        let source = Source { kind: Kind::Stack, name: name.clone(), text, description: stack.description };
        return Ok((source, PathBuf::from(name)));
    }
    let Some(file) = args.workflow.as_ref().map(Path::new) else {
        return Err(invalid("say what to publish: a folder, --stack or --workflow"));
    };
    // With the installed plugins, as before a run.
    let checked = document::check(file, &engine::checker(global)?)?;
    checked.print(file);
    let valid = checked.is_valid();
    let (text, Some(workflow)) = (checked.text, checked.workflow.filter(|_| valid)) else {
        return Err(invalid(format!("{}: the workflow is not fit to publish", file.display())));
    };
    let description = workflow.description.map(|said| said.value).unwrap_or_default();
    let name = workflow.name.value.to_string();
    Ok((Source { kind: Kind::Workflow, name, text, description }, file.to_owned()))
}
