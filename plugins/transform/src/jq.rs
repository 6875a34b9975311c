//! Filters in the language jq.

mod native;
mod prelude;

use jaq_core::compile::{Compiler, Undefined};
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Native, Vars};
use jaq_json::Val;
use windflow_sdk::NodeError;

type Data = JustLut<Val>;

/// Runs a filter, which has to give exactly one value: what a node gives on does not change its shape with the data.
pub(crate) fn run(filter: &str, input: Val) -> Result<Val, NodeError> {
    let arena = Arena::default();
    let loader = Loader::new(prelude::definitions(filter));
    let modules = loader.load(&arena, File { code: filter, path: () }).map_err(|errors| syntax(filter, &errors))?;
    let compiler = Compiler::<_, Native<Data>>::default().with_funs(native::filters());
    let compiled = compiler.compile(modules).map_err(|errors| undefined(filter, &errors))?;

    let context = Ctx::<Data>::new(&compiled.lut, Vars::new([]));
    let mut values = compiled.id.run((context, input));
    let Some(value) = values.next() else {
        let message = "the filter gave no value; put it in `[ ]` for a list, or write `first(…) // null`";
        return Err(NodeError::new("no_value", message));
    };
    let value = value.map_err(|exception| match exception.get_err() {
        Ok(error) => NodeError::new("jq_failed", format!("the filter failed: {}", shortened(&error.to_string()))),
        Err(_) => NodeError::new("jq_failed", "the filter ended by `break` outside of its `label`"),
    })?;
    if values.next().is_some() {
        let message = "the filter gave more than one value; put it in `[ ]` for a list, or write `first(…)`";
        return Err(NodeError::new("several_values", message));
    }
    Ok(value)
}

fn syntax(filter: &str, errors: &load::Errors<&str, ()>) -> NodeError {
    let found = errors.iter().find_map(|(_, error)| match error {
        load::Error::Io(errors) => {
            errors.first().map(|(path, _)| (*path, "no module: a filter stands alone".to_owned()))
        }
        load::Error::Lex(errors) => {
            errors.first().map(|(expected, found)| (*found, format!("{} was expected", expected.as_str())))
        }
        load::Error::Parse(errors) => {
            errors.first().map(|(expected, found)| (*found, format!("{} was expected", expected.as_str())))
        }
    });
    let (place, problem) = found.unwrap_or(("", "it cannot be read".to_owned()));
    NodeError::new("jq_syntax", format!("the filter is wrong {}: {problem}", position(filter, place)))
}

fn undefined(filter: &str, errors: &load::Errors<&str, (), Vec<(&str, Undefined)>>) -> NodeError {
    let found = errors.iter().flat_map(|(_, errors)| errors).next();
    let (name, kind) = found.map_or(("", "word"), |(name, undefined)| (*name, undefined.as_str()));
    let arity = match found {
        Some((_, Undefined::Filter(arity))) if *arity > 0 => format!(" with {arity} arguments"),
        _ => String::new(),
    };
    let remedy = if name.starts_with('$') || kind != "filter" {
        ""
    } else {
        "; look for its spelling, and remember that filters know neither time nor environment"
    };
    let message = format!("the filter is wrong {}: there is no {kind} `{name}`{arity}{remedy}", position(filter, name));
    NodeError::new("jq_undefined", message)
}

/// Where a part of the filter stands.
fn position(filter: &str, part: &str) -> String {
    let offset = part.as_ptr().addr().wrapping_sub(filter.as_ptr().addr());
    let Some(before) = filter.get(..offset) else { return "at its end".to_owned() };
    if before.trim_end().len() == filter.trim_end().len() {
        return "at its end".to_owned();
    }
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("in line {line}, column {column}")
}

/// An error may quote the whole input.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 400;
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
